"""Which concepts a question, a note or a list of codes is about, and how much each matters.

In a note a mention is weighed by its assertion: words such as `denies`, `mother had` or `history
of` govern what follows them up to the end of their clause, after NegEx (Chapman 2001) and ConText
(Harkema 2009). A question states nothing, so that there every mention counts in full.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kg_builder.sentences import split_sentences
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, Seed

STATUS_WEIGHTS: Mapping[str, float] = {
    "present": 1.0,
    "possible": 0.7,
    "historical": 0.6,
    "hypothetical": 0.4,
    "associated_with_someone_else": 0.25,
    "absent": 0.1,
}
"""What a mention counts, by assertion status of i2b2/VA 2010 and `historical`."""

NOTE_WORDS = 60
"""A text of more words than this, or of several lines, is read as a clinical note."""

CATEGORY_WEIGHT = 0.8
"""Weight of a code's category where the graph does not hold the code itself (I50.9: I50)."""


class _Scope(NamedTuple):
    """Words that give the mentions of a clause a status: those after them, or before them."""

    status: str
    before: re.Pattern[str]
    after: re.Pattern[str] | None = None


def _words(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


_SCOPES = (  # the first that holds is taken
    _Scope(
        "associated_with_someone_else",
        _words(
            "family history",
            "family hx",
            "fh",
            "fhx",
            r"(?:grand)?(?:mother|father)",
            "brother",
            "sister",
            "aunt",
            "uncle",
            "sibling",
            "parents?",
        ),
    ),
    _Scope(
        "absent",
        _words(
            "no",
            "not",
            "den(?:y|ies|ied|ying)",
            "without",
            "negative for",
            "absence of",
            "free of",
            "never",
            "ruled out",
            "lack of",
        ),
        _words("(?:is|are|was|were|been) (?:ruled out|absent|denied|excluded|negative)"),
    ),
    _Scope(
        "hypothetical",
        _words(
            "if", "return for", "monitor(?:ed|ing)? for", "prophylaxis", "in case of", "risk of"
        ),
    ),
    _Scope(
        "possible",
        _words(
            "possible",
            "possibly",
            "probable",
            "probably",
            "likely",
            "suspected",
            "suspicious for",
            "concern(?:ing)? for",
            "questionable",
            "may",
            "might",
            "rule out",
            "r/o",
        ),
        _words("(?:is|are) (?:possible|likely|suspected)", "not excluded"),
    ),
    _Scope(
        "historical",
        _words("history", "hx", "h/o", "pmh", "previous", "previously", "prior", "s/p", "remote"),
    ),
)
_CLAUSE = re.compile(r"[;:]\s|\b(?:but|however|although|though|except|presents?|now|which)\b", re.I)
_HEADING = re.compile(r"(?m)^\s*([A-Za-z /]{2,40}):")
_HEADINGS = (
    (re.compile("family", re.I), "associated_with_someone_else"),
    (re.compile("past|history of|previous", re.I), "historical"),
)
_CURIE = re.compile(r"(?<![\w:])[A-Za-z][\w-]*:[A-Za-z0-9][\w.-]*\w")
_CUI = re.compile(r"\bC\d{7}\b")
_ICD10 = re.compile(r"\b[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?\b")
_ICD9 = re.compile(r"\b(?:\d{3}|V\d\d|E\d{3})(?:\.\d{1,2})?\b")


_CONNECTION = re.compile(
    r"\b(?:connect(?:s|ed|ing|ions?)?|link(?:s|ed|ing)?|bridg(?:es?|ed|ing)|paths?|how (?:can|could"
    r"|do|does|may|might) .* (?:lead|contribute) to)\b",
    re.IGNORECASE,
)


def asks_for_path(text: str) -> bool:
    """Whether a question asks by what way one thing is connected with another.

    >>> asks_for_path("How is aspirin connected with asthma?"), asks_for_path("Is aspirin safe?")
    (True, False)
    """
    return _CONNECTION.search(text) is not None


def is_note(text: str) -> bool:
    """Whether a text is read as a clinical note, and not as a question or a list of problems."""
    return "\n" in text.strip() or len(text.split()) > NOTE_WORDS


def seeds_of(text: str, linker: Linker, vocabulary: Vocabulary | None = None) -> tuple[Seed, ...]:
    """The concepts of a question, a note or codes, each once, heaviest first, ties by id.

    A concept's weight is that of its best mention (status times the linker's score), and grows
    with the logarithm of the number of its mentions. With a vocabulary, codes are read too: a
    CURIE, a CUI, or an ICD code (a bare one without a full stop only where the text is nothing but
    codes). A code that the vocabulary does not hold gives its category, or nothing.
    """
    found: dict[str, list[Seed]] = {}
    for seed in (*_mentioned(text, linker), *_coded(text, vocabulary)):
        found.setdefault(seed.concept_id, []).append(seed)
    seeds = [_joined(same) for same in found.values()]
    return tuple(sorted(seeds, key=lambda seed: (-seed.weight, seed.concept_id)))


def _joined(same: list[Seed]) -> Seed:
    best = max(same, key=lambda seed: seed.weight)
    return best._replace(weight=best.weight * (1.0 + math.log(len(same))))


def _mentioned(text: str, linker: Linker) -> Iterator[Seed]:
    spans = split_sentences(text) if is_note(text) else []
    for mention in linker.link(text):
        if mention.concept_id is None or mention.score <= 0:
            continue
        span = next((s for s in _lines(text, spans) if s[0] <= mention.start < s[1]), None)
        status = "present" if span is None else _status(text, span, mention.start, mention.end)
        weight = STATUS_WEIGHTS[status] * mention.score
        yield Seed(mention.concept_id, weight, status)


def _lines(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sentences, cut at line breaks: a line of a note is a statement of its own."""
    for start, end in spans:
        cuts = [at for at in range(start, end) if text[at] == "\n"]
        yield from zip((start, *(cut + 1 for cut in cuts)), (*cuts, end), strict=True)


def _status(text: str, span: tuple[int, int], start: int, end: int) -> str:
    """The assertion status of a mention at `start:end` of the sentence at `span`."""
    cuts = [m.end() for m in _CLAUSE.finditer(text, span[0], start)]
    low = cuts[-1] if cuts else span[0]
    after = _CLAUSE.search(text, end, span[1])
    high = after.start() if after else span[1]
    for scope in _SCOPES:
        if scope.before.search(text, low, start):
            return scope.status
        if scope.after is not None and scope.after.search(text, end, min(high, end + 40)):
            return scope.status
    return _section_status(text, start)


def _section_status(text: str, start: int) -> str:
    headings = list(_HEADING.finditer(text, 0, start))
    if headings:
        for pattern, status in _HEADINGS:
            if pattern.search(headings[-1][1]):
                return status
    return "present"


def _coded(text: str, vocabulary: Vocabulary | None) -> Iterator[Seed]:
    if vocabulary is None:
        return
    for prefix, code in _codes(text):
        exact = vocabulary.resolve(f"{prefix}:{code}")
        if exact is not None:
            yield Seed(exact)
            continue
        category = vocabulary.resolve(f"{prefix}:{code.partition('.')[0]}")
        if category is not None and prefix.startswith("ICD"):
            yield Seed(category, CATEGORY_WEIGHT)


def _codes(text: str) -> Iterator[tuple[str, str]]:
    for match in _CURIE.finditer(text):
        prefix, _, code = match[0].partition(":")
        yield prefix, code
    bare = _CURIE.sub(" ", text)
    for match in _CUI.finditer(bare):
        yield "UMLS", match[0]
    words = re.split(r"[\s,;]+", bare.strip())
    alone = all(_ICD10.fullmatch(word) or _ICD9.fullmatch(word) for word in words)
    for prefix, pattern in (("ICD10CM", _ICD10), ("ICD9CM", _ICD9)):
        for match in pattern.finditer(bare):
            if alone or "." in match[0]:
                yield prefix, match[0]
