"""Reading YAML strictly: every key by its type, unknown keys refused with the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class GivenError(ValueError):
    """A YAML that does not say what it must; names the file, the key and the remedy."""


class Given:
    """A mapping of a YAML with the place where it stands, for messages.

    Every key is taken once by its type; `done` then refuses what nobody asked for.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise GivenError(f"{where}: expected `key: value` lines, found {_short(value)}")
        self.where = where
        self._value = {str(key): item for key, item in value.items()}
        self._asked: list[str] = []

    @classmethod
    def load(cls, path: Path) -> Given:
        """The mapping that a file holds."""
        import yaml

        try:
            value = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise GivenError(f"{path}: no readable YAML: {error}") from error
        return cls(value, str(path))

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def contains_text(self, key: str) -> bool:
        """Whether the key's value is a text."""
        return isinstance(self._value.get(key), str)

    def contains_list(self, key: str) -> bool:
        """Whether the key's value is a list."""
        return isinstance(self._value.get(key), list)

    def _take(self, key: str, kind: type[T], word: str, default: T | None) -> T:
        self._asked.append(key)
        value = self._value.get(key)
        if value is None:
            if default is None:
                raise GivenError(f"{self.where}: `{key}` is missing ({word})")
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise GivenError(f"{self.where}: `{key}` must be {word}, found {_short(value)}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; numbers are taken as they are written."""
        if isinstance(self._value.get(key), int | float):
            self._asked.append(key)
            return _text(self._value[key])
        return self._take(key, str, "a text", default)

    def number(self, key: str, default: float | None = None) -> float:
        """A number."""
        if isinstance(self._value.get(key), int) and not isinstance(self._value.get(key), bool):
            self._asked.append(key)
            return float(str(self._value[key]))
        return self._take(key, float, "a number", default)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        return self._take(key, bool, "true or false", default)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts (one text stands for a list of one)."""
        if isinstance(self._value.get(key), str | int | float):
            return (self.text(key),)
        empty = list(default) if default is not None else None
        return tuple(_text(item) for item in self._take(key, list, "a list", empty))

    def items(self, key: str) -> list[object]:
        """The items of a list, unchecked."""
        return list(self._take(key, list, "a list", []))

    def day(self, key: str) -> date | None:
        """A date; `None` where it is not given."""
        self._asked.append(key)
        value = self._value.get(key)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        raise GivenError(
            f"{self.where}: `{key}` must be a date (2014-12-31), found {_short(value)}"
        )

    def inside(self, key: str) -> Given:
        """The mapping under a key; an empty one where it is not given."""
        return Given(self._take(key, dict, "`key: value` lines", {}), f"{self.where}, {key}")

    def each(self, key: str) -> list[Given]:
        """The mappings listed under a key."""
        items = self._take(key, list, "a list", [])
        return [Given(item, f"{self.where}, {key} {i}") for i, item in enumerate(items, 1)]

    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the file; they count as asked for."""
        self._asked.extend(self._value)
        return tuple(self._value)

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._value:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(self._asked)}"
                raise GivenError(f"{self.where}: `{key}` is not known here; {hint}")


def _text(value: object) -> str:
    if isinstance(value, bool):
        raise GivenError(f"{value} was read as true or false; put the value in quotes")
    return str(value)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
