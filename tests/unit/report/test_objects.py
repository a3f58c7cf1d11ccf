"""Retrieval beside classes: its own standing, plots and table."""

from dataclasses import replace

import pytest
import report_fixture as fixture

from imrep.report import objects
from imrep.report.findings import Findings
from imrep.results import Row

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "histogram")}
SCORES = {"dct": 0.5, "scattering": 0.6, "histogram": 0.9}
VERDICT = {
    "sentence": "clear", "text": "**histogram** finds it.", "pick": "histogram",
    "leader": "histogram", "equals": ["histogram"], "q": 2.0, "gap": 0.1, "guess": 0.07,
}  # fmt: skip


@pytest.fixture
def findings():
    """dct leads for classes, histogram for objects."""
    *rows, verdict = fixture.rows("clear", specs=FEW)
    for spec, score in SCORES.items():
        own = {"spec": spec, "role": "contender", "unit": "share"}
        ends = {"lo": score - 0.1, "hi": score + 0.1}
        rows.append(Row(kind="accuracy", metric="retrieval", value=score, **ends, **own))
        if spec != "histogram":
            gap, detail = score - 0.9, {"detail": "histogram", "lo": -0.5, "hi": -0.1}
            rows.append(Row(kind="difference", metric="retrieval", value=gap, **detail, **own))
    detail = {**verdict.detail, "retrieval": VERDICT}
    return Findings([*rows, replace(verdict, detail=detail)])


def test_without_it_there_is_no_section():
    assert objects.beside_classes(Findings(fixture.rows(specs=FEW))) is None


def test_it_has_its_own_leader_and_no_controls(findings):
    retrieved = objects.beside_classes(findings)
    assert findings.measure == "probe" and retrieved.measure == "retrieval"
    assert findings.contenders[0] == "dct" and retrieved.contenders[0] == "histogram"
    assert retrieved.standing("histogram") == "pick" and retrieved.standing("dct") == "other"
    assert findings.controls and not retrieved.controls
    assert retrieved.guess == 0.07


def test_its_plots_have_intervals(findings):
    cost, gaps = objects.charts(objects.beside_classes(findings))
    assert (cost.id, gaps.id) == ("object-cost", "object-differences")
    points = {point["spec"]: point for point in cost.wide["data"]["values"]}
    for spec, score in SCORES.items():
        assert points[spec]["y"] == pytest.approx(100 * score)
        assert (points[spec]["lo"], points[spec]["hi"]) == pytest.approx(
            (100 * score - 10, 100 * score + 10)
        )
    assert "mean average precision" in cost.alt.lower()
    assert gaps.wide["data"]["values"][1]["lo"] == -50


def test_its_table_has_the_differences_to_its_leader(findings):
    table = objects.differences_table(objects.beside_classes(findings))
    assert {line.name: line.cells[0].text for line in table.lines} == {
        "scattering": "−30", "dct": "−40",
    }  # fmt: skip


def test_a_single_one_has_no_differences(findings):
    rows = [row for row in findings.rows if row.spec in ("", "histogram") or row.kind == "verdict"]
    rows = [row for row in rows if row.kind != "difference"]
    plots = objects.charts(objects.beside_classes(Findings(rows)))
    assert [chart.id for chart in plots] == ["object-cost"]
