"""Update files: which are missing, and fetching them from a small server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.sources.download import AbsentError, DownloadError, InsecureAddressError
from kg_builder.sources.nlm import (
    ChecksumError,
    FileGapError,
    NewReleaseError,
    NoReleaseError,
    NotAListingError,
    UpdateSite,
    listed_names,
    missing_names,
)
from tests.kg_builder.nlm_server import Server, apache, serving

CONTENT = bytes(range(256)) * 4096
NAME = "pubmed26n0007.xml.gz"


def name_of(number: int, year: int = 26) -> str:
    return f"pubmed{year}n{number:04d}.xml.gz"


# -- which files ------------------------------------------------------------------------------


def test_listing_of_apache_is_read_and_nothing_else_of_it() -> None:
    beside = [f"{NAME}.md5", "pubmed26n0007_stats.html", "pubmed26n0007.xml.gz.part"]
    assert listed_names(apache([name_of(10000), *beside, NAME])) == [NAME, name_of(10000)]
    assert listed_names("<a href='/pubmed/updatefiles/pubmed26n0007.xml.gz?x=1'>") == [NAME]
    assert listed_names("") == []


@given(st.sets(st.integers(1, 30), min_size=1), st.sets(st.integers(1, 30)), st.integers(0, 3))
def test_missing_is_what_is_published_and_not_held(
    held: set[int], published: set[int], unnamed: int
) -> None:
    orders = [(2026, number) for number in held] + [(0, 0)] * unnamed
    numbers = held | published
    gap = [n for n in range(min(numbers), max(numbers)) if n not in numbers]
    if gap:
        with pytest.raises(FileGapError, match=name_of(gap[0])):
            missing_names(orders, map(name_of, published))
    else:
        missing = missing_names(orders, map(name_of, published))
        assert missing == [name_of(n) for n in sorted(published - held)]


def test_a_gap_is_named_with_both_its_ends() -> None:
    with pytest.raises(FileGapError, match=r"pubmed26n0003.* to pubmed26n0005.*, pubmed26n0007"):
        missing_names([(2026, 1), (2026, 2)], [name_of(6), name_of(8)])


def test_a_new_year_asks_for_a_new_graph_wherever_it_is_published() -> None:
    held = [(2026, 1), (2026, 2)]
    for updates, baseline in ([name_of(3), name_of(1, 27)], []), ([], [name_of(1, 27)]):
        with pytest.raises(NewReleaseError, match=r"release of 2027 \(pubmed27n0001.*Build a new"):
            missing_names(held, updates, baseline)


def test_numbers_of_an_older_year_are_left() -> None:
    held = [(2026, 1), (2016, 902)]
    assert missing_names(held, [name_of(2), name_of(3, 25)], [name_of(1, 25)]) == [name_of(2)]


def test_without_a_release_nothing_can_follow() -> None:
    with pytest.raises(NoReleaseError, match="baseline"):
        missing_names([(0, 0)], [NAME])


# -- fetching ---------------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as site:
        yield site


def site_of(server: Server) -> UpdateSite:
    return UpdateSite(server.address, attempts=3, pause=0.0)


def test_a_file_is_fetched_once_and_told_as_it_comes(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT)
    told: list[tuple[str, int, int | None]] = []
    site = site_of(server)
    assert (site.updates(), site.baseline()) == ([NAME], [])
    path = site.fetch(NAME, tmp_path / "inputs", lambda *what: told.append(what))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert site.fetch(NAME, tmp_path / "inputs") == path
    assert server.ranges_asked() == [""]
    assert [p.name for p in (tmp_path / "inputs").iterdir()] == [NAME]


def test_a_baseline_is_listed(server: Server) -> None:
    server.files["/pubmed/baseline/"] = apache([name_of(1, 27)]).encode()
    assert site_of(server).baseline() == [name_of(1, 27)]


def test_a_page_that_is_no_listing_is_not_taken_for_an_empty_one(server: Server) -> None:
    server.files["/pubmed/updatefiles/"] = apache([]).encode()
    assert site_of(server).updates() == []
    server.files["/pubmed/updatefiles/"] = b"<html>Please log in to this network</html>"
    with pytest.raises(NotAListingError, match=r"updatefiles/ is no directory listing .*log in"):
        site_of(server).updates()


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_cut_short_goes_on_where_it_ended(
    server: Server, tmp_path: Path, ranges: bool
) -> None:
    server.put(NAME, CONTENT)
    server.ranges, server.cut_after = ranges, [70_000, 30_000]
    told: list[tuple[str, int, int | None]] = []
    path = site_of(server).fetch(NAME, tmp_path, lambda *what: told.append(what))
    assert path.read_bytes() == CONTENT
    assert {whole for _, _, whole in told} == {len(CONTENT)}
    assert told[-1][1] == len(CONTENT)
    second, third = ("bytes=70000-", "bytes=100000-" if ranges else "bytes=30000-")
    assert server.ranges_asked() == ["", second, third]


def test_what_is_always_cut_short_is_kept_for_the_next_run(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT)
    server.cut_after = [10, 10, 10]
    with pytest.raises(DownloadError, match=r"20 of .* bytes|30 of .* bytes"):
        site_of(server).fetch(NAME, tmp_path)
    assert not (tmp_path / NAME).exists()
    assert site_of(server).fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert server.ranges_asked()[-1] == "bytes=30-"


def test_a_part_of_another_version_is_not_continued(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT)
    for begun in (b"another version", CONTENT + b"and more"):
        (tmp_path / f".{NAME}.part").write_bytes(begun)
        assert site_of(server).fetch(NAME, tmp_path).read_bytes() == CONTENT
        (tmp_path / NAME).unlink()


def test_a_damaged_file_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT)
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    assert site_of(server).fetch(NAME, tmp_path).read_bytes() == CONTENT


def test_a_wrong_md5_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT, md5="0" * 32)
    with pytest.raises(ChecksumError, match=f"{NAME}: MD5 .* came, 0{{32}} is published"):
        site_of(server).fetch(NAME, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_md5_is_refused(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT, md5="soon")
    with pytest.raises(ChecksumError, match="holds no MD5"):
        site_of(server).fetch(NAME, tmp_path)


def test_what_is_absent_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match="404"):
        site_of(server).updates()
    with pytest.raises(AbsentError, match=rf"{NAME}\.md5"):
        site_of(server).fetch(NAME, tmp_path)
    assert len(server.asked) == 2


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(server: Server, tmp_path: Path) -> None:
    server.put(NAME, CONTENT)
    server.statuses = [503, 429]
    assert site_of(server).fetch(NAME, tmp_path).read_bytes() == CONTENT
    (tmp_path / NAME).unlink()
    server.statuses = [403]
    with pytest.raises(DownloadError, match=r"403 .*\(1 times\)"):
        site_of(server).fetch(NAME, tmp_path)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with serving() as gone:
        pass
    with pytest.raises(DownloadError, match=r"\(3 times\)"):
        site_of(gone).updates()


def test_plain_http_is_spoken_to_this_machine_alone(server: Server) -> None:
    with pytest.raises(InsecureAddressError, match="expected https"):
        UpdateSite("http://192.0.2.1/pubmed").updates()
    for wrong in ("http://192.0.2.1/x", "ftp://127.0.0.1/x"):
        server.redirect = wrong
        with pytest.raises(InsecureAddressError, match="expected https"):
            site_of(server).updates()
