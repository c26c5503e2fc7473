"""Phrases of a sentence that name problems, treatments and tests, by light chunking.

A phrase grows around a core: a concept that the linker found, or a word or phrase of
`phrases.toml`. To its left it takes adjectives, sides, sites and grades that stand before it; to
its right a site, a movement or a circumstance (`of the left knee`, `with flexion`). Cores side by
side are one phrase, and its last one tells its kind (`blood pressure medication`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractor.schema import Kind
from extractor.words import TOKEN, Words, listed, singulars, words


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark at `[start, end)` of the note; `word` is its lower-case form."""

    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A concept that the linker found at `[start, end)`, and the kind of finding that it is."""

    start: int
    end: int
    concept: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase made of `tokens[first:last]`; its core is `tokens[low:high]`."""

    first: int
    last: int
    low: int
    high: int
    kind: Kind
    concept: str | None = None
    adjective: bool = False


_DETERMINERS = listed("the a an his her their its this that these those both my our your")
_NOT_MODIFIERS = listed(
    """
    patient history exam examination evaluation review time day days week weeks month months
    year years old male female man woman positive negative normal pt present noted clear
    intact stable known reports reported denies denied endorses given due likely possible
    probable suspected previous prior past family medical having feeling being including
    during developed resolved associated significant unremarkable regarding continued started
    taking getting using causing concerning referred diagnosed treated experienced described
    worsened involved located related needed ordered obtained reviewed received presented
    discussed recommended advised prescribed noticed worsened ongoing questionable showed
    revealed declined avoid remote prior additional potential differential hospital clinical
    several multiple various other
    """
)
_ADJECTIVE_ENDINGS = (
    "al",
    "ic",
    "ous",
    "ive",
    "ar",
    "ary",
    "ory",
    "oid",
    "ed",
    "ing",
    "less",
    "ble",
)
_SIDES = listed(
    """
    left right bilateral upper lower both medial lateral anterior posterior
    """
)
_GRADES = listed("stage grade type class phase")
_CIRCUMSTANCE = listed("with on to upon during after while when")
_DIFFICULTY_TO = listed("with in of to")
_AMBIGUOUS = listed(
    """
    evaluation auscultation exam examination screen lab labs testing monitoring screening
    study test panel scan culture imaging palpation discharge frequency urgency retention
    stress fall falls condition arrest cold block reaction strain reduction exercise ice heat
    diet oxygen fluids fusion line drops boot cane
    """
)
_FALL_VERB_AFTER = listed(
    """
    to may might will would can could did does should not cannot they i we you he she it who
    level levels pressure pressures count counts this last next until since
    """
)
_FALL_VERB_BEFORE = listed(
    "asleep into under behind short within below out off through away apart back"
)
_LONGEST_COMPLEMENT = 5


def tokenize(text: str, start: int, end: int) -> list[Token]:
    """The tokens of `text[start:end]`, with offsets in `text`."""
    return [
        Token(m.start(), m.end(), m[0].lower().replace("’", "'"))
        for m in TOKEN.finditer(text, start, end)
    ]


def find_phrases(tokens: Sequence[Token], named: Sequence[Named]) -> list[Phrase]:
    """Phrases in order, without overlaps. `named` are the linker's finds in the same sentence."""
    known = words()
    cores = [
        core
        for core in _merged(_cores(tokens, named, known), tokens)
        if not _is_surname(tokens, core.low)
    ]
    grown: list[Phrase] = []
    for place, core in enumerate(cores):
        floor = grown[-1].last if grown else 0
        ceiling = cores[place + 1].low if place + 1 < len(cores) else len(tokens)
        phrase = _grown(core, tokens, known, floor, ceiling)
        if _tells(phrase, tokens):
            grown.append(phrase)
    return grown


def _is_surname(tokens: Sequence[Token], at: int) -> bool:
    """Whether a title stands before: nobody is a stone because of the name."""
    before = [token.word for token in tokens[max(0, at - 2) : at]]
    return before[-2:-1] == before[:1] and before[:1] in (["mr"], ["ms"], ["mrs"], ["dr"])


def _cores(tokens: Sequence[Token], named: Sequence[Named], known: Words) -> list[Phrase]:
    """Cores in order; where several overlap, the longest, and of those the linker's."""
    found = [
        *_named_cores(tokens, named),
        *_phrase_cores(tokens, known),
        *_opened_cores(tokens, known),
        *_measured_cores(tokens, known),
        *_word_cores(tokens, known),
    ]
    order = sorted(range(len(found)), key=lambda n: (found[n].low - found[n].high, n, found[n].low))
    taken = [False] * len(tokens)
    kept = []
    for number in order:
        core = found[number]
        if not any(taken[core.low : core.high]):
            taken[core.low : core.high] = [True] * (core.high - core.low)
            kept.append(core)
    return sorted(kept, key=lambda core: core.low)


def _named_cores(tokens: Sequence[Token], named: Sequence[Named]) -> list[Phrase]:
    starts, ends = [t.start for t in tokens], [t.end for t in tokens]
    cores = []
    for item in named:
        low, high = bisect_right(ends, item.start), bisect_left(starts, item.end)
        if low < high:
            cores.append(Phrase(low, high, low, high, item.kind, item.concept))
    return cores


def _phrase_cores(tokens: Sequence[Token], known: Words) -> list[Phrase]:
    cores = []
    forms = [t.word for t in tokens]
    for low, word in enumerate(forms):
        for parts, kind in known.phrases.get(word, ()):
            high = low + len(parts)
            given = tuple(forms[low:high])
            if given == parts or (given[:-1] == parts[:-1] and given[-1:] == (parts[-1] + "s",)):
                cores.append(Phrase(low, high, low, high, kind))
                break
    return cores


def _opened_cores(tokens: Sequence[Token], known: Words) -> list[Phrase]:
    """`difficulty swallowing`, `trouble with his vision`, `inability to walk`, `unable to void`."""
    cores = []
    for low, token in enumerate(tokens):
        if token.word not in known.openers or low + 1 >= len(tokens):
            continue
        high = low + 1
        if tokens[high].word in _DIFFICULTY_TO and high + 1 < len(tokens):
            high += 1
            while high < len(tokens) and tokens[high].word in _DETERMINERS:
                high += 1
        elif not tokens[high].word.endswith("ing"):
            continue
        first = high
        while (
            high < len(tokens)
            and high - first < _LONGEST_COMPLEMENT
            and _continues(tokens, high, first)
        ):
            high += 1
        if high > first:
            cores.append(Phrase(low, high, low, high, Kind.PROBLEM))
    return cores


_ENDS_COMPLEMENT = listed(
    """
    and or but who which that for when while since because due after before if as so with
    without at during is are was were has have had he she they patient denies reports lately
    today
    """
)


def _continues(tokens: Sequence[Token], at: int, first: int) -> bool:
    word = tokens[at].word
    return (
        word not in _ENDS_COMPLEMENT and word[0].isalnum() and (at == first or word not in ("no",))
    )


def _measured_cores(tokens: Sequence[Token], known: Words) -> list[Phrase]:
    """`elevated creatinine`, `decreased left ventricular function`: a deviation as a problem."""
    cores = []
    for low, token in enumerate(tokens):
        if token.word not in known.deviations:
            continue
        for high in range(low + 1, min(low + 5, len(tokens))):
            word = tokens[high].word
            if word in known.measured:
                end = high + 1
                while end < len(tokens) and tokens[end].word in known.measured:
                    end += 1
                cores.append(Phrase(low, end, low, end, Kind.PROBLEM))
                break
            if not word[0].isalpha() or word in _NOT_MODIFIERS or word in ("and", "or", "in", "of"):
                break
    return cores


def _word_cores(tokens: Sequence[Token], known: Words) -> list[Phrase]:
    cores = []
    for at, token in enumerate(tokens):
        word = token.word
        if not word[0].isalpha():
            continue
        for kind in (Kind.PROBLEM, Kind.TREATMENT, Kind.TEST):
            if known.kinds[kind].names(_last_part(word)):
                cores.append(Phrase(at, at + 1, at, at + 1, kind))
                break
            if word in known.kinds[kind].adjectives:
                cores.append(Phrase(at, at + 1, at, at + 1, kind, adjective=True))
                break
    return cores


def _last_part(word: str) -> str:
    """The last part of a hyphenated word, unless the whole is known (`x-ray`)."""
    if "-" not in word or any(kind.names(word) for kind in words().kinds.values()):
        return word
    last = word.rsplit("-", 1)[1]
    return word if last.endswith(("ed", "ing", "like", "free")) else last


def _merged(cores: Sequence[Phrase], tokens: Sequence[Token]) -> list[Phrase]:
    """Cores side by side become one, of the last one's kind; an adjective before a noun goes in."""
    merged: list[Phrase] = []
    for core in cores:
        before = merged[-1] if merged else None
        if before is None or before.high != core.low or core.adjective:
            merged.append(core)
            continue
        if tokens[before.low].word == "vs" and core.kind is Kind.PROBLEM:  # no vital signs
            merged[-1] = core
            continue
        merged[-1] = replace(
            core,
            first=before.first,
            low=before.low,
            concept=core.concept or (before.concept if before.kind is core.kind else None),
        )
    return merged


def _grown(core: Phrase, tokens: Sequence[Token], known: Words, floor: int, ceiling: int) -> Phrase:
    first, last = core.low, core.high
    while first > floor and _modifies(tokens, first - 1, known):
        first -= 1
    while first < core.low and not _may_begin(tokens[first].word):
        first += 1
    if core.kind is not Kind.TREATMENT:
        last = _site_after(tokens, last, ceiling, known)
        if core.kind is Kind.PROBLEM:
            last = _circumstance_after(tokens, last, ceiling, known)
            last = _site_after(tokens, last, ceiling, known)
    return replace(core, first=first, last=last)


_NEVER_FIRST = frozenset(("well", "any", "some", "more", "much", "vs", "versus"))


def _may_begin(word: str) -> bool:
    return word[0].isalnum() and word not in _NEVER_FIRST


def _modifies(tokens: Sequence[Token], at: int, known: Words) -> bool:
    word = tokens[at].word
    if word in known.modifiers or _is_site(word, known):
        return True
    if word in _NOT_MODIFIERS or word in _DETERMINERS or not word[0].isalnum():
        return False
    if word[0].isdigit():
        graded = at > 0 and tokens[at - 1].word in _GRADES
        return word.endswith("+") or "/" in word or graded
    return len(word) > 4 and word.endswith(_ADJECTIVE_ENDINGS)


def _site_after(tokens: Sequence[Token], at: int, ceiling: int, known: Words) -> int:
    """Where a site ends that stands at `at`: `of the left knee`, `bilateral bases`; else `at`."""
    start = at
    if start < ceiling and tokens[start].word in known.prepositions:
        start += 1
    elif start >= ceiling or tokens[start].word not in _SIDES:
        return at
    end = _site(tokens, start, ceiling, known)
    if end == start:
        return at
    if end + 1 < ceiling and tokens[end].word == "and":
        further = _site(tokens, end + 1, ceiling, known)
        return further if further > end + 1 else end
    return end


def _is_site(word: str, known: Words) -> bool:
    return any(form in known.sites for form in singulars(word))


def _site(tokens: Sequence[Token], start: int, ceiling: int, known: Words) -> int:
    """Where a bare site ends, `start` where there is none."""
    at = start
    while at < ceiling and tokens[at].word in _DETERMINERS:
        at += 1
    end = start
    while at < ceiling and (_is_site(tokens[at].word, known) or _modifies(tokens, at, known)):
        at += 1
        if _is_site(tokens[at - 1].word, known):
            end = at
    if end > start and end + 1 < ceiling and tokens[end].word in ("of", "on"):
        further = _site(tokens, end + 1, ceiling, known)
        return further if further > end + 1 else end
    return end


def _circumstance_after(tokens: Sequence[Token], at: int, ceiling: int, known: Words) -> int:
    """Where `with flexion and extension`, `on exertion`, `to palpation` ends; else `at`."""
    if at >= ceiling or tokens[at].word not in _CIRCUMSTANCE:
        return at
    end = at + 1
    last = at
    while end < ceiling:
        word = tokens[end].word
        if word in known.manoeuvres:
            last = end + 1
        elif not (word in ("and", "or") and last == end) and not _modifies(tokens, end, known):
            break
        end += 1
    return last


def _tells(phrase: Phrase, tokens: Sequence[Token]) -> bool:
    """Whether the phrase says enough: `discharge` alone is no problem, `purulent discharge` is."""
    if phrase.last - phrase.first > 1:
        return True
    word = tokens[phrase.low].word
    if word in ("fall", "falls"):
        return _is_a_fall(phrase, tokens)
    return word not in _AMBIGUOUS or phrase.concept is not None


def _is_a_fall(phrase: Phrase, tokens: Sequence[Token]) -> bool:
    """Whether somebody fell: not a verb (`to fall asleep`, `levels fall`), not a season."""
    before = [token.word for token in tokens[max(0, phrase.first - 2) : phrase.first]]
    after = [token.word for token in tokens[phrase.last : phrase.last + 1]]
    verb = before[-1:] and before[-1] in _FALL_VERB_AFTER
    return not verb and before != ["in", "the"] and not set(after) & _FALL_VERB_BEFORE
