"""Scores by rule for the kinds of concept that no training corpus marks: anatomy, procedures, ...

A name of several words is taken at its word. A single word must be long enough, in the case in
which the vocabulary writes it, and not so common in the training texts that it says nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.candidates import Candidates
from ontologies.hashing import path_hash, text_hash
from ontologies.lexicon import KINDS
from ontologies.name_forms import ADJECTIVE, NOTES, OPEN, WORD
from ontologies.normalize import TOKEN, normal_form

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

SEVERAL_WORDS: Final = 0.85
ONE_WORD: Final = 0.7
COMMON: Final = 30
"""A name met this often in the training texts (about one text in fifty) is common."""

_GENERIC: Final = """
patient, human, man, men, woman, women, male, female, child, children, adult, infant, person,
people, population, group, control, control group, family, mother, father, parent, subject,
volunteer, participant, animal, study, result, time, treatment, therapy, cell, body, analysis,
method, test, score, role, aged, age, sex, gender, birth, life, growth, care, diagnosis, prognosis,
incidence, risk, rate, dose, follow up, case, tissue, blood, serum, oral, orally, minor, fasting,
maintenance, university, intention, feature, domain, region, after treatment, physician, elderly,
investigator, researcher, randomization, randomisation, random allocation, confidence interval,
odds ratio, risk factor, prospective study, retrospective study, crossover study, cross over study,
crossover trial, double blind study, double blind method, healthy volunteer, healthy subject,
outpatient, inpatient, hospitalization, compliance, drug therapy, drug, disease, syndrome, secretion
"""
_GENERIC_KEYS: Final = np.array(
    sorted(
        path_hash([text_hash(normal_form(token)) for token in TOKEN.findall(name)])
        for name in _GENERIC.split(",")
    ),
    dtype=np.uint64,
)
_SPECIFIC: Final = [KINDS.index(kind) for kind in ("ANAT", "LIVB")]
_STATED: Final = np.uint32(0b11)


def is_shorthand(found: Candidates) -> Bool:
    """Which names are of clinical notes alone: no article of the training corpora holds them."""
    shorthand: Bool = (found.flags & np.uint32(NOTES | OPEN)) == NOTES
    return shorthand


def cautious_scores(found: Candidates, seen: F32, lower: Bool) -> F64:
    """A score for each candidate; `seen` is how often its name occurs in the training texts.

    `lower` is whether a candidate is written without any capital.
    """
    several = found.count > 1
    score = np.where(several, SEVERAL_WORDS, ONE_WORD)
    symbol = ((found.flags & np.uint32(WORD)) == 0) & lower
    short = ~several & (found.end - found.start < 4) & ~is_shorthand(found)
    common = ~several & (seen >= COMMON) & ~np.isin(found.kind, _SPECIFIC)
    generic = np.isin(found.key, _GENERIC_KEYS)
    score[symbol | short | common | generic] = 0.0
    score[(found.flags & _STATED) == 0] *= 0.6
    score[(found.flags & np.uint32(ADJECTIVE)) > 0] *= 0.5
    spread: F64 = np.maximum(1.0, np.log2(np.maximum(found.ambiguity, 1)))
    return score / spread
