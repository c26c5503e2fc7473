"""Queries of PubMed, against answers in NCBI's format served on the loopback address."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kg_builder.model import Article, Failure
from kg_builder.sources.entrez import fetch_query, missing_citations, query_folder
from kg_builder.sources.eutils import EmailRequiredError, EntrezError
from kg_builder.sources.pubmed import read

entrez = pytest.importorskip("Bio.Entrez")

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class Ncbi:
    """A PubMed of citations by day of entry that answers as ESearch and EFetch do.

    `faults` are answers sent, one a request, in place of the right one.
    """

    entered: dict[int, date]
    lost: set[int] = field(default_factory=set)
    faults: list[Fault | None] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    miscount: int = 0
    url: str = ""

    def answer(self, tool: str, asked: dict[str, str]) -> bytes:
        return self._search(asked) if tool == "esearch.fcgi" else self._fetch(asked)

    def _search(self, asked: dict[str, str]) -> bytes:
        first = asked.get("mindate", "0001/01/01").replace("/", "-")
        last = asked.get("maxdate", "9999/01/01").replace("/", "-")
        found = [p for p, day in self.entered.items() if first <= day.isoformat() <= last]
        given = found[: min(int(asked["retmax"]), 9_999)]
        count = len(found) + (0 if "mindate" in asked else self.miscount)
        ids = "".join(f"<Id>{pmid}</Id>\n" for pmid in given)
        return (
            '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eSearchResult PUBLIC '
            '"-//NLM//DTD esearch 20060628//EN" "https://eutils.ncbi.nlm.nih.gov/eutils/dtd/'
            f'20060628/esearch.dtd">\n<eSearchResult><Count>{count}</Count><RetMax>{len(given)}'
            f"</RetMax><RetStart>0</RetStart><IdList>\n{ids}</IdList><TranslationSet/>"
            "<QueryTranslation>x</QueryTranslation></eSearchResult>"
        ).encode()

    def _fetch(self, asked: dict[str, str]) -> bytes:
        records = "".join(
            f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article>'
            f"<ArticleTitle>Title {pmid}.</ArticleTitle></Article></MedlineCitation>"
            "</PubmedArticle>"
            for pmid in map(int, asked["id"].split(","))
            if pmid in self.entered and pmid not in self.lost
        )
        return (
            '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle,'
            ' 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
            f"<PubmedArticleSet>{records}</PubmedArticleSet>"
        ).encode()

    def asked(self, tool: str) -> list[dict[str, str]]:
        return [asked for name, asked, _ in self.requests if name == tool]


def _handler(ncbi: Ncbi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _reply(self, query: str) -> None:
            asked = {key: values[0] for key, values in parse_qs(query).items()}
            tool = urlsplit(self.path).path.rpartition("/")[2]
            ncbi.requests.append((tool, asked, time.monotonic()))
            fault = ncbi.faults.pop(0) if ncbi.faults else None
            (fault or _whole)(self, ncbi.answer(tool, asked))

        def log_message(self, *_: Any) -> None:
            return

    return Handler


def _whole(handler: BaseHTTPRequestHandler, answer: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml; charset=UTF-8")
    handler.send_header("Content-Length", str(len(answer)))
    handler.end_headers()
    handler.wfile.write(answer)


def _status(code: int) -> Fault:
    def refuse(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(code)
        handler.end_headers()

    return refuse


def _cut_short(handler: BaseHTTPRequestHandler, answer: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(answer)))
    handler.end_headers()
    handler.wfile.write(answer[: len(answer) // 2])


def _cut_without_saying_so(handler: BaseHTTPRequestHandler, answer: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(answer[: len(answer) // 2])


def _says(text: str) -> Fault:
    return lambda handler, _: _whole(handler, text.encode())


@pytest.fixture
def ncbi() -> Iterator[Ncbi]:
    """1,200 citations, a day apart."""
    first = date(2015, 1, 1)
    world = Ncbi({pmid: first + timedelta(days=pmid) for pmid in range(1, 1201)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    world.url = f"http://127.0.0.1:{server.server_port}/entrez/eutils/"
    yield world
    server.shutdown()
    thread.join()
    server.server_close()


def _fetch(ncbi: Ncbi, folder: Path, **options: Any) -> list[Path]:
    settings = {"email": "a@example.org", "api_key": "k", "base_url": ncbi.url, "pause": 0.01}
    return fetch_query("heart failure", folder, **{**settings, **options})


def _pmids(paths: list[Path]) -> list[int]:
    records = [record for path in paths for record in read(path)]
    assert all(isinstance(record, Article) for record in records)
    return [record.pmid for record in records if isinstance(record, Article)]


def test_everything_found_is_fetched_politely(ncbi: Ncbi, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    paths = _fetch(ncbi, tmp_path, progress=lambda *counts: seen.append(counts))
    assert _pmids(paths) == list(range(1, 1201))
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]
    assert len(ncbi.asked("esearch.fcgi")) == 1
    assert len(ncbi.asked("efetch.fcgi")) == 3
    for _, asked, _ in ncbi.requests:
        assert (asked["db"], asked["email"], asked["api_key"], asked["tool"]) == (
            "pubmed",
            "a@example.org",
            "k",
            "medweave",
        )
    assert all(path.parent == query_folder("heart  failure", tmp_path) for path in paths)


def test_a_second_run_asks_for_nothing(ncbi: Ncbi, tmp_path: Path) -> None:
    paths = _fetch(ncbi, tmp_path)
    before = len(ncbi.requests)
    assert _fetch(ncbi, tmp_path) == paths
    assert len(ncbi.requests) == before


def test_an_interrupted_run_goes_on(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.faults = [None, None, _status(400)]  # the second batch is refused
    with pytest.raises(EntrezError, match=r"HTTP 400.*run the same command again"):
        _fetch(ncbi, tmp_path)
    paths = _fetch(ncbi, tmp_path)
    assert _pmids(paths) == list(range(1, 1201))
    first = [asked["id"].partition(",")[0] for asked in ncbi.asked("efetch.fcgi")]
    assert first == ["1", "501", "501", "1001"]
    assert len(ncbi.asked("esearch.fcgi")) == 1


def test_a_damaged_file_is_fetched_again(ncbi: Ncbi, tmp_path: Path) -> None:
    paths = _fetch(ncbi, tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    paths[2].unlink()
    assert _pmids(_fetch(ncbi, tmp_path)) == list(range(1, 1201))
    assert len(ncbi.asked("efetch.fcgi")) == 5


@pytest.mark.parametrize(
    "fault",
    [
        _status(429),
        _status(500),
        _cut_short,
        _cut_without_saying_so,
        _says("<eSearchResult><ERROR>Search Backend failed</ERROR></eSearchResult>"),
        _says("<eFetchResult><ERROR>Unable to obtain query</ERROR></eFetchResult>"),
    ],
)
def test_passing_faults_are_outlived(ncbi: Ncbi, tmp_path: Path, fault: Fault) -> None:
    ncbi.faults = [fault, None, fault, fault]
    assert _pmids(_fetch(ncbi, tmp_path)) == list(range(1, 1201))


def test_lasting_faults_end_in_an_error(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.faults = [_status(500)] * 50
    with pytest.raises(EntrezError, match=r"6 times.*HTTP 500") as caught:
        _fetch(ncbi, tmp_path, api_key="secret")
    assert "secret" not in str(caught.value) and "a@example.org" not in str(caught.value)
    assert len(ncbi.requests) == 6


def test_no_one_there(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    with pytest.raises(EntrezError, match="refused"):
        fetch_query("x", tmp_path, email="a@b.c", api_key="k", base_url=url, pause=0.001)


@pytest.mark.parametrize("email", [None, "", "nobody"])
def test_the_email_address_is_asked_for(tmp_path: Path, email: str | None) -> None:
    with pytest.raises(EmailRequiredError, match=r"NCBI_EMAIL.*--email"):
        fetch_query("x", tmp_path, email=email, base_url="http://127.0.0.1:9")
    assert not list(tmp_path.iterdir())


def test_more_than_a_search_gives_is_split_by_days(ncbi: Ncbi, tmp_path: Path) -> None:
    first = date(2019, 12, 1)
    ncbi.entered = {pmid: first + timedelta(days=pmid % 60) for pmid in range(1, 25_001)}
    with pytest.raises(EntrezError, match="HTTP 400"):
        ncbi.faults = [None] * len(_splits(ncbi)) + [_status(400)]
        _fetch(ncbi, tmp_path)
    found = (query_folder("heart failure", tmp_path) / "pmids.txt").read_text().split()
    assert [int(pmid) for pmid in found] == list(range(1, 25_001))
    ranges = [asked for asked in ncbi.asked("esearch.fcgi") if "mindate" in asked]
    assert {asked["datetype"] for asked in ranges} == {"edat"}


def _splits(ncbi: Ncbi) -> list[tuple[date, date]]:
    """The searches that halving by days takes, counted another way: level by level."""
    searches = [(date.min, date.max)]
    level = [(date(1700, 1, 1), date(2999, 12, 31))]
    while level:
        searches += level
        full = [
            (a, b) for a, b in level if sum(a <= day <= b for day in ncbi.entered.values()) > 9_999
        ]
        halves = [(a, b, a + (b - a) // 2) for a, b in full]
        level = [part for a, b, m in halves for part in ((a, m), (m + timedelta(days=1), b))]
    return searches


def test_a_day_with_too_many_is_an_error(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.entered = dict.fromkeys(range(1, 10_001), date(2020, 2, 29))
    with pytest.raises(EntrezError, match=r"10,000 citations.*2020-02-29.*narrow the query"):
        _fetch(ncbi, tmp_path)


def test_a_count_that_is_not_reached_is_an_error(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.entered = {
        pmid: date(1850, 1, 1) if pmid < 9000 else date(2800, 1, 1) for pmid in range(1, 12_001)
    }
    ncbi.miscount = 2
    with pytest.raises(EntrezError, match=r"counts 12,002 .* name 12,000"):
        _fetch(ncbi, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_found_and_not_given_is_named(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.lost = {7, 1100}
    paths = _fetch(ncbi, tmp_path)
    assert len(_pmids(paths)) == 1198
    missing = missing_citations("heart failure", tmp_path)
    assert [(failure.pmid, failure.reason) for failure in missing] == [
        (7, "not-fetched"),
        (1100, "not-fetched"),
    ]
    assert all(isinstance(failure, Failure) for failure in missing)


def test_nothing_found_is_no_file(ncbi: Ncbi, tmp_path: Path) -> None:
    ncbi.entered = {}
    assert _fetch(ncbi, tmp_path) == []
    assert missing_citations("heart failure", tmp_path) == []


def test_a_folder_of_another_version_is_refused(ncbi: Ncbi, tmp_path: Path) -> None:
    _fetch(ncbi, tmp_path)
    path = query_folder("heart failure", tmp_path) / "manifest.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, "version": 99}))
    with pytest.raises(EntrezError, match=r"another version.*remove it"):
        _fetch(ncbi, tmp_path)
    path.write_text("{")
    with pytest.raises(EntrezError, match="cannot be read"):
        _fetch(ncbi, tmp_path)


def test_no_secret_is_written(ncbi: Ncbi, tmp_path: Path) -> None:
    _fetch(ncbi, tmp_path, api_key="secret-key", email="me@example.org")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_text()
            assert "secret-key" not in content and "me@example.org" not in content


def test_at_most_three_requests_a_second_without_a_key(ncbi: Ncbi, tmp_path: Path) -> None:
    _fetch(ncbi, tmp_path, api_key=None)
    times = [moment for _, _, moment in ncbi.requests]
    assert len(times) == 4
    assert times[-1] - times[0] >= 3 * 0.33
    assert all("api_key" not in asked for _, asked, _ in ncbi.requests)


def test_biopython_is_left_as_it_was_found(ncbi: Ncbi, tmp_path: Path) -> None:
    names = ("email", "api_key", "tool", "max_tries", "urlopen")
    before = {name: getattr(entrez, name) for name in names}
    _fetch(ncbi, tmp_path)
    assert {name: getattr(entrez, name) for name in names} == before
