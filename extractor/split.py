"""The one split of a task's patients: a test part, and patient-disjoint development folds.

Both stages read the same file. Whoever is in `test` enters no training of any stage; a development
patient's stage-1 output comes from the model that did not see their fold. So nothing that was
fitted on a patient's outcome can come back to them as a feature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FORMAT: Final = 1
TEST: Final = -1
"""What `Split.fold` gives for a patient of the test part."""


class SplitError(ValueError):
    """A split file that is damaged, of another task, or does not know a patient."""


@dataclass(frozen=True, slots=True)
class Split:
    """Which patients are for test and which belong to which development fold.

    `folds[i]` and `test` are disjoint, sorted tuples of subject ids (text, as in the source).
    """

    task: str
    seed: int
    test: tuple[str, ...]
    folds: tuple[tuple[str, ...], ...]
    digest: str = field(init=False)
    _fold: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fold: dict[str, int] = {}
        for number, subjects in enumerate((self.test, *self.folds)):
            for subject in subjects:
                if subject in fold:
                    raise SplitError(f"patient {subject} stands in two parts of the split")
                fold[subject] = number - 1
        if len(self.folds) < 2:
            raise SplitError(f"{len(self.folds)} development folds; expected 2 or more")
        object.__setattr__(self, "_fold", fold)
        object.__setattr__(self, "digest", _digest(self.test, self.folds))

    def fold(self, subject_id: str) -> int:
        """The patient's development fold from 0, or `TEST`; `SplitError` for a stranger."""
        try:
            return self._fold[subject_id]
        except KeyError:
            raise SplitError(
                f"patient {subject_id} is not in the split of {self.task}; make a split of the "
                "cohort that is used"
            ) from None

    def __contains__(self, subject_id: str) -> bool:
        return subject_id in self._fold

    def save(self, path: Path) -> None:
        """Write as JSON; the same split gives the same bytes."""
        value = {
            "format": FORMAT,
            "task": self.task,
            "seed": self.seed,
            "k": len(self.folds),
            "test": list(self.test),
            "folds": {str(number): list(fold) for number, fold in enumerate(self.folds)},
            "digest": self.digest,
        }
        path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Split:
        """The split of a file; `SplitError` names what is wrong with it."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            folds = value["folds"]
            split = cls(
                str(value["task"]),
                int(value["seed"]),
                tuple(str(subject) for subject in value["test"]),
                tuple(tuple(map(str, folds[str(number)])) for number in range(len(folds))),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SplitError(f"{path}: not a split file ({error!r})") from error
        if value.get("digest") != split.digest:
            raise SplitError(
                f"{path}: its patients are not those of its digest; it was edited: make it anew"
            )
        return split


def make_split(
    task: str,
    labels: Mapping[str, int],
    *,
    seed: int,
    k: int = 5,
    test_share: float = 0.2,
) -> Split:
    """A split of patients, the same for the same input whatever its order.

    `labels` gives 1 for a patient with any event and 0 for one without: both are spread evenly
    over all parts. Raises `SplitError` where a part would hold no patient with an event.
    """
    if not 0 < test_share < 1:
        raise SplitError(f"test share {test_share}; expected a number between 0 and 1")
    parts: list[list[str]] = [[] for _ in range(k + 1)]
    for label in (0, 1):
        subjects = _shuffled((s for s, value in labels.items() if value == label), seed)
        held = round(len(subjects) * test_share)
        parts[0] += subjects[:held]
        for fold in range(k):
            parts[fold + 1] += subjects[held + fold :: k]
        if label == 1 and (not held or len(subjects) - held < k):
            raise SplitError(
                f"{len(subjects)} patients with an event are too few for a test part and {k} folds"
            )
    return Split(task, seed, *_sorted(parts))


def _sorted(parts: list[list[str]]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return tuple(sorted(parts[0])), tuple(tuple(sorted(part)) for part in parts[1:])


def _shuffled(subjects: Iterable[str], seed: int) -> list[str]:
    """Subjects in the order of a salted hash: a patient's place depends on no other patient."""
    return sorted(subjects, key=lambda s: hashlib.sha256(f"{seed}/{s}".encode()).digest())


def _digest(test: tuple[str, ...], folds: tuple[tuple[str, ...], ...]) -> str:
    text = json.dumps([list(test), *map(list, folds)])
    return hashlib.sha256(text.encode()).hexdigest()
