"""An author at work: fills frames with the patient's facts and with what other notes would say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from predictor.synthetic.draft import Draft
from predictor.synthetic.frames import Blank, Frame, Slot, frames
from predictor.synthetic.phrases import (
    KIND_OF_CLASS,
    Phrase,
    Pool,
    concept_of,
    names_by_concept,
    pools,
    read_groups,
)
from predictor.synthetic.styles import Style

_CLAIMS: Final = ("present", "historical")
_MODIFIED: Final = frozenset("SG")
_DAILY: Final = 0.55
"""The share of names that come from the commonest."""
_STAGED: Final = 0.35
_PLURALS: Final = {"foot": "feet", "neck": "sides of the neck", "groin": "groins"}
_FELT: Final = frozenset({"pain", "numbness", "weakness", "tingling", "cramping", "discomfort"})
_ARTICLES: Final = ("a ", "an ", "the ")


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value as a note may state it: the test's names, concept, value and unit."""

    names: tuple[str, ...]
    concept: str | None
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who a note is about. `male` decides the pronouns."""

    first: str
    last: str
    age: int
    male: bool


@dataclass(frozen=True, slots=True)
class Repertoire:
    """What an author may mention without it being asked for.

    `calm` maps a class of slot to phrases that change no risk: the only ones that are claimed of
    the patient (present, historical) by chance. `free` maps it to all phrases.
    """

    calm: Mapping[str, Pool]
    free: Mapping[str, Pool]


def repertoire(loud: frozenset[str]) -> Repertoire:
    """The phrases to draw from, those of `loud` concepts kept out of chance claims."""

    def quiet(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
        return tuple(phrase for phrase in phrases if phrase.concept not in loud)

    return Repertoire(
        {
            letter: Pool(quiet(pool.plain), quiet(pool.short), quiet(pool.daily))
            for letter, pool in pools().items()
        },
        pools(),
    )


@cache
def fillers() -> Mapping[str, tuple[str, ...]]:
    """Blanks that chance fills, by name."""
    return read_groups("fillers.txt")


@cache
def own_frames(style: str, group: str) -> tuple[Frame, ...]:
    """The frames that a style uses: about three in four of a group, the same in every run."""
    rng = Random(f"{style}/{group}")
    kept = tuple(frame for frame in frames()[group] if rng.random() < 0.75)
    return kept if len(kept) > 3 else frames()[group]


class Author:
    """Writes sentences into a draft. Chance comes from `rng` alone."""

    def __init__(
        self, style: Style, person: Person, readings: Sequence[Reading], words: Repertoire,
        rng: Random,
    ) -> None:  # fmt: skip
        self.style = style
        self.person = person
        self.readings = list(readings)
        self.words = words
        self.rng = rng
        self.random = rng.random
        self.draft = Draft()
        self.pronouns = ("he", "his", "him", "man", "male") if person.male else (
            "she", "her", "her", "woman", "female")  # fmt: skip
        self.title = f"{'Mr.' if person.male else 'Ms.'} {person.last}"

    def pick(self, options: Sequence[str]) -> str:
        return options[int(self.random() * len(options))]

    def frame(self, group: str, *asked: Phrase) -> None:
        """Write one sentence of a group; `asked` fill its first slots of a fitting class."""
        own = own_frames(self.style.name, group)
        self.write(own[int(self.random() * len(own))], *asked)

    def write(self, frame: Frame, *asked: Phrase) -> None:
        """Write a frame, its first letter large unless the style cares little."""
        large = not self.style.telegraphic or self.random() < 0.6
        waiting = list(asked)
        for piece in frame:
            if isinstance(piece, str):
                self.draft.add(piece[0].upper() + piece[1:] if large else piece)
            elif isinstance(piece, Blank):
                known = _BLANKS.get(piece.name)
                text = known(self) if known else self.pick(fillers()[piece.name])
                if piece.name == "num":
                    self.draft.give_value(text)
                self.draft.add(text[0].upper() + text[1:] if large else text)
            else:
                self._fill(piece, waiting, large)
            large = False

    def name(self, concept: str) -> Phrase:
        """One of a concept's names, in this author's manner."""
        names = names_by_concept()[concept]
        if names.short and self.random() < max(self.style.brief, 0.05):
            return Phrase(self.pick(names.short), names.kind, concept)
        plain = names.plain[0] if self.random() < 0.6 else self.pick(names.plain)
        return Phrase(plain, names.kind, concept)

    def mark(self, phrase: Phrase, status: str, large: bool = False) -> None:
        """Write a phrase as a finding, its article outside of it."""
        text = phrase.text
        for article in _ARTICLES:
            if text.startswith(article):
                self.draft.add(article.capitalize() if large else article)
                text, large = text[len(article) :], False
        if self.style.typos and self.random() < self.style.typos * 2:
            text = misspelt(text, self.rng)
        if large:
            text = text[0].upper() + text[1:]
        self.draft.mark(text, phrase.kind, status, phrase.concept)

    def reading(self, status: str = "present", large: bool = False) -> None:
        """Write a test with its value and unit."""
        got = self.readings[int(self.random() * len(self.readings))]
        name = self.pick(got.names)
        self.value(
            Reading((name[0].upper() + name[1:] if large else name,), got.concept, got.value,
                    got.unit), status
        )  # fmt: skip

    def value(self, got: Reading, status: str = "present", link: str | None = None) -> None:
        """Write one reading; the finding is the test's name, value and unit stand beside it."""
        chosen = link or self.pick((" ", ": ", " of ", " was ", " ", "=", " "))
        unit = got.unit if chosen not in ("=",) and self.random() < 0.5 else ""
        self.draft.mark(self.pick(got.names), "test", status, got.concept, got.value, unit)
        gap = "" if unit == "%" else " "
        self.draft.add(f"{chosen}{got.value}{gap + unit if unit else ''}")

    def phrase(self, letter: str, status: str) -> Phrase:
        """What chance puts into a slot."""
        if letter in "DA" and self.random() < _STAGED * self.style.modifiers:
            return self._staged(self._plain(letter, status))
        if letter in _MODIFIED or (letter == "P" and self.random() < 0.2):
            chance = self.random()
            if chance < self.style.modifiers * 0.4:
                return self._local_complaint()
            if chance < self.style.modifiers:
                return self._with_severity(self._plain(letter, status))
        return self._plain(letter, status)

    def _plain(self, letter: str, status: str) -> Phrase:
        pool = (self.words.calm if status in _CLAIMS else self.words.free)[letter]
        if pool.short and self.random() < self.style.brief * 0.7:
            chosen = pool.short
        elif not pool.plain or (pool.daily and self.random() < _DAILY):
            chosen = pool.daily
        else:
            chosen = pool.plain
        return chosen[int(self.random() * len(chosen))]

    def _local_complaint(self) -> Phrase:
        words = fillers()
        complaint, where = self.pick(words["complaint"]), self._where()
        if self.random() < 0.35:
            text = self._behind(complaint, where)
        else:
            text = f"{where} {complaint}"
        if self.random() < 0.4:
            text = f"{self.pick(words['severity'])} {text}"
        return Phrase(text, "problem", _site_concept(text))

    def _where(self) -> str:
        words = fillers()
        site = self.pick(words["site"])
        return site if self.random() < 0.25 else f"{self.pick(words['side'])} {site}"

    def _behind(self, complaint: str, where: str) -> str:
        """A complaint with its site behind it: `numbness in both hands`."""
        link = "in" if complaint in _FELT else "of"
        if where.startswith("bilateral "):
            site = where.removeprefix("bilateral ")
            return f"{complaint} {link} both {_PLURALS.get(site, site + 's')}"
        return f"{complaint} {link} the {where}"

    def _placed(self, slot: Slot) -> Phrase:
        """A local sign or picture of it, its site behind it."""
        words = fillers()
        kind = KIND_OF_CLASS[slot.letter]
        if kind == "test":
            text = f"{self.pick(words['picture'])} of the {self._where()}"
        else:
            text = self._behind(self.pick(words["localsign"]), self._where())
        return Phrase(text, kind, _site_concept(text))

    def _staged(self, phrase: Phrase) -> Phrase:
        """A disease with a word of its stage or course before it."""
        if phrase.text.startswith(_ARTICLES) or phrase.text.split()[0] in fillers()["stage"]:
            return phrase
        return Phrase(f"{self.pick(fillers()['stage'])} {phrase.text}", phrase.kind, phrase.concept)

    def _with_severity(self, phrase: Phrase) -> Phrase:
        if phrase.text.split()[0] in fillers()["severity"] or phrase.text.startswith(_ARTICLES):
            return phrase
        word = self.pick(fillers()["severity"])
        return Phrase(f"{word} {phrase.text}", phrase.kind, phrase.concept)

    def _fill(self, slot: Slot, waiting: list[Phrase], large: bool) -> None:
        if slot.text:
            text = slot.text[0].upper() + slot.text[1:] if large else slot.text
            self.draft.mark(text, KIND_OF_CLASS[slot.letter], slot.status, _site_concept(slot.text))
        elif slot.valued:
            self.reading(slot.status, large)
        elif slot.many:
            self._list(slot, waiting, large)
        else:
            chosen = self._placed(slot) if slot.placed else self._next(slot, waiting)
            self.mark(chosen, slot.status, large)

    def _next(self, slot: Slot, waiting: list[Phrase]) -> Phrase:
        if waiting and waiting[0].kind == KIND_OF_CLASS[slot.letter]:
            return waiting.pop(0)
        return self.phrase(slot.letter, slot.status)

    def _list(self, slot: Slot, waiting: list[Phrase], large: bool) -> None:
        size = 2 + int(self.random() * (4 if slot.status == "absent" else 2.5))
        size = max(size, len(waiting))
        last = self._conjunction(slot.status)
        for number in range(size):
            if number:
                self.draft.add(last if number == size - 1 else ", ")
            self.mark(self._next(slot, waiting), slot.status, large and not number)

    def _conjunction(self, status: str) -> str:
        if self.style.telegraphic:
            return self.pick((", ", "/", " or " if status == "absent" else " and "))
        word = "or" if status == "absent" else "and"
        return self.pick((f" {word} ", f", {word} ", ", and "))


def misspelt(text: str, rng: Random) -> str:
    """A slip of the pen: two neighbouring inner letters of a long word change places."""
    words = text.split(" ")
    long = [number for number, word in enumerate(words) if len(word) > 6 and word.isalpha()]
    if not long:
        return text
    at = long[int(rng.random() * len(long))]
    word = words[at]
    cut = 2 + int(rng.random() * (len(word) - 4))
    words[at] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)


@cache
def _site_concept(text: str) -> str | None:
    return concept_of(text)


def _subject(author: Author) -> str:
    """The patient at the head of a sentence."""
    he = author.pronouns[0]
    if author.style.telegraphic:
        return author.pick(("pt", "Pt", he, "patient"))
    return author.pick((he, he, he, "the patient", author.title))


_BLANKS: Final[Mapping[str, Callable[[Author], str]]] = {
    "he": lambda author: author.pronouns[0],
    "He": _subject,
    "his": lambda author: author.pronouns[1],
    "His": lambda author: author.pronouns[1],
    "him": lambda author: author.pronouns[2],
    "Pt": lambda author: author.pick(("the patient", author.title)),
    "name": lambda author: author.pick(
        (author.title, f"{author.person.first} {author.person.last}")
    ),
    "lastname": lambda author: author.person.last,
    "firstname": lambda author: author.person.first,
    "age": lambda author: str(author.person.age),
    "sex": lambda author: author.pick(author.pronouns[3:]),
    "sexletter": lambda author: "M" if author.person.male else "F",
    "n": lambda author: str(2 + int(author.random() * 6)),
    "num": lambda author: f"{author.random() * 100:.{int(author.random() * 2)}f}",
    "year": lambda author: str(1985 + int(author.random() * 35)),
    "relage": lambda author: str(45 + int(author.random() * 45)),
    "Rel": lambda author: author.pick(fillers()["rel"]),
}
"""Blanks that are not simply one of `words/fillers.txt`."""
