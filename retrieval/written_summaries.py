"""Summaries of communities in a language model's words, kept by the community's id.

The model is any function from a prompt to a text. It is given the extractive summary alone and
told to cite; a text that cites nothing, or a PMID that it was not given, is refused. A text is
kept for as long as a community of its id exists and all that it cites is in force; so after an
update only communities with another membership are written about again. Texts of a cut are kept
apart, by its date: nothing later flows into them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kg_builder.durable import replace_text
from retrieval.summaries import CommunitySummary, described

Complete = Callable[[str], str]

PROMPT_VERSION = 1
_PROMPT = """\
Below are sentences of PubMed abstracts about a group of concepts of medicine. Summarize in at most
five sentences what they say. State nothing that they do not say. After each statement give the
PMID that it rests on as [PMID 123]. Where sentences contradict each other, say so and cite both.

{summary}

Summary:"""
_CITED = re.compile(r"PMID:?\s*(\d+)")


@dataclass(frozen=True, slots=True)
class WrittenSummary:
    """A text about a community. `snapshot` is the digest of the one that it was written from."""

    id: str
    text: str
    pmids: tuple[int, ...]
    snapshot: str
    prompt: int = PROMPT_VERSION


@dataclass(frozen=True, slots=True)
class Refused:
    """A text that was not kept, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """Texts by community id; how many were written now, and what was refused."""

    summaries: Mapping[str, WrittenSummary]
    written: int
    refused: tuple[Refused, ...]


def prompt_of(summary: CommunitySummary) -> str:
    """What a model is asked about a community."""
    return _PROMPT.format(summary=described(summary))


def write_summaries(
    kept: Path,
    summaries: Iterable[CommunitySummary],
    complete: Complete,
    *,
    snapshot: str,
    in_force: Collection[int],
) -> Written:
    """Texts for all communities, those in the file `kept` taken as they are where they still hold.

    `in_force` are the PMIDs of the snapshot that are not retracted. The file is replaced after
    each new text, so that an interruption loses none.
    """
    before = {one.id: one for one in read_kept(kept) if set(one.pmids) <= set(in_force)}
    found: dict[str, WrittenSummary] = {}
    refused: list[Refused] = []
    written = 0
    asked = {summary.id: summary for summary in summaries}
    for community, summary in asked.items():
        if community in before:
            found[community] = before[community]
            continue
        text = complete(prompt_of(summary)).strip()
        pmids = tuple(sorted({int(pmid) for pmid in _CITED.findall(text)}))
        reason = _unfounded(pmids, summary)
        if reason is not None:
            refused.append(Refused(community, reason))
            continue
        found[community] = WrittenSummary(community, text, pmids, snapshot)
        written += 1
        _keep(kept, before | found)
    _keep(kept, found)
    return Written(found, written, tuple(refused))


def _unfounded(pmids: tuple[int, ...], summary: CommunitySummary) -> str | None:
    if not pmids:
        return "the text cites nothing"
    unknown = sorted(set(pmids) - set(summary.pmids))
    if unknown:
        return f"the text cites PMIDs that it was not given: {', '.join(map(str, unknown))}"
    return None


def read_kept(path: Path) -> list[WrittenSummary]:
    """The texts in a file, those of another prompt left out; none where there is no file."""
    if not path.is_file():
        return []
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    found = [WrittenSummary(**{**row, "pmids": tuple(row["pmids"])}) for row in rows]
    return [one for one in found if one.prompt == PROMPT_VERSION]


def kept_path(graph: Path, as_of: str | None = None) -> Path:
    """Where the texts of a graph directory are kept, those of a cut by its date."""
    return graph / "communities" / f"written{'-' + as_of if as_of else ''}.jsonl"


def _keep(path: Path, summaries: Mapping[str, WrittenSummary]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(one), ensure_ascii=False) for _, one in sorted(summaries.items()))
    replace_text(path, "".join(f"{line}\n" for line in lines))
