"""A note's layout: sentences and list lines, each with the headings that it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.sections import Section, section_of


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or a line of a list, at `[start, end)` of a note.

    `section` is what the last known heading says, `heading` is the text of that heading, `label`
    the text of a label at the head of the line (`Respiratory:`), empty where there is none.
    `first` tells whether the unit opens its line, `line` counts lines from 0.
    """

    start: int
    end: int
    section: Section
    heading: str = ""
    label: str = ""
    first: bool = True
    line: int = 0


_LINE = re.compile(r"[^\r\n]+")
_BULLET = re.compile(r"\s*(?:[•*#>·▪–—-]+|\(?\d{1,2}[.)](?!\d)|[a-z][.)])?\s*")
_LABEL = re.compile(r"([A-Za-z][A-Za-z0-9/&' ()+-]{0,48}?)\s*(?::|\s-\s)(?!\d)\s*")
_UNKNOWN_HEADING = re.compile(
    r"[A-Z][A-Z&/-]*(?: [A-Z&/-]+){1,4}:?|[A-Z][a-z]+(?: [A-Za-z]+){1,4}:"
)
_PROBLEM_LISTS = (Section.ASSESSMENT, Section.PLAN)
"""Where a line that looks like a heading is as likely a problem that is dealt with below it."""
_AFTER_LISTS = (Section.PLAN, Section.INSTRUCTIONS, Section.ASSESSMENT)

_STOP = re.compile(
    r"[.!?][)\]\"'”’]*(?=\s+[\"'“(\[+–-]*\s?[A-Z0-9+–-]|\s*$)|;(?=\s)"
    r"|(?<=: no)\.(?=\s)|(?<=: yes)\.(?=\s)"
    r"|(?<=\s[-–]\s)no(?=\s+(?:He|She|His|Her|They|The|There|It|We|Pt|Patient|Mr|Mrs|Ms|No|Not"
    r"|Neither|Without|Denies|Known|Also|If)\b)"
)
"""Where a sentence ends, with its stop or without it, as in `Fall - no She is well.`"""
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:dr|mr|mrs|ms|st|vs|e\.g|i\.e|approx|dept|prof|jr|sr|pt|hx|y\.o|b\.i\.d|t\.i\.d"
    r"|q\.d|p\.o|p\.r\.n|[A-Z])$",
    re.IGNORECASE,
)

_NUMBER = re.compile(r"(?:^|\s)no$", re.IGNORECASE)


def units(text: str) -> list[Unit]:
    r"""The units of a note, in order, without overlaps; headings that say no more are left out.

    >>> note = "Past Medical History: asthma. Gout.\nALLERGIES\n- penicillin\n"
    >>> [(note[u.start:u.end], u.section.value) for u in units(note)]
    [('asthma.', 'history'), ('Gout.', 'history'), ('penicillin', 'allergies')]
    """
    found: list[Unit] = []
    section, heading = Section.OTHER, ""
    for number, match in enumerate(_LINE.finditer(text)):
        start, end = _trimmed(text, match.start(), match.end())
        if start == end:
            continue
        opened = section_of(text[start:end])
        if opened is not None and _may_head(text, match.start(), start, end):
            section, heading = opened, text[start:end].strip(" :")
            continue
        if section not in _PROBLEM_LISTS and _UNKNOWN_HEADING.fullmatch(text, start, end):
            section, heading = Section.OTHER, text[start:end].strip(" :")
            continue
        label, start, inline = _label(text, start, end)
        if inline is not None and (section not in _PROBLEM_LISTS or inline in _AFTER_LISTS):
            section, heading = inline, label
        first = True
        for low, high in sentence_spans(text, start, end):
            found.append(Unit(low, high, section, heading, label, first, number))
            first = False
    return found


def _may_head(text: str, line: int, start: int, end: int) -> bool:
    """Whether a line may be a heading: an item of a list is none, unless it is set as one."""
    bullet = text[line:start].strip()
    return not bullet or "#" in bullet or text[end - 1] == ":" or text[start:end].isupper()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The line without bullets, numbers and white space at its edges."""
    bullet = _BULLET.match(text, start, end)
    start = bullet.end() if bullet else start
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _label(text: str, start: int, end: int) -> tuple[str, int, Section | None]:
    """A label at the head of a line, where its content begins, and the section that it opens.

    Labels that name an organ system, and unknown ones, leave the section as it is. A label with
    nothing after it is content itself: `Hypertension:` may be an item of a problem list.
    """
    match = _LABEL.match(text, start, end)
    if match is None or match.end() >= end:
        return "", start, None
    opened = section_of(match[1])
    if opened is None and not _is_plain_label(match[1]):
        return "", start, None
    return match[1], match.end(), opened


_PLAIN = re.compile(
    r"(?:constitutional|general(?: examination| appearance)?|respiratory|resp|pulm(?:onary)?|lungs?"
    r"|cardiovascular|cardiac|cardio|cv|cvs|heart|gastrointestinal|gi|gi/gu|abd(?:omen)?|abdominal"
    r"|genitourinary|gu|musculoskeletal|msk|extremities|ext|neuro(?:logic(?:al)?)?|psych(?:iatric)?"
    r"|skin|integumentary|derm|heent|head|eyes?|ears?|nose|throat|ent|neck|back|chest|endo(?:crine)?"
    r"|heme?(?:atologic)?(?:/lymph(?:atic)?)?|lymph(?:atics?)?|renal|id|vascular|gen|mental status"
    r"|medical reasoning|medical treatment|additional testing|specialist referrals?|palpation|rom"
    r"|auscultation of (?:lungs|heart)|examination(?: of the [\w ]+)?|inspection|strength|sensation"
    r"|brother|sister|mother|father|siblings?|sibling|maternal|paternal|denies|reports|positive"
    r"|negative|gait)",
    re.IGNORECASE,
)


def _is_plain_label(label: str) -> bool:
    return _PLAIN.fullmatch(label.strip()) is not None


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences of a line, as spans without white space at their edges."""
    low = start
    for match in _STOP.finditer(text, start, end):
        before = text[max(low, match.start() - 8) : match.start()]
        if match[0][0] == "." and (_ABBREVIATED.search(before) or _numbered(before, text, match)):
            continue
        yield low, match.end()
        low = match.end()
        while low < end and text[low].isspace():
            low += 1
    if low < end:
        yield low, end


def _numbered(before: str, text: str, stop: re.Match[str]) -> bool:
    """Whether a stop ends the `no.` of a number, and not a sentence: `Bed no. 5`."""
    following = text[stop.end() :].lstrip()
    return _NUMBER.search(before) is not None and following[:1].isdigit()
