"""From codes, drug names and abnormal values to concepts of a vocabulary."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ontologies.concept import Vocabulary
from predictor.comorbidity import written

CODE_PREFIXES: Final = ("ICD9CM:", "ICD10CM:", "ICD9PCS:", "ICD10PCS:", "ICD10:", "ICD9:")
STEPS: Final = 4
"""How many parents up a code is followed to a concept that the literature names."""

CATEGORY_SHARE: Final = 0.8
"""What each step up leaves of a seed's weight: a category is less than its member."""

DRUG_TYPES: Final = frozenset({
    "T109", "T110", "T114", "T115", "T116", "T118", "T119", "T121", "T122", "T123", "T125", "T126",
    "T127", "T129", "T130", "T131", "T192", "T195", "T196", "T197", "T200",
})  # fmt: skip
"""Semantic types (TUIs) of chemicals and drugs."""

_FORMS: Final = frozenset({
    "iv", "po", "xl", "xr", "er", "sr", "ec", "dr", "cr", "hcl", "sodium", "sulfate",
    "succinate", "tartrate", "acetate", "citrate", "fumarate", "phosphate", "tab", "tablet",
    "tablets", "capsule", "capsules", "cap", "inj", "injection", "solution", "soln", "oral",
    "suspension", "neb", "nebulizer", "inhaler", "patch", "flush", "drip", "infusion",
    "powder", "liquid", "elixir", "desensitization", "replacement", "human", "regular",
    "ointment", "cream", "gel", "drops", "ophth", "syringe", "vial", "premix", "extended",
    "release", "immediate", "besylate", "maleate", "mesylate", "bromide", "potassium",
})  # fmt: skip
"""Words of a drug order that are no part of the drug's name; salts among them."""


_QUALIFIERS: Final = re.compile(
    r"^(?:other and unspecified|other secondary|other specified|other|unspecified)\s+|"
    r",?\s*(?:unspecified|not elsewhere classified|nec|nos)$",
    re.IGNORECASE,
)


class ConceptNames:
    """Concepts of one vocabulary, found as records name them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.of_code = lru_cache(maxsize=None)(self._of_code)
        self.of_drug = lru_cache(maxsize=None)(self._of_drug)
        self.of_name = lru_cache(maxsize=None)(self._of_name)

    def _of_code(self, code: str, system: str) -> tuple[tuple[str, float], ...]:
        """Concepts of the literature that a code means, with the share of weight; none: `()`.

        A code that only a table of codes names is looked up by what its title says, and else
        followed up to its nearest categories that other vocabularies name too; where there is
        none it stands for itself.
        """
        concept, share = self._resolved(written(code, system), system)
        if concept is None:
            return ()
        level = [concept]
        titled = self._titled(concept)
        if concept.startswith(CODE_PREFIXES) and titled:
            return tuple((one, share) for one in titled)
        for _ in range(STEPS + 1):
            named = [one for one in level if not one.startswith(CODE_PREFIXES)]
            if named:
                return tuple((one, share) for one in sorted(set(named)))
            level = [up for one in level for up in self._vocabulary[one].parents]
            share *= CATEGORY_SHARE
        return ((concept, 1.0),)

    def _titled(self, concept: str) -> tuple[str, ...]:
        """Concepts by a code's title without its qualifiers (`Unspecified atrial fibrillation`)."""
        title = _QUALIFIERS.sub("", self._vocabulary[concept].name).strip()
        found = (self.of_name(part.strip()) for part in (title, *title.split(" and ")))
        named = (one for one in found if one is not None and not one.startswith(CODE_PREFIXES))
        return tuple(sorted(set(named)))

    def _resolved(self, code: str, system: str) -> tuple[str | None, float]:
        """The concept of a code, or of its beginning where the vocabulary has no such detail."""
        plain = code.replace(".", "")
        for given_up in range(max(1, len(plain) - 2)):
            concept = self._vocabulary.resolve(f"{system}:{plain[: len(plain) - given_up]}")
            if concept is not None:
                return concept, CATEGORY_SHARE**given_up
        return None, 0.0

    def _of_drug(self, drug: str) -> str | None:
        """The concept of a drug as it was ordered (`Metoprolol Succinate XL`), or `None`.

        Tried are the name, what stands in brackets, and the name without doses, forms and salts,
        its last words given up one by one. Only chemicals and drugs count.
        """
        return next(
            (one for text in _drug_names(drug) if (one := self._chosen(text, drugs=True))), None
        )

    def _of_name(self, name: str) -> str | None:
        """The concept that a name means best: whose preferred name it is, else with a CUI."""
        return self._chosen(name, drugs=False)

    def _chosen(self, name: str, *, drugs: bool) -> str | None:
        found = [
            one
            for one in self._vocabulary.find(name)
            if not drugs or DRUG_TYPES.intersection(self._vocabulary.semantic_types_of(one))
        ]
        preferred = [
            one for one in found if self._vocabulary[one].name.casefold() == name.casefold()
        ]
        ranked = sorted(preferred or found, key=lambda one: (not one.startswith("UMLS:"), one))
        return ranked[0] if ranked else None


def _drug_names(drug: str) -> list[str]:
    text = " ".join(drug.split())
    bare = re.sub(r"\(.*?\)", " ", text)
    inside = [word.strip() for word in re.findall(r"\((.*?)\)", text)]
    words = re.sub(r"[^\w\s-]|\b\d+(?:\.\d+)?\s*(?:mg|g|mcg|ml|units?|meq)?\b", " ", bare).split()
    kept = [word for word in words if not re.search(r"\d", word)]
    plain = [word for word in kept if word.casefold() not in _FORMS]
    starts = [" ".join(part[:n]) for part in (kept, plain) for n in range(len(part), 0, -1)]
    joined = [word for part in plain if "-" in part for word in part.split("-")]
    names = [text, " ".join(bare.split()), *starts, *inside, *joined]
    return list(dict.fromkeys(name for name in names if len(name) > 2))
