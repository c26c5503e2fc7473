"""Fits of a training that are complete, so that one that was interrupted goes on where it was.

They lie in the run's folder under a digest of all that they rest on (features, split, seed and
versions of libraries): a training on other data finds none. A finished training needs them no more.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from predictor.fuse import FoldFit
from predictor.model import Tuned, load_model, save_model
from predictor.study import Job

FOLDER: Final = "fits"


class KeptFits:
    """The fits of one training, each in a folder of its own that is renamed once it is whole."""

    def __init__(self, run: Path, rests_on: tuple[str, ...]) -> None:
        """`rests_on`: all that the fits of the training have in common."""
        self._all = run / FOLDER
        self._digest = hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()[:16]

    def find(self, job: Job, left_out: int) -> FoldFit | None:
        """A complete fit, `None` where there is none."""
        folder = self._folder(job, left_out)
        if not folder.exists():
            return None
        tried = json.loads((folder / "tried.json").read_text(encoding="utf-8"))
        return FoldFit(
            left_out,
            load_model(folder),
            np.load(folder / "predicted.npy"),
            tuple(Tuned(**one) for one in tried),
        )

    def keep(self, job: Job, fit: FoldFit) -> None:
        """Write a fit; no half of one is ever found."""
        folder = self._folder(job, fit.fold)
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        save_model(fit.fitted, new)
        np.save(new / "predicted.npy", fit.predicted)
        tried = [{"settings": dict(one.settings), "loss": float(one.loss)} for one in fit.tried]
        (new / "tried.json").write_text(json.dumps(tried), encoding="utf-8")
        new.rename(folder)

    def remove(self) -> None:
        """Remove the fits of this training and of all others in the folder."""
        shutil.rmtree(self._all, ignore_errors=True)

    def _folder(self, job: Job, left_out: int) -> Path:
        name = hashlib.sha256(json.dumps(asdict(job)).encode()).hexdigest()[:16]
        return self._all / self._digest / f"{name}-{left_out}"
