"""The reliability diagram: its points, its sentence, the table beside it."""

import re

import report_fixture as fixture

from imrep.report import reliability
from imrep.report.findings import Findings
from imrep.results import Row


def test_the_points_are_those_of_the_pick():
    chart = reliability.chart(Findings(fixture.rows()))
    points = chart.wide["data"]["values"]
    assert len(points) == 10 and {point["spec"] for point in points} == {"dct"}
    assert all(point["lo"] <= point["y"] <= point["hi"] for point in points)
    assert "36% says, 34% right" in chart.alt


def test_the_sentence_needs_twenty_images():
    rows = fixture.rows()
    assert reliability.sentence(Findings(rows)) == (
        "When it says 90% or more, it is right in 91% of cases (95% interval 84–95%; 132 images)."
    )
    few = [
        Row(**{**vars(row), "value": 19.0}) if row.metric == "sure_images" else row for row in rows
    ]
    assert reliability.sentence(Findings(few)) == ""


def test_the_table_has_every_representation():
    table = reliability.table(Findings(fixture.rows()))
    assert [line.name for line in table.lines] == Findings(fixture.rows()).contenders
    assert re.fullmatch(r"\d\.\d points", table.lines[0].cells[1].text)


def test_runs_without_probabilities_have_neither():
    findings = Findings(fixture.rows("unlabelled"))
    assert reliability.chart(findings) is None and reliability.sentence(findings) == ""
    assert not reliability.table(findings)
