"""The table of results: which lines and columns it has, and in which order."""

from dataclasses import replace

import pytest
import report_fixture as fixture

from imrep.report import results_table
from imrep.report.findings import Findings

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "hog", "sift")}


@pytest.fixture(scope="module")
def findings():
    return Findings(fixture.rows(specs=FEW))


def column(table, title):
    index = [c.title for c in table.columns].index(title)
    return {line.name: line.cells[index] for line in table.lines}


def test_every_line_has_a_cell_for_every_column(findings):
    for table in (results_table.main(findings), results_table.spread(findings)):
        assert {len(line.cells) for line in table.lines} == {len(table.columns)}


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


def test_columns_without_a_number_are_left_out(findings):
    titles = [c.title for c in results_table.main(findings).columns]
    assert "fit, s" in titles and "mean average precision" not in titles
    rows = [row for row in fixture.rows(specs=FEW) if row.metric != "fit_s"]
    assert "fit, s" not in [c.title for c in results_table.main(Findings(rows)).columns]


def test_classifiers_stand_beside_the_accuracy(findings):
    table = results_table.main(findings)
    titles = [c.title for c in table.columns]
    assert titles[:5] == ["accuracy", "95% interval", "by", "linear accuracy", "k-NN accuracy"]
    by = column(table, "by")
    assert [by[spec].text for spec in FEW] == ["gaussian", "linear", "exponential", "gaussian"]
    assert by["noise"].text == "–" and by["dct"].wordy
    assert column(table, "linear accuracy")["hog"].text == "45%"


def test_a_run_without_them_has_no_such_columns():
    rows = [r for r in fixture.rows(specs=FEW) if r.metric not in ("by", "linear")]
    titles = [c.title for c in results_table.main(Findings(rows)).columns]
    assert titles[:3] == ["accuracy", "95% interval", "k-NN accuracy"]


def test_costs_sort_from_the_cheapest(findings):
    table = results_table.main(findings)
    low = [c.title for c in table.columns if c.low_first]
    assert low == ["ms per image", "KB per image", "dimensions", "fit, s"]
    assert [c.title for c in table.columns if c.ranks] == ["accuracy"]
    assert [c.title for c in results_table.spread(findings).columns if c.low_first] == [
        "wall-clock ms",
        "MB of memory",
    ]


def test_vectors_of_the_user_have_dashes_where_an_encoder_is_needed():
    table = results_table.main(Findings(fixture.rows(specs=FEW, own=("hog",))))
    assert column(table, "ms per image")["hog"].text == "–"
    assert column(table, "sensitivity")["hog"].text == "–"
    assert column(table, "KB per image")["hog"].text == "7.1"


def test_a_combination_has_a_line_after_the_contenders():
    findings = Findings(fixture.rows(specs=FEW, together=True))
    table = results_table.main(findings)
    assert [line.name for line in table.lines][4] == "together"
    assert column(table, "accuracy")["together"].text == "89%"


def test_a_stated_time_is_printed_as_such():
    rows = fixture.rows(own=("sift",))
    size = next(row for row in rows if row.spec == "sift" and row.metric == "bytes")
    stated = [
        replace(size, metric="ms", value=12.0, unit="ms"),
        replace(size, metric="ms_stated", value=1, unit="flag"),
    ]
    for added, text in (([], "–"), (stated, "12, as you said")):
        table = results_table.main(Findings([*added, *rows]))
        assert column(table, "ms per image")["sift"].text == text


def test_the_caution_stands_in_this_table_alone():
    table = results_table.main(Findings(fixture.rows(own=("sift",))))
    assert [line.name for line in table.lines if line.caution] == ["sift"]
