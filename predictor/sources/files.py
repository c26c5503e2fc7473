"""Where the tables of a data set lie below its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from predictor.sources.records import RecordsError

ENDINGS: Final = (".parquet", ".csv.gz", ".csv")


class Folder:
    """A folder of tables in modules (`hosp/`, `icu/`...) or flat; names in either case."""

    def __init__(self, root: Path, modules: Sequence[str] = ()) -> None:
        self.root = root
        self._files = {
            file.name.lower(): file
            for folder in (*(root / module for module in reversed(modules)), root)
            if folder.is_dir()
            for file in sorted(folder.iterdir())
            if file.name.lower().endswith(ENDINGS)
        }

    def find(self, name: str) -> Path | None:
        """The file of a table, or `None`."""
        found = (self._files.get(name + ending) for ending in ENDINGS)
        return next((file for file in found if file is not None), None)

    def need(self, name: str) -> Path:
        """The file of a table; `RecordsError` where there is none."""
        file = self.find(name)
        if file is None:
            raise RecordsError(f"{self.root}: no {name}.csv(.gz) or .parquet, which is needed")
        return file
