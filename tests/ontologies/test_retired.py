"""Retired MeSH ids: who takes them in, and that the table agrees with MeSH."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from ontologies.gather import Gathered
from ontologies.merge import merge
from ontologies.readers.items import Entry
from ontologies.retired import add_retired, retired_ids

DOCETAXEL = Entry(
    "MESH:D000077143", "MESH", (("Docetaxel", "preferred"),), xrefs=("MESHTREE:D02.455",)
)


def xrefs(*entries: Entry) -> dict[str, tuple[str, ...]]:
    gathered = Gathered()
    for entry in entries:
        gathered.add(entry)
    add_retired(gathered)
    return {concept.id: concept.xrefs for concept in merge(gathered).concepts}


def test_the_heading_takes_the_retired_id() -> None:
    assert "MESH:C067311" in xrefs(DOCETAXEL)["MESH:D000077143"]


def test_nothing_is_added_to_a_vocabulary_without_the_heading() -> None:
    assert xrefs(Entry("DOID:1", "DOID", (("a", "preferred"),))) == {"DOID:1": ("DOID:1",)}


def test_an_id_that_mesh_still_names_keeps_its_record() -> None:
    alive = Entry("MESH:C067311", "MESH", (("docetaxel", "preferred"),))
    found = xrefs(DOCETAXEL, alive)
    assert found["MESH:C067311"] == ("MESH:C067311",)
    assert "MESH:C067311" not in found["MESH:D000077143"]


def test_every_pair_leads_from_an_id_that_is_gone_to_a_heading_of_that_name(data: Path) -> None:
    mesh = data / "ontologies" / "mesh"
    with gzip.open(mesh / "descriptors.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        headings = {row[0]: row[1] for row in csv.reader(file, delimiter="\t")}
    with gzip.open(mesh / "supplementary.tsv.gz", "rt", encoding="utf-8") as file:
        records = {line.partition("\t")[0] for line in file}
    pairs = retired_ids()
    assert len(pairs) > 30
    assert len({pair.retired for pair in pairs}) == len(pairs)
    for retired, current, name in pairs:
        assert headings[current.removeprefix("MESH:")] == name
        assert retired.removeprefix("MESH:") not in records | headings.keys()
