"""What another size gains and costs: the rows drawn, and the tables of all."""

import pytest
import report_fixture as fixture

from imrep.report import sizes
from imrep.report.findings import Findings


@pytest.fixture
def findings():
    return Findings(fixture.rows("tied", sizes=True))


def test_without_sizes_there_is_no_section():
    assert sizes.charts(Findings(fixture.rows())) == []
    assert not any(sizes.by_size(Findings(fixture.rows())).values())


def test_gains_of_the_pick_come_first_with_their_intervals(findings):
    chart = next(chart for chart in sizes.charts(findings) if chart.id == "size-gains")
    points = chart.wide["data"]["values"]
    assert [point["row"] for point in points[:3]] == [
        "dct, 32 px",
        "dct, 128 px",
        "scattering, 32 px",
    ]
    for point in points:
        name, size = point["row"].removesuffix(" px").split(", ")
        row = findings.row("difference", "size", point["spec"], size)
        assert (point["lo"], point["x"], point["hi"]) == pytest.approx(
            (100 * row.lo, 100 * row.value, 100 * row.hi), abs=1e-3
        )
        assert name == findings.short[point["spec"]]
    assert "dct, 128 px +4 (−1 to +7)" in chart.alt
    assert "than at 64 px" in chart.alt


def test_the_plots_show_the_best_and_the_tables_all(findings):
    drawn = {chart.id: chart.wide["data"]["values"] for chart in sizes.charts(findings)}
    for id in ("sizes", "size-costs"):
        assert {point["spec"] for point in drawn[id]} == set(findings.contenders[:8])
    tables = sizes.by_size(findings)
    for table in tables.values():
        assert [line.name for line in table.lines] == findings.contenders
    assert [column.title for column in tables["sizes"].columns] == ["32 px", "64 px", "128 px"]
    assert [column.title for column in tables["size-gains"].columns] == ["32 px", "128 px"]


def test_cells_have_intervals(findings):
    tables = sizes.by_size(findings)
    assert tables["sizes"].lines[0].cells[1].text == "84% (77–91%)"
    assert tables["size-gains"].lines[0].cells[1].text == "+4 (−1 to +7)"
    assert tables["size-costs"].lines[0].cells[1].text == "0.080"


def test_without_labels_only_times_are_drawn():
    findings = Findings(fixture.rows("unlabelled", sizes=True))
    assert [chart.id for chart in sizes.charts(findings)] == ["size-costs"]
