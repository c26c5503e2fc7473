"""Which release of a source a file holds: as the file states it, else by its content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from ontologies.readers.items import open_text

HEAD: Final = 65_536
SHOWN: Final = 12

_STATED: Final = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^data-version: *(\S[^\r\n]*)",
        r"^#\s*mapping_set_version: *[\"']?([^\"'\r\n]+)",
        r"^#\s*Report created: *(\S[^\r\n]*)",
        r'"version" *: *"([^"]+)"',
    )
)
"""OBO, SSSOM, CTD's header and OBO graphs (whose version stands in `meta` at the head)."""

_IN_NAME: Final = re.compile(r"(?<!\d)(20\d\d(?:A[AB])?)(?!\d)")


def release_of(path: Path) -> str:
    """What the file says of its release, else a year in its name, and the SHA-256 otherwise.

    The first letters of the SHA-256 are given in any case, for a release may be altered.
    """
    with path.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()[:SHOWN]
    stated = _stated(path) or _year(path)
    return f"{stated} (sha256:{digest})" if stated else f"sha256:{digest}"


def _stated(path: Path) -> str:
    with open_text(path) as text:
        head = text.read(HEAD)
    found = (pattern.search(head) for pattern in _STATED)
    return next((match[1].strip() for match in found if match), "")


def _year(path: Path) -> str:
    match = _IN_NAME.search(path.name)
    return match[1] if match else ""
