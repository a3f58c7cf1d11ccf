"""What all plots share: two forms, wrapped names, ticks."""

import re

import pytest
import report_fixture as fixture
from hypothesis import given
from hypothesis import strategies as st

from imrep.report import curves, differences, frame, heat, reliability, scatter
from imrep.report.findings import Findings

CHARTS = {
    "cost": scatter.accuracy_and_cost,
    "differences": differences.differences,
    "labels": lambda run: curves.curves(run, "probe_curve", "labels", "labels a class"),
    "sizes": lambda run: curves.curves(run, "probe_size", "sizes", "side"),
    "size-costs": lambda run: curves.curves(run, "ms_size", "size-costs", "side"),
    "stability": heat.stability,
    "similarity": heat.similarity,
    "reliability": reliability.chart,
}


@pytest.mark.parametrize("form", ["wide", "narrow"])
@pytest.mark.parametrize("id", CHARTS)
def test_plots_are_valid_and_coloured_by_the_page_alone(id, form):
    chart = CHARTS[id](Findings(fixture.rows("tied", sizes=True)))
    assert chart.id == id
    spec = getattr(chart, form)
    import vl_convert

    svg = vl_convert.vegalite_to_svg({**spec, "width": 500}, vl_version=frame.VEGA_LITE)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert colours - {"none", "transparent", "#000"} == {c for c in colours if "var(" in c}
    assert chart.alt


@given(st.text("ab _-", max_size=80), st.integers(4, 30))
def test_wrapped_lines_are_short_and_lose_nothing_before_the_third(name, width):
    lines = frame.wrapped(name, width).split("\n")
    assert len(lines) <= 3
    assert all(len(line) <= width + 1 for line in lines)
    kept = "".join(lines).removesuffix("…").replace(" ", "")
    assert name.replace(" ", "").startswith(kept)
    if not lines[-1].endswith("…"):
        assert kept == name.replace(" ", "")


@given(st.floats(1e-4, 1e4), st.floats(1.01, 1e6), st.integers(1, 9))
def test_ticks_are_round_numbers_within_the_limits(low, ratio, decades):
    values = frame.ticks(low, low * ratio, decades)
    assert values == sorted(set(values))
    for tick in values:
        assert low - 1e-6 <= tick <= low * ratio + 1e-6
        assert f"{tick:.0e}"[0] in ("1" if ratio > 10**decades else "125")


def test_ticks_of_a_decade():
    assert frame.ticks(0.5, 20, 2) == [0.5, 1, 2, 5, 10, 20]
    assert frame.ticks(0.5, 20000, 2) == [1, 10, 100, 1000, 10000]


def test_names_above_rows_are_a_layer_of_their_own():
    plot, layers = frame.rows("spec", ["a", "b"], 24, above=False)
    assert layers == [] and plot["height"] == 48 and plot["encoding"]["y"]["axis"]
    plot, [names] = frame.rows("spec", ["a", "b"], 24, above=True)
    assert plot["height"] == 80 and plot["encoding"]["y"]["axis"] is None
    assert [value["spec"] for value in names["data"]["values"]] == ["a", "b"]
    assert frame.rows("spec", ["a\nb\nc"], 24, above=False)[0]["height"] == 46


def test_both_forms_share_everything_but_what_is_drawn():
    chart = frame.chart(
        "id", "title", "alt", lambda narrow: {"mark": "rect" if narrow else "point"}
    )
    assert (chart.wide.pop("mark"), chart.narrow.pop("mark")) == ("point", "rect")
    assert chart.wide == chart.narrow and chart.wide["description"] == "alt"


def test_a_share_in_per_cent():
    assert frame.hundred(None) is None and frame.hundred(0.12345678) == 12.346
    assert [field["field"] for field in frame.tooltip("a", "b")] == ["spec", "a", "b"]
