"""What a sentence says of its mentions: there, denied, doubted, to come, over, or another's.

After ConText (Harkema 2009): words of `cues.toml` govern what stands in their scope. A word before
its mentions reaches forward to the next stop or the end of the sentence, over lists; a word behind
reaches back to the nearest mention and to those joined to it. Where several reach a mention, the
order of i2b2/VA 2010 decides: family, hypothetical, possible, absent, historical, present.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from extractor.layout import Unit
from extractor.phrases import Phrase, Token
from extractor.schema import Kind, Status
from extractor.sections import Section
from extractor.words import TOKEN, listed

_ORDER = (
    Status.FAMILY,
    Status.HYPOTHETICAL,
    Status.POSSIBLE,
    Status.ABSENT,
    Status.HISTORICAL,
)
_PROBLEM = {status.value: status for status in _ORDER}
_CARE = {
    "planned": Status.HYPOTHETICAL,
    "withheld": Status.ABSENT,
    "ended": Status.HISTORICAL,
    "absent": Status.ABSENT,
}
"""What the groups of `cues.toml` say of a problem, and of a treatment or test."""

_SAYING = listed(
    """
    reports reported states stated notes noted says said denies denied thinks
    """
)
_RELATIVES_GOVERN = listed(
    """
    has had have having with died passed suffers suffered diagnosed deceased positive of :
    from was is are were also history who both and alive ( , also side's side reportedly lost
    for
    """
)
_OF_FAMILY = listed("family fh fhx familial maternal paternal")
_FOUND = ["diagnosed", "with"]
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONG = 9


@dataclass(frozen=True, slots=True)
class Cue:
    """Words at `tokens[low:high]` of a sentence that belong to a group of `cues.toml`."""

    low: int
    high: int
    group: str
    side: str


def statuses(tokens: Sequence[Token], phrases: Sequence[Phrase], unit: Unit) -> list[Status]:
    """The status of each phrase of the sentence `unit`."""
    cues = _cues(tokens, phrases, unit)
    return [_status(place, tokens, phrases, cues, unit) for place in range(len(phrases))]


def _status(
    place: int,
    tokens: Sequence[Token],
    phrases: Sequence[Phrase],
    cues: Sequence[Cue],
    unit: Unit,
) -> Status:
    phrase = phrases[place]
    meanings = _PROBLEM if phrase.kind is Kind.PROBLEM else _CARE
    said = {
        meanings[cue.group]
        for cue in cues
        if cue.group in meanings
        and _reaches(cue, place, tokens, phrases, cues)
        and (phrase.kind is Kind.PROBLEM or _is_near(cue, phrase, phrases))
    }
    signed = _signed(tokens, phrase)
    if signed is not None:
        return signed
    if phrase.kind is Kind.PROBLEM and _dated(tokens, phrase):
        said.add(Status.HISTORICAL)
    by_section = _by_section(phrase, unit, said)
    if by_section is not None:
        return by_section
    return next((status for status in _ORDER if status in said), Status.PRESENT)


def _is_near(cue: Cue, phrase: Phrase, phrases: Sequence[Phrase]) -> bool:
    """Whether a denial before a treatment or test is of it: in `no bleeding on CT` it is not."""
    if cue.group != "absent":
        return True
    between = [p for p in phrases if p.first >= cue.high and p.last <= phrase.first]
    return cue.side == "before" and all(p.kind is phrase.kind for p in between)


def _by_section(phrase: Phrase, unit: Unit, said: set[Status]) -> Status | None:
    """What the section says, where it says more than the sentence."""
    problem = phrase.kind is Kind.PROBLEM
    label = unit.label.lower()
    if problem and (unit.section is Section.FAMILY or label in _RELATIVE_LABELS):
        return Status.ABSENT if Status.ABSENT in said else Status.FAMILY
    if unit.section is Section.ALLERGIES:
        return Status.HYPOTHETICAL if problem else Status.ABSENT
    if unit.section is Section.SURGERY and phrase.kind is Kind.TREATMENT:
        return Status.HISTORICAL
    if label in ("denies", "negative", "neg"):
        return Status.ABSENT
    return None


_RELATIVE_LABELS = listed("brother sister mother father sibling siblings maternal paternal")


def _signed(tokens: Sequence[Token], phrase: Phrase) -> Status | None:
    """A plus or minus right before the phrase: `- fever, - chills`, `(+) cough`."""
    at = phrase.first - 1
    if at >= 0 and tokens[at].word == ")":
        at -= 1
    if at < 0:
        return None
    before = tokens[at - 1].word if at else ","
    if before not in (",", "(", ";", "."):
        return None
    return {"-": Status.ABSENT, "–": Status.ABSENT, "+": Status.PRESENT}.get(tokens[at].word)


def _dated(tokens: Sequence[Token], phrase: Phrase) -> bool:
    """Whether a year dates the problem: `pneumonia in 2019`, `stroke (2011)`, `gout 5 years ago`.

    Not `since 2011`; what was `diagnosed with` then is not over by that.
    """
    if [token.word for token in tokens[max(0, phrase.first - 2) : phrase.first]] == _FOUND:
        return False
    following = [token.word for token in tokens[phrase.last : phrase.last + 3]]
    if following[:1] and _YEAR.fullmatch(following[0]):
        return True
    if following[1:] in (["years", "ago"], ["year", "ago"]):
        return True
    if len(following) < 2 or not _YEAR.fullmatch(following[1]):
        return False
    return following[0] in ("in", "(", ",")


def _reaches(
    cue: Cue,
    place: int,
    tokens: Sequence[Token],
    phrases: Sequence[Phrase],
    cues: Sequence[Cue],
) -> bool:
    phrase = phrases[place]
    if cue.side == "before":
        if cue.low < phrase.last and cue.high > phrase.first:
            return cue.low >= phrase.first and cue.high <= phrase.low
        return cue.high <= phrase.first and _reaches_forward(cue, phrase, tokens, cues)
    if phrase.first <= cue.low and cue.high <= phrase.last:
        return cue.group == "hypothetical"
    return cue.low >= phrase.last and _reaches_back(cue, place, tokens, phrases)


def _reaches_forward(
    cue: Cue, phrase: Phrase, tokens: Sequence[Token], cues: Sequence[Cue]
) -> bool:
    if cue.group == "family":
        return _family_reaches(cue, phrase, tokens)
    between = [c for c in cues if c.group == "stop" and cue.high <= c.low < phrase.first]
    if cue.group in ("hypothetical", "planned"):
        between = [c for c in between if tokens[c.low].word in _HARD_STOPS]
    words = [token.word for token in tokens[cue.high : phrase.first]]
    if between or (words and cue.high == cue.low + 1 and tokens[cue.low].word in _NEXT_ALONE):
        return False
    if cue.group == "possible" and ":" in words[1:]:
        return False
    if cue.group == "possible":
        return not ("," in words and "and" not in words and "or" not in words) or len(words) < 3
    if cue.group in ("historical", "ended"):
        return len(words) < _LONG and "," not in words
    return True


_NEXT_ALONE = frozenset(("consider", "query"))
"""What is thought of is what follows at once: in `consider MRI for pain` the pain is there."""

_HARD_STOPS = frozenset(("but", "however", ";", "although", "reports", "endorses", "denies"))


def _family_reaches(cue: Cue, phrase: Phrase, tokens: Sequence[Token]) -> bool:
    """A relative governs what is said of them, not what they tell of the patient."""
    words = [token.word for token in tokens[cue.high : phrase.first]]
    if not words or tokens[cue.low].word in (
        "family",
        "fh",
        "fhx",
        "familial",
        "maternal",
        "paternal",
    ):
        return "patient" not in words
    if _SAYING & set(words[:2]) or "patient" in words:
        return False
    if {"per", "by", "with"} & {token.word for token in tokens[max(0, cue.low - 2) : cue.low]}:
        return False
    if words[0] not in _RELATIVES_GOVERN and not any(w in ("had", "has", "died") for w in words):
        return False
    return not {"he", "she"} & set(words[1:]) or "died" in words


def _reaches_back(cue: Cue, place: int, tokens: Sequence[Token], phrases: Sequence[Phrase]) -> bool:
    """Whether no other phrase stands between, but those joined to this one."""
    last = phrases[place].last
    for following in phrases[place + 1 :]:
        if following.first >= cue.low:
            break
        joint = {token.word for token in tokens[last : following.first]}
        if not joint <= {"and", "or", "/", ",", "&", "her", "his", "the", "with"}:
            return False
        last = following.last
    gap = [token.word for token in tokens[last : cue.low]]
    reach = 4 if cue.group in ("historical", "ended", "family") else 2
    return len(gap) <= reach and not {";", ".", "but", ","} & set(gap[:-1] if gap else gap)


def _cues(tokens: Sequence[Token], phrases: Sequence[Phrase], unit: Unit) -> list[Cue]:
    """All cues of the sentence, longest match first, in order; what looks like one is left out."""
    forms = [token.word for token in tokens]
    found: list[Cue] = []
    at = covered = 0
    while at < len(forms):
        matches = [
            c
            for c in _table().get(forms[at], ())
            if at + len(c[0]) > covered and _matches(c[0], forms, at)
        ]
        longest = max((len(c[0]) for c in matches), default=0)
        chosen = [c for c in matches if len(c[0]) == longest]
        if any(group == "pseudo" for _, group, _ in chosen):
            at = covered = at + longest
            continue
        found += [Cue(at, at + longest, group, side) for _, group, side in chosen]
        covered = max(covered, at + longest)
        at += 1
    if len(forms) > 1 and forms[-1] == ".":
        forms = forms[:-1]
    if len(forms) > 2 and forms[-1] in ("no", "none", "denies", "negative") and forms[-2] in ":-":
        found.append(Cue(len(forms) - 2, len(forms), "absent", "after"))
    return [cue for cue in found if cue.group != "stop" or not _within(cue, phrases)]


def _within(cue: Cue, phrases: Sequence[Phrase]) -> bool:
    return any(p.first <= cue.low < p.last for p in phrases)


def _matches(parts: tuple[str, ...], forms: Sequence[str], at: int) -> bool:
    given = forms[at : at + len(parts)]
    return len(given) == len(parts) and all(
        part in ("~", word) for part, word in zip(parts, given, strict=True)
    )


@cache
def _table() -> Mapping[str, tuple[tuple[tuple[str, ...], str, str], ...]]:
    """Cues by their first word: their words, group and side."""
    loaded = tomllib.loads(files("extractor").joinpath("cues.toml").read_text("utf-8"))
    table: dict[str, set[tuple[tuple[str, ...], str, str]]] = {}
    for group, sides in loaded.items():
        for side, written in sides.items():
            name = {"stops": "stop"}.get(group, group)
            if name == "stop" and side == "back":
                continue
            for phrase in written.replace("\n", "|").split("|"):
                parts = tuple("~" if w == "~" else w for w in _split(phrase))
                if parts:
                    table.setdefault(parts[0], set()).add((parts, name, side))
    return {first: tuple(sorted(cues)) for first, cues in table.items()}


def _split(phrase: str) -> list[str]:
    return [
        w for piece in phrase.split() for w in (TOKEN.findall(piece) if piece != "~" else ["~"])
    ]
