"""NCBI's E-utilities through Biopython's Entrez: one polite request at a time.

Biopython keeps NCBI's rate (3 requests a second, 10 with a key); retries, their pauses and the
time limit are made here, since Biopython repeats a refused request at once and waits for ever.
"""

from __future__ import annotations

import http.client
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

from lxml import etree

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
MOST_IDS = 9_999
"""ESearch gives no more ids of PubMed than this, whatever is asked."""

_TIMEOUT = 120.0  # seconds
_ATTEMPTS = 6
_LONGEST_PAUSE = 60.0
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


class EntrezError(RuntimeError):
    """NCBI could not be reached, refused, or answered with what cannot be used."""


class EmailRequiredError(ValueError):
    """NCBI asks for the user's email address with every request, and none was given."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of ESearch: how many there are, those given, and what NCBI said of the query."""

    count: int
    pmids: tuple[int, ...]
    warnings: tuple[str, ...]


class _UnusableAnswerError(Exception):
    """An answer that was cut short or broken on its way: worth asking again."""


_Answer = TypeVar("_Answer")


class Eutils:
    """ESearch and EFetch of PubMed. The first pause after a refusal is `pause` seconds; it
    doubles with each refusal, and NCBI's own Retry-After is kept where it is longer.
    """

    def __init__(
        self,
        email: str | None,
        api_key: str | None = None,
        base_url: str | None = None,
        pause: float = 1.0,
    ) -> None:
        if not email or "@" not in email:
            raise EmailRequiredError(
                "NCBI asks for your email address with every request, to write to you before it "
                "blocks you: set NCBI_EMAIL or give --email"
            )
        self._email = email
        self._api_key = api_key or None
        self._base_url = (base_url or NCBI).rstrip("/")
        self._pause = pause

    def search(self, query: str, between: tuple[date, date] | None = None) -> Found:
        """The PMIDs of a query, up to `MOST_IDS`; `between` are days of entry, inclusive."""
        days = {}
        if between is not None:
            first, last = (day.strftime("%Y/%m/%d") for day in between)
            days = {"datetype": "edat", "mindate": first, "maxdate": last}
        return self._ask(
            lambda entrez: entrez.esearch("pubmed", query, retmax=MOST_IDS, retmode="xml", **days),
            _found,
        )

    def fetch(self, pmids: Sequence[int]) -> bytes:
        """The citations as a `PubmedArticleSet`; it may lack some that NCBI no longer has."""
        ids = ",".join(map(str, pmids))
        return self._ask(lambda entrez: entrez.efetch("pubmed", id=ids, retmode="xml"), _citations)

    def _ask(self, request: Callable[[Any], Any], accept: Callable[[bytes], _Answer]) -> _Answer:
        """Ask until the answer can be used, at most `_ATTEMPTS` times."""
        pause = self._pause
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._entrez() as entrez, request(entrez) as response:
                    return accept(_body(response))
            except (_UnusableAnswerError, URLError, OSError, http.client.HTTPException) as error:
                waited = _retry_after(error)
                if waited is None or attempt == _ATTEMPTS:
                    raise EntrezError(self._failed(error, attempt)) from None
                time.sleep(min(max(pause, waited), _LONGEST_PAUSE))
                pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _failed(self, error: Exception, attempts: int) -> str:
        said = f"HTTP {error.code} {error.reason}" if isinstance(error, HTTPError) else str(error)
        times = f" ({attempts} times)" if attempts > 1 else ""
        return (
            f"{self._base_url} did not answer as expected{times}: {said}; what is fetched is kept: "
            "run the same command again to go on"
        )

    @contextmanager
    def _entrez(self) -> Iterator[Any]:
        """Biopython's Entrez set up for one request, and left as it was found.

        Its settings are those of a module, and neither server nor time limit can be set: the
        function that it opens addresses with is replaced for the while.
        """
        entrez = _biopython()
        ours = {
            "email": self._email,
            "api_key": self._api_key,
            "tool": "medweave",
            "max_tries": 1,
            "urlopen": self._open,
        }
        before = {name: getattr(entrez, name) for name in ours}
        vars(entrez).update(ours)
        try:
            yield entrez
        finally:
            vars(entrez).update(before)

    def _open(self, request: urllib.request.Request) -> Any:
        request.full_url = self._base_url + request.full_url.removeprefix(NCBI)
        return urllib.request.urlopen(request, timeout=_TIMEOUT)


def _biopython() -> ModuleType:
    try:
        from Bio import Entrez
    except ImportError as error:
        raise EntrezError(
            "queries of PubMed need Biopython: pip install 'medweave[pubmed]'"
        ) from error
    return Entrez  # type: ignore[no-any-return]


def _body(response: Any) -> bytes:
    try:
        answer = response.read()
    except UnicodeDecodeError as error:
        raise _UnusableAnswerError(f"the answer is not whole text ({error.reason})") from None
    # Biopython decodes what comes as plain text, which XML without a content type seems to be.
    return answer.encode() if isinstance(answer, str) else bytes(answer)


def _retry_after(error: Exception) -> float | None:
    """Seconds to wait before asking again, at least; `None` where that would be in vain."""
    if not isinstance(error, HTTPError):
        return 0.0
    error.close()
    if error.code not in _TRANSIENT:
        return None
    said = error.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 0.0


def _parsed(answer: bytes, tag: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(answer, parser)
    except etree.XMLSyntaxError as error:
        raise _UnusableAnswerError(f"the answer is not whole XML ({error.msg})") from None
    if root.tag != tag:
        said = " ".join(" ".join(map(str, root.itertext())).split())[:200]
        raise _UnusableAnswerError(f"expected {tag}, found {root.tag}: {said}")
    return root


def _found(answer: bytes) -> Found:
    root = _parsed(answer, "eSearchResult")
    refused = root.findtext("ERROR")
    count = root.findtext("Count")
    if refused or count is None:
        raise _UnusableAnswerError(f"the search failed: {refused or 'no Count'}")
    pmids = tuple(int(entry.text) for entry in root.iterfind("IdList/Id"))
    if len(pmids) < min(int(count), MOST_IDS):
        raise _UnusableAnswerError(f"Count says {count}, but {len(pmids)} ids came")
    said = [*root.iterfind("ErrorList/*"), *root.iterfind("WarningList/*")]
    warnings = tuple(f"{entry.tag}: {entry.text}" for entry in said if entry.text)
    return Found(int(count), pmids, warnings)


def _citations(answer: bytes) -> bytes:
    _parsed(answer, "PubmedArticleSet")
    return answer
