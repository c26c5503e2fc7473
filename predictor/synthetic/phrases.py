"""What notes call things: phrases of problems, treatments and tests, with the concept each means.

The pools join the starter vocabulary (all its diseases, findings, drugs, procedures and
measurements, with synonyms and shorthand) and `words/phrases.txt`, which holds names that the
vocabulary lacks. Kinds follow the i2b2/VA 2010 definitions: problem, treatment, test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ontologies.concept import Concept
from ontologies.starter_vocabulary import starter_concepts

WORDS: Final = Path(__file__).with_name("words")
KIND_OF_CLASS: Final[Mapping[str, str]] = {
    "S": "problem", "D": "problem", "A": "problem", "P": "problem", "L": "problem", "G": "problem",
    "T": "treatment", "R": "treatment", "C": "treatment", "X": "test", "I": "test",
}  # fmt: skip
"""The kind of finding that each class of slot in `words/frames.txt` gives."""

_CLASS_OF_SECTION: Final = {
    "symptom": "S", "sign": "G", "disease": "D", "acute": "A", "lab": "L", "drug": "T",
    "operation": "R", "care": "C", "imaging": "I", "measure": "X",
}  # fmt: skip
_ACUTE = re.compile(
    r"acute|infection|sepsis|septic|shock|pneumonia|embol|thrombo(?!cyt)|infarct|hemorrhag|bleed|"
    r"fracture|injury|arrest|failure|itis\b|abscess|bacteremia|fungemia|overdose|poison|crisis|"
    r"stroke|obstruction|perforation|syncope|delirium|encephalopathy|status |ketoacidosis|"
    r"rupture|dissection|tamponade|pneumothorax|effusion|edema|ileus|acidosis|alkalosis|"
    r"hematoma|burn|concussion|laceration|contusion|influenza|COVID|withdrawal|anaphyla|ulcer"
)
_CHRONIC_AFTER_ALL = re.compile(
    r"chronic|heart failure|arthritis|hepatitis [BC]|diverticul|dermatitis|rhinitis|cystitis|"
    r"thyroiditis|glomerulonephritis|vasculitis|arteritis"
)
_ADJECTIVES: Final = frozenset({"bedridden", "bedbound", "febrile", "pregnant", "nosocomial"})
"""Names that are no noun phrases, and so no finding of a note by themselves."""
_LAB = re.compile(
    r"^(hypo|hyper|elevated|decreased|prolonged|low |leuko|thrombocyto|neutro|lympho|eosino|"
    r"proteinuria|albuminuria|pyuria|azotemia|bandemia|polycythemia|hemolysis)"
)
_SIGN = re.compile(
    r"edema|distension|murmur|crackles|wheez|jaundice|pallor|cyanosis|erythema|rash|petechiae|"
    r"megaly|asterixis|rigidity|atrophy|tremor|swelling|clubbing|ecchymosis|purpura|nystagmus|"
    r"ataxia|facial|stridor|cardia$|opacity|infiltrate|nodule|ST segment|T-wave|QRS|stiffness"
)
_DIAGNOSTIC = re.compile(
    r"graph|tomograph|imaging|scan|scopy|X-ray|cardiogram|biopsy|spirometry|electro|test|"
    r"monitoring|examination|oximetry|somnography|catheterization$|puncture|lavage$|autopsy"
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase as it stands in a note. `concept` is `None` where no vocabulary name fits."""

    text: str
    kind: str
    concept: str | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Phrases of one class: `plain` in words, `short` in shorthand, `daily` the commonest."""

    plain: tuple[Phrase, ...]
    short: tuple[Phrase, ...]
    daily: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """How notes may name one concept; the first of `plain` is its preferred name."""

    kind: str
    plain: tuple[str, ...]
    short: tuple[str, ...]


def read_groups(name: str) -> dict[str, tuple[str, ...]]:
    """The `[group]`s of a file of words, in order; lines that begin with `#` are remarks."""
    groups: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (WORDS / name).read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\[(\S+)\]", line):
            current = groups.setdefault(found[1], [])
        elif line and not line.startswith("# "):
            current.append(line)
    return {group: tuple(lines) for group, lines in groups.items()}


@cache
def concepts_by_table() -> Mapping[str, tuple[Concept, ...]]:
    """The starter's concepts that notes speak of, by table."""
    unsaid = set(read_groups("unsaid.txt")["unsaid"])
    tables = ("findings", "diseases", "drugs", "procedures", "measurements")
    return {
        table: tuple(c for c in starter_concepts(table) if c.name not in unsaid) for table in tables
    }


@cache
def names_by_concept() -> Mapping[str, Names]:
    """Concept id to the names that a note may use, kind included."""
    made = {}
    for table, concepts in concepts_by_table().items():
        for concept in concepts:
            kind = KIND_OF_CLASS[class_of(table, concept.name)]
            plain = [n.text for n in concept.names if not n.notes_only and _usable(n.text)]
            short = [n.text for n in concept.names if n.notes_only]
            made[concept.id] = Names(kind, tuple(plain or [concept.name]), tuple(short))
    return made


@cache
def concept_by_name() -> Mapping[str, str]:
    """Lower-case name to concept id, the first table wins."""
    named: dict[str, str] = {}
    for concepts in concepts_by_table().values():
        for concept in concepts:
            for name in concept.names:
                named.setdefault(name.text.lower(), concept.id)
    return named


def concept_of(text: str) -> str | None:
    """The concept of a phrase: of its whole, else of the longest name that it holds or ends in."""
    named = concept_by_name()
    words = text.lower().split()
    for size in range(len(words), 0, -1):
        for start in range(len(words) - size, -1, -1):
            part = " ".join(words[start : start + size])
            found = named.get(part) or named.get(part.removesuffix("s"))
            if found and (size > 1 or len(part) > 3):
                return found
    return None


def class_of(table: str, name: str) -> str:
    """The class of slot that a concept of the starter fills."""
    if table == "findings":
        return "L" if _LAB.search(name) else "G" if _SIGN.search(name) else "S"
    if table == "diseases":
        acute = _ACUTE.search(name) and not _CHRONIC_AFTER_ALL.search(name)
        return "A" if acute else "D"
    if table == "procedures":
        return "I" if _DIAGNOSTIC.search(name) else "R"
    return {"drugs": "T", "measurements": "X"}[table]


@cache
def pools() -> Mapping[str, Pool]:
    """Class of slot to its phrases; `P` is the union of the classes of problems."""
    plain: dict[str, list[Phrase]] = {letter: [] for letter in KIND_OF_CLASS}
    short: dict[str, list[Phrase]] = {letter: [] for letter in KIND_OF_CLASS}
    for table, concepts in concepts_by_table().items():
        for concept in concepts:
            letter = class_of(table, concept.name)
            names = names_by_concept()[concept.id]
            plain[letter] += _phrases(names.plain, letter, concept.id)
            short[letter] += _phrases(names.short, letter, concept.id)
    daily: dict[str, list[Phrase]] = {letter: [] for letter in KIND_OF_CLASS}
    for file in ("phrases.txt", "common.txt"):
        for section, lines in read_groups(file).items():
            letter = _CLASS_OF_SECTION[section]
            daily[letter] += [Phrase(t, KIND_OF_CLASS[letter], concept_of(t)) for t in lines]
    for letter in "SDAG":
        for group in (plain, short, daily):
            group["P"] += group[letter]
    return {
        letter: Pool(tuple(plain[letter]), tuple(short[letter]), tuple(daily[letter]))
        for letter in KIND_OF_CLASS
    }


def _phrases(names: Iterable[str], letter: str, concept: str) -> list[Phrase]:
    return [Phrase(name, KIND_OF_CLASS[letter], concept) for name in names]


def _usable(name: str) -> bool:
    return "," not in name and "(" not in name and len(name) < 45 and name not in _ADJECTIVES
