"""Training: what is kept out, what is learned, and that it is the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ontologies.weights
from ontologies import Concept, Name, Vocabulary, open_linker
from ontologies.examples import Examples, evidence_of, examples_of, undescribed
from ontologies.features import KEYS, MISSING
from ontologies.precision import log_odds
from ontologies.pubtator import read_pubtator
from ontologies.train import UnknownCorpusError, corpus_of, train
from ontologies.training_texts import dev_pmids, fold_of, learned_names, training_texts
from ontologies.weights import load_weights

SHIPPED = Path(ontologies.weights.__file__).parent

VOCABULARY = Vocabulary.from_concepts(
    [
        Concept(
            "MESH:D010146",
            "Pain",
            (Name("Pain", "MEDIC", "preferred"), Name("Suffering", "MEDIC")),
            ("T184",),
            (),
            ("MEDIC:D010146", "MESH:D010146"),
        )
    ]
)


def write_corpus(folder: Path, name: str, pmids: range) -> Path:
    path = folder / name / "train.pubtator"
    path.parent.mkdir(parents=True)
    articles = (
        f"{pmid}|t|Pain and ouch\n{pmid}|a|No suffering.\n{pmid}\t0\t4\tPain\tDisease\tD010146\n"
        f"{pmid}\t9\t13\touch\tDisease\tD010146\n"
        for pmid in pmids
    )
    path.write_text("\n".join(articles), encoding="utf-8")
    return path


def test_held_out_articles_are_in_no_corpus(tmp_path: Path) -> None:
    one = write_corpus(tmp_path, "bc5cdr", range(1, 9))
    other = write_corpus(tmp_path, "biored", range(5, 12))
    texts = training_texts([corpus_of(one), corpus_of(other)], {2, 7})
    kept = [(text.corpus.name, text.article.pmid) for text in texts]
    assert kept == [("bc5cdr", p) for p in (1, 3, 4, 5, 6, 8)] + [
        ("biored", p) for p in (5, 6, 8, 9, 10, 11)
    ]
    assert all(text.fold == fold_of(text.article.pmid) for text in texts)


def test_names_are_learned_only_where_they_may_be_shipped(tmp_path: Path) -> None:
    shared = corpus_of(write_corpus(tmp_path, "bc5cdr", range(1, 4)))
    closed = corpus_of(write_corpus(tmp_path, "biored", range(1, 4)))
    learned = learned_names(training_texts([shared], ()), VOCABULARY)
    assert {name: int(counts.sum()) for (name, _), counts in learned.items()} == {
        "Pain": 3,
        "ouch": 3,
    }
    assert learned_names(training_texts([closed], ()), VOCABULARY) == {}


def test_an_unknown_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownCorpusError, match="known corpus"):
        corpus_of(tmp_path / "mystery" / "train.pubtator")


def test_trains_a_linker_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm")
    corpus = write_corpus(tmp_path, "bc5cdr", range(100, 400))
    held_out = write_corpus(tmp_path, "ncbi-disease", range(100, 110))
    cards = [train([corpus], [held_out], VOCABULARY, tmp_path / out) for out in ("a", "b")]
    assert cards[0] == cards[1]
    assert cards[0].pmids == {"bc5cdr": list(range(110, 400))}
    for name in ("precision.npz", "names.tsv.gz", "card.json", "CARD.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    linker = open_linker("lexicon", VOCABULARY, weights=tmp_path / "a")
    assert [m.text for m in linker.link("An ouch means pain, no suffering.")] == ["ouch", "pain"]
    assert cards[0].digest[:12] in linker.version


def test_the_card_states_what_ships() -> None:
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    weights = load_weights()
    assert card["digest"] == weights.precision.digest
    assert card["names"] == len(weights.names)
    assert card["digest"] in (SHIPPED / "CARD.md").read_text(encoding="utf-8")


def test_no_shipped_weight_saw_a_dev_article(data: Path) -> None:
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    names = ("bc5cdr", "ncbi-disease", "biored")
    dev = dev_pmids(data / "corpora" / name / "dev.pubtator" for name in names)
    trained = {pmid for pmids in card["pmids"].values() for pmid in pmids}
    assert not trained & dev
    assert set(card["pmids"]) == set(names)
    for name in names:
        marked = {a.pmid for a in read_pubtator(data / "corpora" / name / "train.pubtator")}
        assert set(card["pmids"][name]) == marked - dev


def test_no_name_of_biored_ships(data: Path) -> None:
    names = {name for name, _ in load_weights().names}
    allowed = {
        " ".join(m.text.split())
        for corpus in ("bc5cdr", "ncbi-disease")
        for a in read_pubtator(data / "corpora" / corpus / "train.pubtator")
        for m in a.mentions
    }
    assert names <= allowed


def test_undescribed_columns_tell_nothing_of_the_vocabularies() -> None:
    columns = {
        "tokens": np.array([1, 2]),
        "names": np.array([3, 4]),
        "known to 2": np.array([1, 0]),
        "odds: type": np.array([2.5, -1.0]),
        "count: typed form": np.array([9.0, 0.0]),
        "odds: name": np.array([0.5, 0.25]),
    }
    other = {name: column.tolist() for name, column in undescribed(columns).items()}
    unknown = float(log_odds(np.zeros(1), np.zeros(1))[0])
    assert other == {
        "tokens": [1, 2],
        "names": [MISSING, MISSING],
        "known to 2": [MISSING, MISSING],
        "odds: type": [unknown, unknown],
        "count: typed form": [0.0, 0.0],
        "odds: name": [0.5, 0.25],
    }


def test_a_stretch_marked_with_an_unknown_id_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bc5cdr" / "train.pubtator"
    path.parent.mkdir()
    path.write_text(
        "1|t|Pain and suffering\n1|a|No pain.\n1\t0\t4\tPain\tDisease\tC999999\n"
        "1\t9\t18\tsuffering\tDisease\tD010146\n\n",
        encoding="utf-8",
    )
    texts = training_texts([corpus_of(path)], [])
    given = examples_of(texts, {}, VOCABULARY)
    starts = given.found.start.tolist()
    assert dict(zip(starts, given.known.tolist(), strict=True)) == {0: False, 9: True, 22: True}
    assert dict(zip(starts, given.usable.tolist(), strict=True)) == {
        0: False, 9: True, 22: False,
    }  # fmt: skip


def marked_article(pmid: int, title: str, *marked: str) -> str:
    lines = [f"{pmid}|t|{title}", f"{pmid}|a|None."]
    for stretch in marked:
        low = title.index(stretch)
        lines.append(f"{pmid}\t{low}\t{low + len(stretch)}\t{stretch}\tDisease\tD010146")
    return "\n".join(lines) + "\n"


def examples(tmp_path: Path, *articles: str) -> Examples:
    path = tmp_path / "bc5cdr" / "train.pubtator"
    path.parent.mkdir()
    path.write_text("\n".join(articles), encoding="utf-8")
    texts = training_texts([corpus_of(path)], [])
    return examples_of(texts, learned_names(texts, VOCABULARY), VOCABULARY)


def two_folds() -> tuple[int, int]:
    """Two PMIDs of different folds."""
    return 1, next(pmid for pmid in range(2, 99) if fold_of(pmid) != fold_of(1))


def test_an_article_is_searched_with_the_names_of_other_folds(tmp_path: Path) -> None:
    one, other = two_folds()
    found = examples(
        tmp_path,
        marked_article(one, "An ouch, and a hurt.", "ouch"),
        marked_article(other, "A hurt, and an ouch.", "hurt"),
    ).found
    places = zip(found.start.tolist(), found.end.tolist(), strict=True)
    assert sorted(places) == [(15, 19), (15, 19)]


def test_an_article_counts_once_under_a_key(tmp_path: Path) -> None:
    one, other = two_folds()
    given = examples(
        tmp_path,
        marked_article(one, "Pain and pain, pain.", "Pain", "pain"),
        marked_article(other, "Pain."),
    )
    evidence, _ = evidence_of(given)
    columns = evidence.columns(given.given, [KEYS.index("pair"), KEYS.index("anywhere")])
    assert set(columns["count: pair"].tolist()) == {2.0}
    assert set(columns["count: anywhere"].tolist()) == {4.0}
    # Both that the first article marks are right, its third tells nothing; the other's is wrong.
    expected = log_odds(np.array([1.0]), np.array([1.0]))[0]
    assert columns["odds: pair"].tolist() == pytest.approx([expected] * 4)
