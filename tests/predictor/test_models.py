"""Every kind of model behind one contract."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from predictor.encode import Encoder
from predictor.metrics import auroc, expit, log_loss, log_odds
from predictor.model import Explained, ModelError, kind_named, kinds, load_model, save_model
from predictor.schema import Column, FeatureError, FeatureTable
from predictor.support import supported

sys.path.insert(0, str(Path(__file__).parent))
from made import made_table

KINDS = sorted(kinds())


def settings_of(kind: str) -> dict[str, float]:
    if kind == "blend":
        parts = {f"{one} {name}": value for one in ("logistic", "lightgbm")
                 for name, value in settings_of(one).items()}  # fmt: skip
        return {**parts, "weight": 0.3}
    return {**kind_named(kind).candidates[0], "rounds": 60, "trees": 40}


@pytest.fixture(scope="module")
def world() -> tuple[FeatureTable, np.ndarray]:
    return made_table()


@pytest.mark.parametrize("kind", KINDS)
def test_learns_ranks_and_survives_saving(
    kind: str, world: tuple[FeatureTable, np.ndarray], tmp_path: Path
) -> None:
    table, risk = world
    half = np.arange(len(table)) % 2 == 0
    fitted = kind_named(kind).fit(table.take(half), table.labels[half], settings_of(kind), seed=1)
    predicted = fitted.predict_proba(table.take(~half))
    best = auroc(table.labels[~half], risk[~half])
    assert best - 0.09 < auroc(table.labels[~half], predicted) < best + 0.05
    save_model(fitted, tmp_path / "model")
    again = load_model(tmp_path / "model").predict_proba(table.take(~half))
    np.testing.assert_array_equal(predicted, again)
    assert not list((tmp_path / "model").glob("*.pkl"))
    importance = fitted.importance()
    assert sum(importance.values()) == pytest.approx(1)
    assert importance["noise"] < importance["age"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_and_seed_give_the_same_model(
    kind: str, world: tuple[FeatureTable, np.ndarray]
) -> None:
    table, _ = world
    models = [
        kind_named(kind).fit(table, table.labels, settings_of(kind), seed=7) for _ in range(2)
    ]
    first, second = (model.predict_proba(table) for model in models)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_categories_and_missing_values_are_scored(
    kind: str, world: tuple[FeatureTable, np.ndarray]
) -> None:
    table, _ = world
    fitted = kind_named(kind).fit(table, table.labels, settings_of(kind), seed=1)
    at = table.table.column_names.index("service")
    strange = table.table.set_column(at, "service", pa.array(["NEVER MET"] * len(table)))
    missing = table.table.set_column(at, "service", pa.nulls(len(table), pa.string()))
    tables = [FeatureTable.make("made", table.columns, t) for t in (strange, missing)]
    assert fitted.encoder.unseen(tables[0]) == {"service": len(table)}
    assert fitted.encoder.unseen(tables[1]) == {}
    first, second = (fitted.predict_proba(t) for t in tables)
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(first).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_a_feature_is_refused(
    kind: str, world: tuple[FeatureTable, np.ndarray]
) -> None:
    table, _ = world
    fitted = kind_named(kind).fit(table, table.labels, settings_of(kind), seed=1)
    with pytest.raises(FeatureError, match="documented pairs"):
        fitted.predict_proba(table.select(["structured", "notes"]))


def test_the_forest_of_arrays_is_scikit_learns(world: tuple[FeatureTable, np.ndarray]) -> None:
    from imblearn.ensemble import BalancedRandomForestClassifier

    from predictor.forest import FittedForest, _arrays

    table, _ = world
    encoder = Encoder.fit(table)
    matrix = encoder.linear(table).astype(np.float32)
    forest = BalancedRandomForestClassifier(
        30, sampling_strategy="all", replacement=True, bootstrap=False, random_state=0
    ).fit(matrix, table.labels)
    ours = FittedForest(encoder, **_arrays(forest)).predict_proba(table)
    np.testing.assert_allclose(ours, forest.predict_proba(matrix)[:, 1], atol=1e-12)


@pytest.mark.parametrize("kind", ["blend", "lightgbm", "logistic"])
def test_contributions_add_up_to_the_log_odds(
    kind: str, world: tuple[FeatureTable, np.ndarray]
) -> None:
    table, _ = world
    fitted = kind_named(kind).fit(table, table.labels, settings_of(kind), seed=1)
    assert isinstance(fitted, Explained)
    parts = fitted.contributions(table)
    rest = log_odds(fitted.predict_proba(table)) - parts.sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-6)
    strongest = np.abs(parts).mean(axis=0)
    assert strongest[fitted.encoder.names.index("noise")] < strongest.max() / 4


def test_a_blend_is_the_weighted_mean_of_its_parts_log_odds(
    world: tuple[FeatureTable, np.ndarray],
) -> None:
    table, _ = world
    half = np.arange(len(table)) % 2 == 0
    first, second = ((table.take(rows), table.labels[rows]) for rows in (half, ~half))
    settings = settings_of("blend")
    parts = [
        log_odds(kind_named(kind).fit(*first, settings_of(kind), seed=1).predict_proba(second[0]))
        for kind in ("logistic", "lightgbm")
    ]
    blend = kind_named("blend").fit(*first, settings, seed=1).predict_proba(second[0])
    np.testing.assert_allclose(log_odds(blend), 0.3 * parts[0] + 0.7 * parts[1], atol=1e-9)


def test_a_blend_is_tuned_to_be_no_worse_than_its_parts(
    world: tuple[FeatureTable, np.ndarray],
) -> None:
    table, _ = world
    half = np.arange(len(table)) % 2 == 0
    parts = [(table.take(rows), table.labels[rows]) for rows in (half, ~half)]
    tuned = kind_named("blend").tune(*parts, {"support": 0.0}, seed=1)
    for kind in ("logistic", "lightgbm"):
        alone = [
            kind_named(kind).tune(*parts, one, seed=1).loss
            for one in kind_named(kind).candidates[: 2 if kind == "lightgbm" else None]
        ]
        assert tuned.loss <= min(alone) + 1e-9
    fitted = kind_named("blend").fit(*parts[0], tuned.settings, seed=1)
    predicted = fitted.predict_proba(parts[1][0])
    assert log_loss(parts[1][1], predicted) == pytest.approx(tuned.loss)


def test_what_has_no_support_does_not_enter_a_blend(
    world: tuple[FeatureTable, np.ndarray],
) -> None:
    table, _ = world
    settings = {**settings_of("blend"), "support": 3.0}
    fitted = kind_named("blend").fit(table, table.labels, settings, seed=1)
    assert set(fitted.encoder.names) >= {"age", "sodium", "frail", "documented pairs"}
    assert "noise" not in fitted.encoder.names


def test_support_is_the_correlations_z_and_finds_what_is_bent() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    bent, straight = rng.normal(0, 1, n), rng.normal(0, 1, n)
    label = (rng.random(n) < np.where(np.abs(bent) > 1.5, 0.4, 0.1)).astype(np.int8)
    given = {"bent": bent, "straight": straight, "weak": label * 0.1 + rng.normal(0, 1, n)}
    base, _ = made_table(n)
    keys = base.take(np.arange(n)).table.select(["subject_id", "stay_id", "prediction_time"])
    made = keys.append_column("label", pa.array(label))
    for name, values in given.items():
        made = made.append_column(name, pa.array(values))
    table = FeatureTable.make("t", [Column(name, "structured") for name in given], made)
    z = abs(np.corrcoef(table.number("weak"), table.labels)[0, 1]) * np.sqrt(n)
    assert {c.name for c in supported(table, table.labels, z - 0.01).columns} == {"bent", "weak"}
    assert {c.name for c in supported(table, table.labels, z + 0.01).columns} == {"bent"}
    assert len(supported(table, table.labels, 1000.0).columns) == 3


def test_what_articles_support_needs_no_support_in_the_rows() -> None:
    rng = np.random.default_rng(0)
    n = 400
    strong, pair, other = rng.normal(0, 1, n), rng.random(n) < 0.1, rng.random(n) < 0.1
    label = (rng.random(n) < expit(2 * strong)).astype(np.int8)
    given = {"strong": strong, "pair of aspirin and warfarin": pair, "other": other}
    base, _ = made_table(n)
    keys = base.take(np.arange(n)).table.select(["subject_id", "stay_id", "prediction_time"])
    made = keys.append_column("label", pa.array(label))
    for name, values in given.items():
        made = made.append_column(name, pa.array(values.astype(float)))
    table = FeatureTable.make("t", [Column(name, "graph") for name in given], made)

    def kept(**settings: bool) -> set[str]:
        return {column.name for column in supported(table, table.labels, 5.0, **settings).columns}

    assert kept() == {"strong"}
    assert kept(documented=True) == {"strong", "pair of aspirin and warfarin"}


def test_a_lasso_leaves_out_what_tells_nothing(world: tuple[FeatureTable, np.ndarray]) -> None:
    table, _ = world
    lasso = {"penalty": 30.0, "lasso": 1.0}
    importance = kind_named("logistic").fit(table, table.labels, lasso, seed=1).importance()
    assert importance["noise"] == 0
    assert importance["age"] > 0.1


def test_what_hardly_varies_in_training_is_not_used() -> None:
    table = pa.table(
        {
            "subject_id": [str(n) for n in range(100)],
            "stay_id": ["1"] * 100,
            "prediction_time": pa.array([0] * 100, pa.timestamp("us")),
            "label": pa.array([0, 1] * 50, pa.int8()),
            "rare": pa.array([1.0] * 19 + [0.0] * 81),
            "common": pa.array([1.0] * 20 + [0.0] * 80),
            "mostly missing": pa.array([1.0] * 10 + [None] * 90, pa.float64()),
            "kind": pa.array(["a"] * 60 + ["b"] * 39 + ["c"], pa.string()),
        }
    )
    columns = [Column(n, "structured") for n in ("rare", "common", "mostly missing")]
    columns.append(Column("kind", "structured", "category"))
    encoder = Encoder.fit(FeatureTable.make("t", columns, table))
    assert encoder.names == ("common", "kind")
    assert encoder.categories[0].levels == ("a", "b")


def test_of_few_rows_a_fifth_is_enough() -> None:
    table = made_table(20)[0]
    assert "frail" in Encoder.fit(table).names
    assert "frail" not in Encoder.fit(table, least_rows=20).names


def test_nothing_to_learn_from_is_an_error() -> None:
    table = made_table(300)[0].only({"frail"})
    at = table.table.column_names.index("frail")
    constant = table.table.set_column(at, "frail", pa.array([0.0] * len(table)))
    table = FeatureTable.make("made", table.columns, constant)
    with pytest.raises(FeatureError, match="nothing to learn"):
        Encoder.fit(table)


def test_an_unknown_model_and_a_damaged_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lightgbm"):
        kind_named("oracle")
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ModelError, match=r"model\.json"):
        load_model(tmp_path)
