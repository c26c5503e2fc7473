"""Records of a large XML file, one at a time, from a file that nobody vouches for.

Entities are never expanded and the network is never asked. A file that declares entities is
refused: citations need none, and they are how a small file becomes a huge one.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 15
_LONGEST_PROLOG = 1 << 20
_AGAIN = "fetch the file again"
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


class UnreadableFileError(ValueError):
    """A file, or the rest of one, that cannot be read.

    `reason` is the short word that is counted, `where` the place in the file (or empty).
    """

    def __init__(self, reason: str, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.where = where


def elements(path: Path, containers: Collection[str], records: Collection[str]) -> Iterator[Any]:
    """Every child of a root that is one of `containers`, or the root alone if one of `records`.

    Children with other tags than `records` come too, so that the caller can say what they are.
    An element is emptied once the next one is asked for. Raises `UnreadableFileError` after
    every whole element before the place where the file cannot be read.
    """
    with path.open("rb") as file:
        chunks = _unpacked(file)
        head, root = _prolog(chunks)
        if root not in containers and root not in records:
            raise UnreadableFileError(
                "wrong-root",
                f"expected the root element {', '.join(sorted(containers))}, found {root}; "
                "give a file of PubMed citations in XML",
            )
        yield from _children(chain(head, chunks), records, root in containers)


def root_tag(path: Path) -> str:
    """The tag of the root element; raises `UnreadableFileError` where there is none."""
    with path.open("rb") as file:
        return _prolog(_unpacked(file))[1]


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, or of the members of a gzip file, whatever it is called."""
    raw = file.read(_CHUNK)
    if not raw:
        raise UnreadableFileError("empty-file", f"expected XML, found no bytes; {_AGAIN}")
    if raw[:2] != _GZIP:
        while raw:
            yield raw
            raw = file.read(_CHUNK)
        return
    while raw:
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            if not raw:
                raise _damaged("truncated-gzip", "the gzip file ends before its end", file)
            try:
                yield unpacker.decompress(raw, _CHUNK)
            except zlib.error as error:
                raise _damaged("broken-gzip", f"the gzip file is damaged ({error})", file) from None
            raw = unpacker.unconsumed_tail or unpacker.unused_data or file.read(_CHUNK)
        raw = raw.lstrip(b"\0") or file.read(_CHUNK)  # padding may follow a member


def _damaged(reason: str, what: str, file: BinaryIO) -> UnreadableFileError:
    return UnreadableFileError(reason, f"{what}; {_AGAIN}", f"byte {file.tell()}")


def _prolog(chunks: Iterator[bytes]) -> tuple[list[bytes], str]:
    """The chunks up to the root element's start tag, and that tag."""
    head: list[bytes] = []
    parser = etree.XMLPullParser(events=("start",), **_SAFE)
    for chunk in chunks:
        head.append(chunk)
        broken = None
        try:
            parser.feed(chunk)
        except etree.XMLSyntaxError as error:
            broken = error
        root = next(_events(parser), None)
        if root is not None:
            _refuse_entities(root)
            return head, str(root.tag)
        if broken is not None or sum(map(len, head)) > _LONGEST_PROLOG:
            break
    raise UnreadableFileError(
        "not-xml", f"expected XML, found no element{_said(broken)}; give a file of citations"
    )


def _said(error: etree.XMLSyntaxError | None) -> str:
    return f" ({error.msg})" if error is not None else ""


def _refuse_entities(root: Any) -> None:
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:
        raise UnreadableFileError(
            "entities-declared",
            "the file declares XML entities, which no file of PubMed does and which can expand "
            "without end; fetch it again from its publisher",
        )


def _children(chunks: Iterator[bytes], records: Collection[str], inside: bool) -> Iterator[Any]:
    parser = etree.XMLPullParser(events=("end",), tag=list(records), **_SAFE)
    root: Any = None
    done: Any = None
    for chunk in chain(chunks, (None,)):
        broken = None
        try:
            if chunk is None:
                root = parser.close()
            else:
                parser.feed(chunk)
        except etree.XMLSyntaxError as error:
            broken = error
        for element in _events(parser):
            parent = element.getparent()
            if not inside:
                if parent is None:
                    yield element
            elif parent.getparent() is None:
                yield from _forgotten(parent, done, element)
                yield element
                done = element
                element.clear()
        if broken is not None:
            raise _broken(broken)
    if inside:
        yield from _forgotten(root, done, None)


def _events(parser: etree.XMLPullParser) -> Iterator[Any]:
    return (element for _, element in parser.read_events())


def _forgotten(root: Any, done: Any, upto: Any) -> Iterator[Any]:
    """Drop the children of the root before `upto`, giving out those not seen yet."""
    while len(root) and (child := root[0]) is not upto:
        if child is not done:
            yield child
        del root[0]


def _broken(error: etree.XMLSyntaxError) -> UnreadableFileError:
    line, column = error.position
    return UnreadableFileError(
        "broken-xml",
        f"the XML is broken here ({error.msg}), what follows is not read; {_AGAIN}",
        f"line {line}, column {column}",
    )
