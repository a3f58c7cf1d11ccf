"""The numbers of a comparison as rows: signs, units, and what is left out."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.candidates import Absent
from imrep.comparison.conclusions.sizes import AtSize, SizeComparison, SizeScore
from imrep.comparison.conclusions.together import Part
from imrep.comparison.output import tables
from imrep.comparison.output.rows import Rows
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.many_to_one import Interval
from imrep.comparison.statistics.verdict import Standing
from imrep.results import Row


@pytest.fixture
def rows():
    return Rows(Row(kind="data", metric="files"))


def encoded(spec, *, precomputed=False, fitted_on="", cpu_ms=2.0, stated=False, budget=""):
    candidate = SimpleNamespace(
        fingerprint="f", role="contender", precomputed=precomputed, rebuild_spec=spec,
        time_stated=stated,
    )  # fmt: skip
    return SimpleNamespace(
        candidate=candidate, spec=spec, fitted_on=fitted_on, side=64, dimensions=10, bytes=40,
        cpu_ms=cpu_ms, wall_ms=3.0, fit_seconds=7.0, images=5,
        trained=bool(budget), budget=budget,
    )  # fmt: skip


def standing(accuracy, behind, t=2.0):
    return Standing(
        accuracy, accuracy - 0.1, accuracy + 0.1, behind, behind - 0.05, behind + 0.05, t, 0.3, True
    )


def table(rows):
    return {(f"{r.kind}.{r.metric}", r.spec, r.detail): r.value for r in rows.rows}


def classification(t):
    labels = np.array([0, 0, 1, 1])
    right = Predictions(labels, labels, labels, by="linear")
    half = Predictions(np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0]), labels, by="gaussian")
    return SimpleNamespace(
        encoded=[encoded("hog"), encoded("dct")],
        predictions=[right, half],
        controls={"noise": half},
        verdict=SimpleNamespace(leader=0, standings=[standing(1, 0), standing(0.75, 0.25, t)]),
    ), SimpleNamespace(labels=labels, classes=("a", "b"))


def test_differences_are_this_minus_the_leader(rows):
    results, dataset = classification(2.0)
    tables.accuracy(rows, dataset, results)
    found = {(r.metric, r.spec): r for r in rows.rows if r.kind == "difference"}
    assert {spec for _, spec in found} == {"dct"}  # the leader has none to itself
    row = found["probe", "dct"]
    assert (row.value, row.lo, row.hi) == pytest.approx((-0.25, -0.3, -0.2))
    assert row.detail == "hog" and found["t", "dct"].value == 2
    assert found["p_flip", "dct"].value == 0.3
    values = table(rows)
    assert values["accuracy.recall", "dct", "a"] == 0.5
    assert values["accuracy.recall", "dct", "b"] == 1
    assert values["accuracy.linear", "dct", ""] == 0.5
    assert {r.detail for r in rows.rows if r.metric == "by"} == {"linear", "gaussian"}
    assert values["accuracy.probe", "noise", ""] == 0.75
    assert {r.role for r in rows.rows if r.spec == "noise"} == {"control"}


def test_a_constant_code_is_flagged(rows):
    results, dataset = classification(2.0)
    results.predictions[1] = replace(results.predictions[1], note="constant in each fold")
    tables.accuracy(rows, dataset, results)
    flags = [(r.spec, r.value) for r in rows.rows if r.metric == "constant"]
    assert flags == [("dct", 1)]


def test_what_is_put_together_has_weights_and_a_gain_over_the_leader(rows):
    made = encoded("together", cpu_ms=3.0)
    made.candidate.role = "together"
    each = SimpleNamespace(
        encoded=made,
        leader=encoded("hog"),
        result=Gain(0.75, 0.7, 0.8, 0.05, 0.01, 0.09, 0.03),
        combination=SimpleNamespace(probe=np.array([0, 1, 1, 1])),
        parts=[Part(encoded("dct"), 0.6, 1.0), Part(encoded("hog"), 0.4, 0.8)],
    )
    dataset = SimpleNamespace(labels=np.array([0, 0, 1, 1]), classes=("a", "b"))
    tables.together(rows, dataset, [each])
    values = table(rows)
    assert {(r.spec, r.role) for r in rows.rows} == {("together", "together")}
    assert values["combination.weight", "together", "dct"] == 0.6
    assert values["combination.folds", "together", "hog"] == 0.8
    assert values["difference.probe", "together", "hog"] == 0.05
    assert values["difference.p_flip", "together", "hog"] == 0.03
    assert values["accuracy.recall", "together", "a"] == 0.5
    assert values["cost.ms", "together", ""] == 3 and values["cost.bytes", "together", ""] == 40
    ends = {(r.kind, r.lo, r.hi) for r in rows.rows if r.metric == "probe"}
    assert ends == {("accuracy", 0.7, 0.8), ("difference", 0.01, 0.09)}


def test_an_infinite_t_is_left_out(rows):
    results, dataset = classification(np.inf)
    tables.accuracy(rows, dataset, results)
    assert not [r for r in rows.rows if r.metric == "t"]


def test_costs_of_precomputed_vectors_are_their_length_alone(rows):
    none = SimpleNamespace(stability=None, reconstruction=None, inverse=None)
    mine = encoded("mine", precomputed=True, fitted_on="outside", cpu_ms=np.inf)
    timed = encoded("timed", precomputed=True, fitted_on="outside", cpu_ms=12.0, stated=True)
    for part in (mine, timed, encoded("sift", fitted_on="all", cpu_ms=0.0)):
        measured = SimpleNamespace(encoded=part, **vars(none))
        tables.measurements(rows, measured, {"sift": 123, "mine": 5}, 300)
    values = table(rows)
    assert [name for name, spec, _ in values if spec == "mine"] == ["cost.dimensions", "cost.bytes"]
    of_timed = {name: values[name, "timed", ""] for name, spec, _ in values if spec == "timed"}
    assert of_timed == {"cost.dimensions": 10, "cost.bytes": 40, "cost.ms": 12, "cost.ms_stated": 1}
    assert values["cost.memory", "sift", ""] == 123 and values["cost.fit_s", "sift", ""] == 7
    assert np.isfinite(values["cost.images_s", "sift", ""])  # at no measurable time either


@pytest.mark.parametrize(("n", "expected"), [(199, False), (200, True)])
def test_reconstructions_need_200_images_and_exact_inverses_none(rows, n, expected):
    measured = SimpleNamespace(
        encoded=encoded("dct"),
        stability=SimpleNamespace(move={"blur": 0.5}, top1={"blur": 0.9}, mean=0.5),
        reconstruction=SimpleNamespace(explained=0.8, detail=0.3, psnr=20.0),
        inverse=SimpleNamespace(psnr=140.0, numbers=3072),
    )
    tables.measurements(rows, measured, {}, n)
    values = table(rows)
    assert (("information.kept", "dct", "") in values) is expected
    assert values["information.exact", "dct", ""] == 140
    assert values["information.code_numbers", "dct", ""] == 3072
    assert values["stability.move", "dct", "blur"] == values["stability.moves", "dct", ""] == 0.5
    assert "cost.memory" not in {name for name, _, _ in values}


def test_similarity_has_both_orders_of_each_pair(rows):
    from imrep.comparison.probes.gram import gram

    vectors = np.random.default_rng(0).standard_normal((2, 30, 4)).astype(np.float32)
    measured = [
        SimpleNamespace(encoded=encoded(name), gram=gram(x, name))
        for name, x in zip("ab", vectors, strict=True)
    ]
    tables.label_free(rows, measured)
    values = table(rows)
    assert values["labelfree.cka", "a", "b"] == values["labelfree.cka", "b", "a"]
    assert 1 <= values["labelfree.effective_dimensions", "a", ""] <= 4
    assert (
        values["labelfree.share1", "a", ""]
        < values["labelfree.share10", "a", ""]
        == pytest.approx(1)
    )


def test_failures_have_a_reason_and_no_number(rows):
    tables.failures(rows, [Absent("vit", "weights", "download them"), Absent("x", "error", "no")])
    assert table(rows) == {
        ("failed.weights", "vit", "download them"): None,
        ("failed.error", "x", "no"): None,
    }


def test_classes_left_out_are_listed_with_their_size(rows):
    class Images(SimpleNamespace):
        def __len__(self):
            return 9

    images = Images(
        decoded=SimpleNamespace(skipped=["a"] * 2),
        names=("cat", "dog"),
        labelled=7,
        class_sizes={"cat": 6, "dog": 1},
        untestable=[1],
    )
    source = SimpleNamespace(items=range(11), total=50)
    tables.data(rows, images, source)
    assert table(rows) == {
        ("data.files", "", ""): 11,
        ("data.skipped", "", ""): 2,
        ("data.total", "", ""): 50,
        ("data.unlabelled", "", ""): 2,
        ("data.class", "", "cat"): 6,
        ("data.class", "", "dog"): 1,
        ("data.left_out", "", "dog"): 1,
    }


def test_images_per_second_are_those_of_one_processor(rows):
    none = {"stability": None, "reconstruction": None, "inverse": None}
    tables.measurements(rows, SimpleNamespace(encoded=encoded("dct", cpu_ms=4.0), **none), {}, 9)
    assert table(rows)["cost.images_s", "dct", ""] == 250


@pytest.mark.parametrize("metric", ["probe", "retrieval"])
def test_gains_are_missing_at_the_main_size_alone(rows, metric):
    def ends(value):
        return Interval(value, value - 0.1, value + 0.1)

    small, large = AtSize(64, encoded("hog")), AtSize(128, encoded("hog"))
    scores = (SizeScore(small, ends(0.5)), SizeScore(large, ends(0.7), gain=ends(0.2)))
    tables.sizes(rows, SizeComparison(metric, (small, large), scores, None))
    assert table(rows) == {
        ("cost.ms_size", "hog", "64"): 2,
        ("cost.ms_size", "hog", "128"): 2,
        (f"accuracy.{metric}_size", "hog", "64"): 0.5,
        (f"accuracy.{metric}_size", "hog", "128"): 0.7,
        ("difference.size", "hog", "128"): 0.2,
    }
    assert (rows.rows[-1].lo, rows.rows[-1].hi) == pytest.approx((0.1, 0.3))


def test_retrieval_has_no_difference_of_the_leader_to_itself(rows):
    results = SimpleNamespace(
        encoded=[encoded("hog"), encoded("dct")],
        verdict=SimpleNamespace(leader=1, standings=[standing(0.6, 0.2), standing(0.8, 0)]),
    )
    tables.retrieval(rows, results)
    assert table(rows) == {
        ("accuracy.retrieval", "hog", ""): 0.6,
        ("difference.retrieval", "hog", "dct"): -0.2,
        ("accuracy.retrieval", "dct", ""): 0.8,
    }


def test_the_budget_of_what_is_trained_is_stated(rows):
    for part in (encoded("snnl", fitted_on="fold", budget="60 epochs"), encoded("hog")):
        tables.cost(rows, part, {})
    stated = [(row.spec, row.detail, row.value) for row in rows.rows if row.metric == "trained"]
    assert stated == [("snnl", "60 epochs", 1)]
