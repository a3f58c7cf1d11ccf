"""Scatter plot, differences and curves: their points are the rows' numbers."""

from dataclasses import replace
from itertools import pairwise

import pytest
import report_fixture as fixture

from imrep.report import curves, differences, labels, scatter
from imrep.report.findings import Findings


@pytest.fixture(scope="module")
def findings():
    return Findings(fixture.rows(sizes=True))


@pytest.mark.parametrize("form", ["wide", "narrow"])
def test_every_scored_representation_is_one_dot_within_the_axes(findings, form):
    spec = getattr(scatter.accuracy_and_cost(findings), form)
    points = {p["spec"]: p for p in spec["data"]["values"]}
    assert set(points) == {*findings.contenders, *findings.controls}
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    for name, point in points.items():
        value = findings.value("accuracy", "probe", name)
        assert point["y"] == pytest.approx(100 * value, abs=1e-3)
        assert low < point["ms"] < high and point["lo"] <= point["y"] <= point["hi"]
        assert -1 <= point["anchor"] < len(labels.ANCHORS)
    assert points["dct"]["standing"] == "pick" and points["dct"]["anchor"] >= 0


def test_roles_have_marks_of_their_own():
    run = Findings(fixture.rows(own=("sift",), together=True))
    points = scatter.accuracy_and_cost(run).wide["data"]["values"]
    symbols = {p["spec"]: p["symbol"] for p in points}
    assert (symbols["dct"], symbols["sift"]) == ("circle", scatter._TICK)
    assert (symbols["together"], symbols["noise"]) == ("diamond", "square")
    own = next(p for p in points if p["spec"] == "sift")
    assert own["time per image"] == "not measured"
    spec = scatter.accuracy_and_cost(run).wide
    assert own["ms"] == pytest.approx(spec["encoding"]["x"]["scale"]["domain"][1])


def test_stated_times_have_a_place_on_the_axis():
    rows = fixture.rows(own=("sift",))
    stated = next(row for row in rows if row.spec == "sift" and row.metric == "bytes")
    run = Findings([replace(stated, kind="cost", metric="ms", value=5.0, unit="ms"), *rows])
    points = {p["spec"]: p for p in scatter.accuracy_and_cost(run).wide["data"]["values"]}
    assert (points["sift"]["symbol"], points["sift"]["ms"]) == ("triangle-up", 5)


def test_controls_lie_at_half_the_smallest_cost(findings):
    points = scatter.accuracy_and_cost(findings).wide["data"]["values"]
    smallest = min(p["ms"] for p in points if p["standing"] != "control")
    assert {p["ms"] for p in points if p["standing"] == "control"} == {smallest / 2}


def test_guessing_is_a_line_where_there_are_classes(findings):
    def texts(run):
        layers = scatter.accuracy_and_cost(run).wide["layer"]
        return [layer["mark"].get("text") for layer in layers if isinstance(layer["mark"], dict)]

    assert "guessing 10%" in texts(findings)
    assert not [t for t in texts(Findings(fixture.rows("unlabelled"))) if t]


def test_differences_start_with_the_best_at_zero(findings):
    points = differences.differences(findings).wide["data"]["values"]
    assert points[0] == {"spec": "dct", "short": "dct", "standing": "pick", "x": 0, "lo": 0,
                         "hi": 0, "points": "the best"}  # fmt: skip
    assert [p["spec"] for p in points] == findings.contenders
    for point in points[1:]:
        row = findings.row("difference", "probe", point["spec"], "dct")
        assert (point["lo"], point["x"], point["hi"]) == pytest.approx(
            (100 * row.lo, 100 * row.value, 100 * row.hi), abs=1e-3
        )


@pytest.mark.parametrize(("metric", "kind"), [("probe_size", "accuracy"), ("ms_size", "cost")])
def test_curves_have_their_rows_points_and_a_name_at_each_end(findings, metric, kind):
    spec = curves.curves(findings, metric, "id", "side").wide
    points, scale = spec["data"]["values"], 1 if kind == "cost" else 100
    for point in points:
        value = findings.value(kind, metric, point["spec"], point["at"])
        assert point["y"] == pytest.approx(scale * value)
    names = next(layer for layer in spec["layer"] if layer.get("name") == "names")
    ends = names["data"]["values"]
    assert [end["spec"] for end in ends] == findings.measured(kind, metric)
    assert len({end["x"] for end in ends}) == 1  # one column of names
    ticks = spec["encoding"]["x"]["axis"]["values"]
    for point in points:  # side by side around the size
        assert min(ticks, key=lambda tick: abs(tick - point["x"])) == float(point["at"])
    x = spec["encoding"]["x"]
    assert x["axis"]["values"] == [32, 64, 128] and x["scale"]["domain"][1] > 128


def test_lines_differ_by_dash_and_marker_which_stands_beside_the_name(findings):
    line, _, dots, keys, _ = curves.curves(findings, "probe_size", "id", "side").wide["layer"]
    dashes = line["encoding"]["strokeDash"]["scale"]
    shapes = dots["encoding"]["shape"]["scale"]
    assert dashes["domain"] == shapes["domain"]
    assert dashes["domain"][0] == "dct" and dashes["range"][0] == [1, 0]
    pairs = {(*map(str, pair),) for pair in zip(dashes["range"], shapes["range"], strict=True)}
    assert len(pairs) == len(findings.contenders)
    assert keys["name"] == "keys" and keys["encoding"]["shape"] == dots["encoding"]["shape"]


def test_the_needed_difference_lies_between_the_best_and_what_was_dropped(findings):
    points = differences.differences(findings).wide["data"]["values"]
    needed = {p["spec"]: p.get("needed") for p in points}
    assert needed["dct"] is None and needed["hog"] == pytest.approx(-5.1, abs=0.01)


def test_names_at_the_ends_of_lines_do_not_overlap(findings):
    spec = curves.curves(findings, "probe_size", "id", "side").wide
    ends = next(layer for layer in spec["layer"] if layer.get("name") == "names")["data"]["values"]
    low, top = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    heights = sorted((end["name_y"] - low) / (top - low) * spec["height"] for end in ends)
    assert min(b - a for a, b in pairwise(heights)) >= labels.LINE - 1e-6
