"""The claims of a written answer, and whether the passages that were given support them.

A claim is a sentence. It is cited where it names PMIDs and all of them are of passages that were
given; everything else is marked, never removed. That a cited passage says the same cannot be told
by such a check: only, where concepts are compared, that a claim speaks of what no cited sentence
names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg_builder.sentences import split_sentences

CITED = "cited"
UNCITED = "uncited"
NOT_GIVEN = "not given"
OTHER_CONCEPTS = "other concepts"

_NUMBERS = r"\d{1,9}(?:\s*(?:,|;|and|&)\s*(?:PMIDs?:?\s*)?\d{1,9})*"
_CITATION = re.compile(
    rf"\[\s*(?:PMIDs?:?\s*)?{_NUMBERS}\s*\]"
    rf"|\(\s*PMIDs?:?\s*{_NUMBERS}\s*\)"
    rf"|PMIDs?:?\s*{_NUMBERS}",
    re.IGNORECASE,
)
_AFTER_STOP = re.compile(rf"([.!?])(\s*)((?:(?:{_CITATION.pattern})[\s.]*)+)", re.I)
_PMID = re.compile(r"\d+")
_SAYS_SOMETHING = re.compile(r"[^\W\d_]{2,}")

ConceptsOf = Callable[[str], Mapping[str, str]]
"""The concepts that a text names: id to name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence without its citations, the PMIDs that it cites, and how far it is supported.

    `support` is `CITED`, `UNCITED`, `NOT_GIVEN` where it cites an article of which no passage was
    given, or `OTHER_CONCEPTS`; `missing` are those PMIDs, or the names of those concepts.
    """

    text: str
    pmids: tuple[int, ...]
    support: str
    missing: tuple[str, ...] = ()


def claims_of(
    answer: str, given: Mapping[int, str], concepts_of: ConceptsOf | None = None
) -> tuple[Claim, ...]:
    """The claims of an answer, checked against the passages given, by PMID.

    >>> [c.support for c in claims_of("It helps [PMID 7]. It harms.", {7: "It helps."})]
    ['cited', 'uncited']
    """
    text = _AFTER_STOP.sub(r" \3\1\2", answer)
    found = []
    for start, end in split_sentences(text):
        for line in text[start:end].splitlines():
            claim = _claim(line.strip(), given, concepts_of)
            if claim is not None:
                found.append(claim)
    return tuple(found)


def _claim(text: str, given: Mapping[int, str], concepts_of: ConceptsOf | None) -> Claim | None:
    cited = [int(pmid) for m in _CITATION.finditer(text) for pmid in _PMID.findall(m[0])]
    pmids = tuple(dict.fromkeys(cited))
    plain = re.sub(r"\s+([.,;:!?])", r"\1", _CITATION.sub("", text)).strip()
    plain = re.sub(r"[\s.]+([.!?])$", r"\1", plain)
    if not _SAYS_SOMETHING.search(plain):
        return None
    if not pmids:
        return Claim(plain, pmids, UNCITED)
    foreign = [str(pmid) for pmid in pmids if pmid not in given]
    if foreign:
        return Claim(plain, pmids, NOT_GIVEN, tuple(foreign))
    unnamed = _unnamed(plain, [given[pmid] for pmid in pmids], concepts_of)
    return Claim(plain, pmids, OTHER_CONCEPTS if unnamed else CITED, unnamed)


def _unnamed(text: str, sources: Iterable[str], concepts_of: ConceptsOf | None) -> tuple[str, ...]:
    """Names of the concepts of a text that no source names."""
    if concepts_of is None:
        return ()
    named = {concept for source in sources for concept in concepts_of(source)}
    return tuple(sorted(name for id_, name in concepts_of(text).items() if id_ not in named))


def marked(claims: Sequence[Claim]) -> str:
    """The claims as text, each with its PMIDs, and with a mark where it is not supported.

    >>> marked([Claim("It harms.", (), UNCITED)])
    'It harms. (unsupported: no passage is cited)'
    """
    return "\n".join(_marked(claim) for claim in claims)


def _marked(claim: Claim) -> str:
    cited = f" [{', '.join(f'PMID {pmid}' for pmid in claim.pmids)}]" if claim.pmids else ""
    missing = ", ".join(claim.missing)
    why = {
        CITED: "",
        UNCITED: " (unsupported: no passage is cited)",
        NOT_GIVEN: f" (unsupported: no passage of PMID {missing} was given)",
        OTHER_CONCEPTS: f" (not in the cited sentences: {missing})",
    }
    return claim.text + cited + why[claim.support]
