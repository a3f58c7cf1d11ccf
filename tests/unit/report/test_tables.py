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


def test_frequent_errors_are_sorted_by_their_share_of_the_class():
    table = tables.confusions(["a", "b", "c"], [[90, 10, 0], [3, 5, 2], [0, 0, 0]])
    lines = [(line.name, *(cell.text for cell in line.cells)) for line in table.lines]
    assert lines == [("b", "a", "3", "30%"), ("b", "c", "2", "20%"), ("a", "b", "10", "10%")]
    ties = tables.confusions(["b", "a", "c"], [[8, 1, 1], [1, 8, 1], [0, 0, 9]]).lines
    assert [(line.name, line.cells[0].text) for line in ties] == [
        ("a", "b"), ("a", "c"), ("b", "a"), ("b", "c")]  # fmt: skip
    many = [[0 if i == j else 1 for j in range(9)] for i in range(9)]
    assert len(tables.confusions(list("abcdefghi"), many).lines) == 10
    assert not tables.confusions(["a", "b"], [[3, 0], [0, 3]])
