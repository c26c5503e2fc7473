"""When a name means its concept: the learned model that scores candidates.

Two layers. *Evidence*: for hashed keys (a name with a concept, a neighbour, an ending) the log odds
with which candidates under that key were right in the training corpora, and how many there were.
*Trees*: boosted trees over that evidence and the candidates' form, trained on evidence counted in
other articles than the candidate's own. Trees are evaluated by bit masks (QuickScorer, Lucchese et
al., SIGIR 2015): of each feature's value follows which leaves remain in every tree; what remains
after all features is the leaf. No library but numpy is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.features import KEYS, Features
from ontologies.hashing import U64, HashTable, extend_hash
from ontologies.kernels import compiled, tree_rows, tree_sums
from ontologies.lexicon import JUDGED, KINDS, U8

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]

PRIOR: Final = 0.15
STRENGTH: Final = 2.0
LEAVES: Final = 16
MAX_COUNT: Final = 30.0
"""Evidence is the log odds of right candidates with `STRENGTH` made-up ones at the rate `PRIOR`."""

GROUPS: Final = (("DISO",), tuple(kind for kind in JUDGED if kind != "DISO"))
"""Kinds of concept that are judged by trees of their own."""

_BLOCK: Final = 512

_LOWEST_BIT: Final = np.array(
    [(v & -v).bit_length() - 1 if v else 0 for v in range(1 << LEAVES)], dtype=np.uint8
)


class WeightsError(ValueError):
    """Weights that do not fit this version of the code; names the file and the remedy."""


def of_kinds(kind: U8, kinds: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which candidates are of some kinds, by name."""
    return np.isin(kind, [KINDS.index(name) for name in kinds])


def log_odds(right: F64, wrong: F64) -> F32:
    """Smoothed log odds of being right."""
    return np.log((right + STRENGTH * PRIOR) / (wrong + STRENGTH * (1 - PRIOR))).astype(np.float32)


def family_keys(keys: U64, family: int) -> U64:
    """Keys of one family (place in `KEYS`) made different from those of the others."""
    salted = extend_hash(keys, np.full(len(keys), family + 1, dtype=np.uint64))
    return np.where(salted == 0, np.uint64(1), salted)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Log odds and numbers of candidates by salted key."""

    table: HashTable
    odds: F32
    count: F32

    @classmethod
    def of_counts(cls, keys: U64, right: F64, wrong: F64) -> Evidence:
        """From sorted distinct keys and how many candidates were right and wrong."""
        count = np.minimum(right + wrong, MAX_COUNT).astype(np.float32)
        table = HashTable.build(keys, np.arange(len(keys), dtype=np.int32))
        unknown = log_odds(np.zeros(1), np.zeros(1))
        return cls(
            table,
            np.concatenate([log_odds(right, wrong), unknown]),
            np.concatenate([count, np.zeros(1, dtype=np.float32)]),
        )

    def columns(self, features: Features, families: Sequence[int]) -> dict[str, F32]:
        """Log odds and counts of some families, by name; where nothing is known, those of none."""
        salted = [family_keys(features.keys[family], family) for family in families]
        size = len(salted[0]) if salted else 0
        at = self.table.lookup(np.concatenate([*salted, np.zeros(0, dtype=np.uint64)]))
        at[at < 0] = len(self.odds) - 1
        odds, count = np.take(self.odds, at), np.take(self.count, at)
        columns = {}
        for place, family in enumerate(families):
            part = slice(place * size, (place + 1) * size)
            columns[f"odds: {KEYS[family]}"] = odds[part]
            columns[f"count: {KEYS[family]}"] = count[part]
        return columns


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Boosted trees as masks: `masks[offsets[f] + bin]` are the leaves that feature f leaves.

    `thresholds` holds those of each feature, sorted, from `starts[f]` to `starts[f + 1]`; a value's
    bin is the number of thresholds below it. `names` are the features, in order.
    """

    names: tuple[str, ...]
    thresholds: F64
    starts: npt.NDArray[np.int64]
    masks: U16
    leaves: F32

    def raw(self, columns: dict[str, npt.NDArray[np.generic]], size: int) -> F64:
        """The sum of the leaves of all trees for each candidate."""
        work = size * len(self.names)
        find, add = compiled(tree_rows, work), compiled(tree_sums, work)
        if find is not None and add is not None:
            values = np.array([columns[name] for name in self.names], dtype=np.float64)
            rows, out = np.empty((size, len(self.names)), dtype=np.int32), np.empty(size)
            find(values, self.thresholds, self.starts, rows)
            add(self.masks, rows, self.leaves, _LOWEST_BIT, out)
            return out
        tables = list(self._tables())
        bins = [
            np.searchsorted(limits, columns[name].astype(np.float64)) for name, limits, _ in tables
        ]
        masks = [mask for _, _, mask in tables]
        parts = [self._block(masks, bins, low, size) for low in range(0, size, _BLOCK)]
        return np.concatenate([np.zeros(0), *parts])

    def _tables(self) -> Iterator[tuple[str, F64, U16]]:
        """Of each feature its name, its thresholds, and the masks of its bins."""
        offset = 0
        for feature, name in enumerate(self.names):
            limits = self.thresholds[self.starts[feature] : self.starts[feature + 1]]
            yield name, limits, self.masks[offset : offset + len(limits) + 1]
            offset += len(limits) + 1

    def _block(
        self, masks: Sequence[U16], bins: Sequence[npt.NDArray[np.int64]], low: int, size: int
    ) -> F64:
        """The sums of the candidates from `low` on, of as many as stay in the processor's cache."""
        high, trees = min(low + _BLOCK, size), len(self.leaves)
        remaining = np.full((high - low, trees), (1 << LEAVES) - 1, dtype=np.uint16)
        left = np.empty_like(remaining)
        for mask, bin_ in zip(masks, bins, strict=True):
            np.take(mask, bin_[low:high], axis=0, out=left, mode="clip")
            remaining &= left
        leaf = np.take(_LOWEST_BIT, remaining) + np.arange(trees) * LEAVES
        total: F64 = np.take(self.leaves, leaf).sum(axis=1, dtype=np.float64)
        return total


def evidence_names() -> tuple[str, ...]:
    """The names of the columns that `Evidence.columns` gives."""
    return (*(f"odds: {key}" for key in KEYS), *(f"count: {key}" for key in KEYS))


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """Scores candidates: the probability that a name means its concept where it stands.

    `trees` are those of each of `GROUPS`, in order.
    """

    evidence: Evidence
    trees: tuple[Trees, ...]
    digest: str

    def met(self, keys: U64) -> tuple[F32, F32]:
        """Log odds of names whatever they may mean, and how often they were met in training."""
        at = self.evidence.table.lookup(family_keys(keys, KEYS.index("anywhere")))
        at = np.where(at < 0, len(self.evidence.odds) - 1, at)
        return self.evidence.odds[at], self.evidence.count[at]

    def wanted(self) -> frozenset[str]:
        """The columns and keys that the trees ask for."""
        names = (name for trees in self.trees for name in trees.names)
        return frozenset(name.rpartition(": ")[2] for name in names)

    def score(self, features: Features, kind: U8) -> F64:
        """Probabilities of candidates of these kinds, of which what is `wanted` is known."""
        asked = self.wanted()
        families = [family for family, key in enumerate(KEYS) if key in asked]
        columns = self.evidence.columns(features, families) | features.columns
        raw = np.zeros(len(kind))
        for kinds, trees in zip(GROUPS, self.trees, strict=True):
            at = np.flatnonzero(of_kinds(kind, kinds))
            raw[at] = trees.raw({name: columns[name][at] for name in trees.names}, len(at))
        return 1.0 / (1.0 + np.exp(-raw))

    def save(self, path: Path) -> None:
        names = {f"names {n}": np.array(trees.names) for n, trees in enumerate(self.trees)}
        np.savez_compressed(path, **_arrays(self.evidence, self.trees), **names)

    @classmethod
    def load(cls, path: Path) -> Precision:
        """Weights as `save` wrote them; `WeightsError` where they were made for other features."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        groups = range(len(GROUPS))
        leaves = [arrays.get(f"leaves {n}", np.zeros(0)) for n in groups]
        if int(arrays["families"]) != len(KEYS) or any(x.shape[1:] != (LEAVES,) for x in leaves):
            raise WeightsError(
                f"{path}: made for {int(arrays['families'])} families of evidence and expected "
                f"{len(KEYS)}, with trees for {len(GROUPS)} groups of kinds; train anew with "
                "`medweave linker train`"
            )
        table = HashTable(arrays["keys"], arrays["values"], int(arrays["slots"]))
        evidence = Evidence(table, arrays["odds"], arrays["count"])
        trees = tuple(
            Trees(tuple(arrays[f"names {n}"].tolist()), *(arrays[f"{part} {n}"] for part in _PARTS))
            for n in groups
        )
        return cls(evidence, trees, weights_digest(evidence, trees))


_PARTS: Final = ("thresholds", "starts", "masks", "leaves")


def _arrays(evidence: Evidence, trees: Sequence[Trees]) -> dict[str, npt.NDArray[np.generic]]:
    parts = {
        f"{part} {n}": getattr(of_group, part)
        for n, of_group in enumerate(trees)
        for part in _PARTS
    }
    return {
        "keys": evidence.table.keys,
        "values": evidence.table.values,
        "slots": np.array(evidence.table.slots),
        "odds": evidence.odds,
        "count": evidence.count,
        "families": np.array(len(KEYS)),
        **parts,
    }


def weights_digest(evidence: Evidence, trees: Sequence[Trees]) -> str:
    """SHA-256 over all weights: what a linker's version names."""
    names = "\0\0".join("\0".join(of_group.names) for of_group in trees)
    digest = hashlib.sha256(names.encode())
    for array in _arrays(evidence, trees).values():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
