"""Downloads over HTTPS that go on where they ended, and ask again where that may help."""

from __future__ import annotations

import http
import http.client
import ipaddress
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from kg_builder.durable import room_for

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_TIMEOUT = 60.0  # seconds without a byte
_BLOCK = 1 << 18

Answer = TypeVar("Answer")
Progress = Callable[[int, int | None], None]
"""Called with how many bytes came, and how many there are if the server says so."""


class DownloadError(RuntimeError):
    """The server could not be reached, refused, or sent less than it promised."""


class AbsentError(DownloadError):
    """The server does not have what was asked for."""


class InsecureAddressError(ValueError):
    """An address that is neither HTTPS nor on this machine."""


def asked(url: str, request: Callable[[], Answer], attempts: int = 4, pause: float = 1.0) -> Answer:
    """The answer to a request of `url`, which is made again where it fails in passing.

    Raises `AbsentError` where the server has no such file, else `DownloadError`. The pause, in
    seconds, doubles each time.
    """
    for attempt in range(1, attempts + 1):
        try:
            return request()
        except HTTPError as error:
            error.close()
            if error.code in {404, 410}:
                raise AbsentError(f"{url}: the server has no such file ({error.code})") from None
            failed = f"the server answered {error.code} {error.reason}"
            again = error.code in _TRANSIENT
        except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            failed, again = str(error) or type(error).__name__, True
        if not again or attempt == attempts:
            raise DownloadError(
                f"{url}: {failed} ({attempt} times); what came is kept: run the same command "
                "again to go on"
            )
        time.sleep(pause)
        pause *= 2
    raise ValueError(f"attempts is {attempts}, expected 1 or more")


class _ShortAnswerError(ConnectionError):
    """Less came than the server had promised."""


class _GuardedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where we would have gone ourselves."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str) -> None:
    """Raise `InsecureAddressError` for what anyone on the way could exchange, MD5 and all."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return
    raise InsecureAddressError(f"{url}: expected https:// (http:// is for this machine alone)")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _open(url: str, headers: Mapping[str, str]) -> Any:
    _check_address(url)
    request = urllib.request.Request(url, headers={"User-Agent": "medweave", **headers})
    return urllib.request.build_opener(_GuardedRedirects()).open(request, timeout=_TIMEOUT)


def read_text(url: str) -> str:
    """What an address holds, as UTF-8; bytes that are none are replaced."""
    with _open(url, {}) as answer:
        content: bytes = answer.read()
    return content.decode("utf-8", "replace")


def resume(url: str, part: Path, say: Progress) -> None:
    """The rest of a file behind what `part` holds; all of it where the server knows no ranges."""
    held = part.stat().st_size if part.exists() else 0
    try:
        answer = _open(url, {"Range": f"bytes={held}-"} if held else {})
    except HTTPError as error:
        if held and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            error.close()
            return  # it is as long as the file, or longer: its MD5 decides
        raise
    with answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        came = held if resumed else 0
        length = answer.headers.get("Content-Length")
        whole = came + int(length) if length else None
        with room_for(part), part.open("ab" if resumed else "wb") as out:
            while block := answer.read(_BLOCK):
                out.write(block)
                came += len(block)
                say(came, whole)
    if whole is not None and came != whole:
        raise _ShortAnswerError(f"{came} of {whole} bytes came")
