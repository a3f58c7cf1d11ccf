"""Tables: every column has its cells, differences lack the best, errors are sorted by share."""

import pytest
import report_fixture as fixture

from imrep.report import results_table, tables, words
from imrep.report.findings import Findings
from imrep.results import Row

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "hog", "sift")}


@pytest.fixture(scope="module")
def findings():
    return Findings(fixture.rows(specs=FEW, sizes=True))


def column(table, title):
    index = [c.title for c in table.columns].index(title)
    return {line.name: line.cells[index] for line in table.lines}


def test_every_line_has_a_cell_for_every_column(findings):
    for table in (
        results_table.main(findings),
        results_table.spread(findings),
        tables.differences(findings),
        tables.crossed(findings, "cost", "ms_size", "x", words.digits),
    ):
        assert table and {len(line.cells) for line in table.lines} == {len(table.columns)}


def test_contenders_come_first_and_controls_last(findings):
    names = [line.name for line in results_table.main(findings).lines]
    assert names == [*findings.contenders, *fixture.CONTROLS]
    standings = [line.standing for line in results_table.main(findings).lines]
    assert standings == ["pick", "tied", "other", "tied"] + ["control"] * 4


def test_an_interval_stands_after_its_score(findings):
    table = results_table.main(findings)
    titles = [c.title for c in table.columns]
    assert titles.index("95% interval") == titles.index("accuracy") + 1
    assert column(table, "95% interval")["dct"].text == "77–91%"
    assert column(table, "95% interval")["noise"].text == "–"
    assert column(table, "accuracy")["dct"].bar == column(table, "accuracy")["dct"].value


def test_the_best_has_no_difference_to_itself(findings):
    assert column(results_table.main(findings), "p-value")["dct"].text == "the best"
    table = tables.differences(findings)
    assert "dct" not in [line.name for line in table.lines] and len(table.lines) == 3
    assert column(table, "points behind the best")["hog"].text == "−34"
    assert column(table, "95% interval")["hog"].text == "−40 to −28"


def test_columns_without_a_number_are_left_out(findings):
    titles = [c.title for c in results_table.main(findings).columns]
    assert "fit, s" in titles and "mean average precision" not in titles
    rows = [row for row in fixture.rows(specs=FEW) if row.metric != "fit_s"]
    assert "fit, s" not in [c.title for c in results_table.main(Findings(rows)).columns]


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


def test_notes_name_what_is_special():
    common = {"kind": "cost", "metric": "ms", "value": 1.0, "role": "contender"}
    rows = [
        Row(**common, spec="a", S=224, fitted_on="fold", fingerprint="object-1"),
        Row(**common, spec="b", S=64, fitted_on="all"),
        Row(kind="accuracy", metric="constant", value=1, spec="b", role="contender"),
        Row(kind="verdict", metric="sentence", detail={"sentence": "unlabelled"}),
    ]
    notes = {line.name: line.note for line in results_table.main(Findings(rows)).lines}
    assert notes == {
        "a": "read at 224 pixels, fitted in each fold, passed as an object",
        "b": "read at 64 pixels, fitted once on all, constant: the same code for every image",
    }
