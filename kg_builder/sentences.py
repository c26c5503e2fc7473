"""Sentences of an article, as spans of its text.

A splitter for the English of abstracts: it reads only the places where a full stop, question
mark or exclamation mark is followed by white space, so that its cost is some microseconds an
abstract. Every character that is not white space lies in exactly one sentence.
"""

from __future__ import annotations

import re

from kg_builder.model import Article


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_END = re.compile(r"[.!?][)\]\"'”’»]*(\s+)")

_NEVER_LAST = _words(
    "e.g eg i.e vs v.s cf fig figs ref refs eq eqs approx ca resp viz dr prof mr mrs ms st sr jr"
    " al vol pp sp spp ssp subsp var cv no nos nr tab sect chap ed eds dept univ incl max min"
    " calc conc dept dist esp temp wt ave avg adj assoc inst lab std syn"
)
"""Words that a full stop abbreviates, and that hardly ever end a sentence."""

_NEEDS_NUMBER = _words(
    "no nos nr fig figs ref refs eq eqs tab max min var ed ms lab ca temp std cv"
)
"""Those of them that are also words or units: an abbreviation only where a number follows."""

_LETTERED = _words(
    "vitamin hepatitis type group groups factor grade class stage arm phase category coenzyme"
    " protein immunoglobulin amphotericin cyclosporin cyclosporine polymyxin botulinum toxin"
    " subtype genotype haemophilia hemophilia troponin influenza virus cytochrome child-pugh"
    " ig region part cohort set"
)
"""Words that a single capital follows as a name, not as an initial: `vitamin C. We ...`."""

_STARTERS = _words(
    "The We In This These It A An At On For To After All Although As Both But By During Each"
    " From Furthermore However Moreover No Our Patients Results She He There Thus They Those"
    " Two Three When While With Treatment Since If Only One Such That Data Here Because"
)
"""Words that begin a sentence and are no surnames."""

_LOWER_START = re.compile(
    r"(?:[a-z]{1,3}[A-Z0-9]|(?:alpha|beta|gamma|delta|trans|cis|tert)-|n-|p-)"
)
"""A first word that is written small: `mRNA`, `p53`, `alpha-Methyldopa`."""

_FIRST_WORD = re.compile(r"[\"'“‘(\[]*([^\W_][\w-]*)")
_LONGEST = max(map(len, _NEVER_LAST))
_BRACKET_REACH = 400


def sentence_spans(article: Article) -> list[tuple[int, int]]:
    """Sentences of title and sections as spans of `article.text`; none crosses a section."""
    text = article.text
    spans: list[tuple[int, int]] = []
    for _, start, end in article.section_spans():
        spans += split_sentences(text, start, end)
    return spans


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Sentences of `text[start:end]` as spans of `text`, without white space at their edges.

    White space, a line break too, is only white space here: sections are split before.

    >>> split_sentences("Dr. A. Roe saw it (Fig. 2). P was < .05. Why?")
    [(0, 27), (28, 40), (41, 45)]
    """
    end = len(text) if end is None else end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    spans = []
    for match in _END.finditer(text, start, end):
        following = match.end()
        if following < end and _breaks(text, start, match.start(), following, end):
            spans.append((start, match.start(1)))
            start = following
    if start < end:
        spans.append((start, end))
    return spans


def _breaks(text: str, start: int, stop: int, following: int, end: int) -> bool:
    """Whether the mark at `stop` ends the sentence begun at `start`; `following` comes next."""
    first = text[following]
    if not first.isupper() and not _can_begin(text, following, end):
        return False
    if text[stop] == "." and _abbreviates(text, start, stop, following):
        return False
    return not _in_bracket(text, start, stop, end)


def _can_begin(text: str, following: int, end: int) -> bool:
    """Whether a sentence can begin here: not with a small letter or a mark within a sentence."""
    first = text[following]
    if first.isupper() or first.isdigit():
        return True
    if first.islower():
        return _LOWER_START.match(text, following, end) is not None
    if first in "\"'“‘([":
        inner = _FIRST_WORD.match(text, following, end)
        return inner is None or not inner[1][0].islower()
    return first not in ",;:)]}%"


def _abbreviates(text: str, start: int, stop: int, following: int) -> bool:
    """Whether the full stop at `stop` belongs to the word before it."""
    word = text[max(start, text.rfind(" ", start, stop) + 1) : stop].lstrip("([/,;")
    if not word or len(word) > _LONGEST:
        return False
    folded = word.lower().rstrip(".")
    if folded in _NEVER_LAST:
        return folded not in _NEEDS_NUMBER or text[following].isdigit()
    if len(word) == 1 and word.isupper():
        return _is_initial(text, start, stop, following)
    return False


def _is_initial(text: str, start: int, stop: int, following: int) -> bool:
    """Whether the single capital before `stop` is the initial of a name."""
    following_word = _FIRST_WORD.match(text, following)
    if (
        following_word is None
        or following_word[1] in _STARTERS
        or not following_word[1][0].isalpha()
    ):
        return False
    before = text[max(start, stop - 26) : stop - 1].split()
    return not before or before[-1].lower() not in _LETTERED


def _in_bracket(text: str, start: int, stop: int, end: int) -> bool:
    """Whether `stop` stands in a bracket that was opened in this sentence and is closed soon.

    A bracket that is never closed is an error of the text and holds nothing together.
    """
    for opening, closing in ("()", "[]"):
        if text.find(opening, start, stop) < 0:
            continue
        opened = text.count(opening, start, stop)
        if opened > text.count(closing, start, stop + 2):
            reach = min(end, stop + _BRACKET_REACH)
            first_close = text.find(closing, stop + 1, reach)
            first_open = text.find(opening, stop + 1, reach)
            if first_close >= 0 and not 0 <= first_open < first_close:
                return True
    return False
