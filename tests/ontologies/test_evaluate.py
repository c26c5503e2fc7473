"""The evaluation against counts made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ontologies import Concept, Vocabulary
from ontologies.agreement import Agreement
from ontologies.evaluate import evaluate_linking
from ontologies.linker import Mention

VOCABULARY = Vocabulary.from_concepts(
    [
        Concept("MESH:D003924", "NIDDM", xrefs=("MEDIC:D003924", "MESH:D003924", "OMIM:125853")),
        Concept("MESH:D010146", "Pain", xrefs=("MEDIC:D010146", "MESH:D010146")),
        Concept("MESH:D001241", "Aspirin", xrefs=("MESH:D001241", "MESHTREE:D02.455")),
        Concept("MESH:C000001", "aspirin salt", parents=("MESH:D001241",)),
        Concept("MESH:D007328", "Insulin", xrefs=("MESH:D007328", "MESHTREE:D12.644")),
        Concept("MESH:D006801", "Humans", xrefs=("MESH:D006801", "MESHTREE:B01.050")),
    ]
)
#        0         1         2         3         4
#        01234567890123456789012345678901234567890123456789
TITLE = "Pain in NIDDM, insulin and aspirin salt of humans"
TEXT = f"1|t|{TITLE}\n1|a|\n"
MARKS = """\
1\t0\t4\tPain\tDisease\tD010146
1\t8\t13\tNIDDM\tDisease\tD003924|125853
1\t27\t34\taspirin\tChemical\tD001241
1\t35\t39\tsalt\tChemical\tC999999
"""


class Scripted:
    """A linker that always finds the same."""

    version = "scripted"

    def __init__(self, *found: tuple[int, int, str]) -> None:
        self._mentions = [Mention(low, high, TITLE[low:high], id_, 1.0) for low, high, id_ in found]

    def link(self, text: str) -> list[Mention]:
        return self._mentions

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        return [self.link(text) for text in texts]


def counts(agreement: Agreement) -> tuple[int, int, int]:
    """Right, wrong and missed."""
    right, found, marked = agreement.right, agreement.found, agreement.marked
    return right, found - right, marked - right


def test_counts_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.pubtator"
    path.write_text(TEXT + MARKS, encoding="utf-8")
    linker = Scripted(
        (0, 4, "MESH:D003924"),
        (8, 13, "MESH:D003924"),
        (15, 22, "MESH:D007328"),
        (27, 39, "MESH:C000001"),
        (43, 49, "MESH:D006801"),
    )
    report = evaluate_linking(path, linker, VOCABULARY)
    disease, chemical = report.types["disease"], report.types["chemical"]
    assert (report.articles, set(report.types)) == (1, {"disease", "chemical"})
    assert counts(disease.span) == (2, 0, 0)
    assert counts(disease.span_id) == (1, 1, 1)
    # One concept holds both ids of NIDDM and matches one; pain is not predicted.
    assert counts(disease.document) == (1, 0, 2)
    # Insulin is spared as a protein; the salt is wrong; aspirin and the unknown id are missed.
    assert counts(chemical.span) == (0, 1, 2)
    assert counts(chemical.document) == (0, 1, 2)
    assert (chemical.marked_ids, chemical.unknown_ids) == (2, 1)


def test_only_false_chemicals_are_spared_as_proteins(tmp_path: Path) -> None:
    gene = Concept("HGNC:6081", "insulin", xrefs=("HGNC:6081", "MESHTREE:D12.644", "NCBIGene:3630"))
    vocabulary = Vocabulary.from_concepts([gene])
    path = tmp_path / "a.pubtator"
    path.write_text(
        TEXT + "1\t0\t4\tPain\tChemical\tD1\n1\t8\t13\tNIDDM\tGene\t7\n", encoding="utf-8"
    )
    report = evaluate_linking(path, Scripted((15, 22, "HGNC:6081")), vocabulary)
    assert counts(report.types["chemical"].document) == (0, 0, 1)
    assert counts(report.types["gene"].document) == (0, 1, 1)


def test_shares_by_hand_and_of_nothing() -> None:
    agreement = Agreement(right=3, found=4, marked=5)
    assert (agreement.precision, agreement.recall, agreement.f1) == (0.75, 0.6, 6 / 9)
    nothing = Agreement()
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    assert agreement.with_more(1, 1, 2) == Agreement(4, 5, 7)
