"""Tables: every column has its cells, differences lack the best, errors are sorted by share."""

import pytest
import report_fixture as fixture

from imrep.report import tables, words
from imrep.report.findings import Findings

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "hog", "sift")}


@pytest.fixture(scope="module")
def findings():
    return Findings(fixture.rows(specs=FEW, sizes=True))


def column(table, title):
    index = [c.title for c in table.columns].index(title)
    return {line.name: line.cells[index] for line in table.lines}


def test_every_line_has_a_cell_for_every_column(findings):
    for table in (
        tables.differences(findings),
        tables.crossed(findings, "cost", "ms_size", "x", words.digits),
    ):
        assert table and {len(line.cells) for line in table.lines} == {len(table.columns)}


def test_the_best_has_no_difference_to_itself(findings):
    table = tables.differences(findings)
    assert "dct" not in [line.name for line in table.lines] and len(table.lines) == 3
    assert column(table, "points behind the best")["hog"].text == "−34"
    assert column(table, "95% interval")["hog"].text == "−40 to −28"
    assert column(table, "needed to tell the two apart")["hog"].text == "3.6"


def test_lines_are_grouped_as_they_are_sorted():
    standings = ["control", "pick", "other", "together", "tied"]
    lines = [tables.Line(name=each, cells=[], standing=each) for each in standings]
    table = tables.Table(caption="", first="", columns=[], lines=lines)
    groups = [[line.name for line in body] for body in table.bodies]
    assert groups == [["pick", "other", "tied"], ["together"], ["control"]]


def test_a_crossed_table_has_a_column_for_each_detail(findings):
    table = tables.crossed(findings, "cost", "ms_size", "Times", words.digits)
    assert [c.title for c in table.columns] == ["32", "64", "128"]
    value = findings.value("cost", "ms_size", "hog", "128")
    assert column(table, "128")["hog"].value == value
    similar = tables.crossed(findings, "labelfree", "cka", "CKA", words.ratio)
    assert [c.title for c in similar.columns] == [findings.short[s] for s in findings.contenders]
    assert column(similar, "hog")["hog"].text == "–"
    assert not tables.recalls(findings)
