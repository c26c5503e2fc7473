"""The ranking of names, by hand, and the index that proposes candidates, by brute force."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kg_builder.ladybug_store import LadybugStore
from kg_builder.memory_store import MemoryStore
from kg_builder.name_index import save_name_index
from kg_builder.search import UnknownConceptError, fit, normalize, rank, resolve, tokens
from ontologies.concept import Concept, Name
from ontologies.linker import Mention
from tests.contracts.graphs import CONCEPTS, Statement, World, written
from tests.contracts.snapshots import write_snapshot

ASPIRIN, FAILURE, DISEASE, ATTACK, INSULIN = CONCEPTS


def ranked(text: str, limit: int = 10) -> list[str]:
    return [concept.name for concept in rank(text, CONCEPTS, limit)]


def test_kinds_of_fit_come_in_order() -> None:
    # Exact name, exact synonym, then words in common.
    assert ranked("Heart-Failure") == ["Heart failure", "Heart disease", ATTACK.name]
    # A prefix before words in common; the shorter name first.
    assert ranked("heart d") == ["Heart disease", "Heart failure", ATTACK.name]
    assert ranked("nothing of this") == []
    assert ranked("") == []


def test_identifiers_are_found_whole_and_a_cui_bare() -> None:
    assert ranked("mesh:D006333") == ["Heart failure"]
    assert ranked("C0018801") == ["Heart failure"]
    assert ranked("D006333") == []


def test_ties_go_to_the_smaller_id() -> None:
    same = [Concept(f"X:{at}", "twice told") for at in (3, 1, 2)]
    assert [concept.id for concept in rank("twice", same)] == ["X:1", "X:2", "X:3"]
    assert [concept.id for concept in rank("twice told", same, 2)] == ["X:1", "X:2"]


def test_names_are_compared_by_their_words() -> None:
    assert normalize("  Crohn's  DISEASE, (acute)") == "crohn s disease acute"
    assert tokens("IL-6_β") == ("il", "6", "β")
    assert fit("—", Concept("X:1", "—")) is None
    with pytest.raises(ValueError, match="limit"):
        rank("a", CONCEPTS, 0)


def test_a_name_that_several_have_means_the_one_that_articles_mention_most() -> None:
    common = Concept("X:9", "Cold", (Name("cold", "X"),))
    rare = Concept("X:1", "Cold temperature", (Name("Cold", "X"),))
    also = Concept("X:2", "Coldness", (Name("cold", "X"),))
    mined = [
        written(1, [Statement(0, 1, None), Statement(2, 0, None)], concepts=(common, rare, also)),
        written(2, [Statement(2, 0, None)], concepts=(common, rare, also)),
    ]
    store = MemoryStore(mined, (common, rare, also))
    assert resolve(store, "cold").id == "X:9"  # its name is exact, the others' synonym
    without = MemoryStore(
        [m._replace(mentions=tuple(n for n in m.mentions if n.concept_id != "X:9")) for m in mined],
        (rare, also),
    )
    assert resolve(without, "cold").id == "X:2"
    assert resolve(without, "x:1").id == "X:1"


def test_what_is_not_there_is_named_with_what_is_near() -> None:
    store = MemoryStore([written(1, [Statement(1, 2, None)])], CONCEPTS)
    with pytest.raises(UnknownConceptError, match="Heart disease"):
        resolve(store, "heart")
    with pytest.raises(UnknownConceptError, match="medweave search"):
        resolve(store, "zebra")


def vocabulary(size: int) -> World:
    """Concepts with names of few words, so that many tie; all mentioned in one article."""
    draw = random.Random(11)
    words = ["renal", "acute", "disease", "of", "heart", "type", "ii", "syndrome", "β", "x"]

    def name() -> str:
        return " ".join(draw.choices(words, k=draw.randint(1, 4)))

    concepts = tuple(
        Concept(f"X:{at:04}", name(), tuple(Name(name(), "X") for _ in range(draw.randint(0, 3))))
        for at in range(size)
    )
    bare = written(1, [], concepts=concepts)
    mentions = tuple(Mention(0, 1, "A", concept.id, 1.0) for concept in concepts)
    return World((bare._replace(mentions=mentions),), concepts)


@pytest.mark.parametrize("saved", [False, True], ids=["made when asked", "saved"])
def test_the_index_proposes_all_that_ranks_first(tmp_path: Path, saved: bool) -> None:
    world = vocabulary(300)
    snapshot = write_snapshot(world, tmp_path / "graph", batch=70)
    if saved:
        save_name_index(snapshot)
        save_name_index(snapshot)  # done once
        assert sorted(p.name for p in (snapshot / "search").iterdir()) == [
            "codes.arrow", "names.arrow", "words.arrow"
        ]  # fmt: skip
    store = LadybugStore.open(snapshot)
    draw = random.Random(5)
    texts = ["d", "acute renal", "disease of type ii", "X:0007", "β", "syndrome heart x", "q"]
    texts += [draw.choice(world.concepts).name[: draw.randint(1, 12)] for _ in range(60)]
    for text in texts:
        for limit in (1, 3, 25):
            expected = [concept.id for concept in rank(text, world.concepts, limit)]
            assert [concept.id for concept in store.search(text, limit)] == expected, text
    store.close()
