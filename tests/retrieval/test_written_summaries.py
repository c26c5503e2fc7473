"""A model's summaries: which are written, which are kept, which are refused."""

from __future__ import annotations

import re
from pathlib import Path

from kg_builder.snapshot_tables import find_snapshot
from retrieval.communities import FINE, Communities
from retrieval.summaries import CommunitySummary, summarize
from retrieval.view import View
from retrieval.written_summaries import Written, kept_path, read_kept, write_summaries
from tests.retrieval.worlds import article, build

HEART = [
    article(1, "Aspirin prevents myocardial infarction."),
    article(2, "Smoking causes myocardial infarction."),
    article(3, "Aspirin did not prevent myocardial infarction."),
]
KIDNEY = [article(4, "Ibuprofen causes acute kidney injury.")]
MORE = [article(5, "Metformin treats type 2 diabetes.")]
JOINED = [article(6, "Gentamicin causes acute kidney injury.")]


class Model:
    """Repeats the first sentence that it was given, and counts how often it was asked."""

    def __init__(self, answer: str | None = None) -> None:
        self.asked: list[str] = []
        self.answer = answer

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        found = re.findall(r"(?m)^Stated: (.*)$", prompt) or re.findall(
            r"(?m): (.*PMID.*)$", prompt
        )
        return found[0] if self.answer is None else self.answer


def opened(path: Path, files: list[list[object]]) -> View:
    return View(find_snapshot(build(path, files)))  # type: ignore[arg-type]


def summaries(view: View) -> list[CommunitySummary]:
    communities = Communities.of(view)
    return summarize(view, communities, communities.at(FINE))


def write(view: View, model: Model, kept: Path) -> Written:
    return write_summaries(
        kept,
        summaries(view),
        model,
        snapshot=view.reader.digest,
        in_force=set(view.pmids.tolist()),
    )


def test_only_communities_with_a_new_id_are_written_again(tmp_path: Path) -> None:
    kept, model = kept_path(tmp_path), Model()
    first = opened(tmp_path / "first", [HEART, KIDNEY])
    made = write(first, model, kept)
    assert len(made.summaries) == made.written == len(model.asked) == 2
    assert write(first, model, kept).written == 0
    updated = opened(tmp_path / "updated", [HEART, KIDNEY, MORE, JOINED])
    new = {one.id for one in summaries(updated)} - set(made.summaries)
    assert len(new) == 2  # diabetes, and the kidney with one drug more; not the heart
    again = write(updated, model, kept)
    assert again.written == len(new)
    assert len(model.asked) == 2 + len(new)
    assert set(again.summaries) == {one.id for one in summaries(updated)}
    assert {one.id for one in read_kept(kept)} == set(again.summaries)
    digests = {one.snapshot for one in again.summaries.values()}
    assert digests == {first.reader.digest, updated.reader.digest}


def test_a_text_whose_source_fell_is_written_again(tmp_path: Path) -> None:
    kept, model = kept_path(tmp_path), Model()
    made = write(opened(tmp_path / "first", [KIDNEY]), model, kept)
    (one,) = made.summaries.values()
    assert one.pmids == (4,)
    fallen = article(4, "Ibuprofen causes acute kidney injury.", retracted=True)
    other = article(7, "Ibuprofen may cause acute kidney injury.")
    again = write(opened(tmp_path / "later", [[fallen, other]]), model, kept)
    (text,) = again.summaries.values()
    assert text.id == one.id
    assert again.written == 1
    assert text.pmids == (7,)


def test_what_is_not_founded_is_refused(tmp_path: Path) -> None:
    view, kept = opened(tmp_path / "graph", [KIDNEY]), kept_path(tmp_path)
    for answer, reason in (("It harms.", "nothing"), ("It harms [PMID 99].", "99")):
        made = write(view, Model(answer), kept)
        assert made.summaries == {}
        assert reason in made.refused[0].reason
    assert read_kept(kept) == []
    assert write(view, Model(), kept).written == 1
    assert read_kept(kept_path(tmp_path, "2001-12-31")) == []
