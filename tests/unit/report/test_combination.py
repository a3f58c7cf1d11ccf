"""The table of weights: by falling weight, with the folds that chose each part."""

import report_fixture as fixture

from imrep.report import combination, differences, tables
from imrep.report.findings import Findings

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "hog")}


def test_parts_stand_by_falling_weight():
    table = combination.weights(Findings(fixture.rows(specs=FEW, together=True)))
    assert [c.title for c in table.columns] == [
        "together: weight",
        "together: folds that chose it",
    ]
    lines = [(line.name, *(cell.text for cell in line.cells)) for line in table.lines]
    assert lines == [("scattering", "70%", "80%"), ("dct", "30%", "80%")]


def test_there_is_none_where_nothing_was_combined():
    assert not combination.weights(Findings(fixture.rows(specs=FEW)))


def test_its_difference_to_the_best_stands_with_the_others():
    findings = Findings(fixture.rows(specs=FEW, together=True))
    points = differences.differences(findings).wide["data"]["values"]
    assert points[-1]["spec"] == "together" and points[-1]["x"] == 5
    assert tables.differences(findings).lines[-1].cells[0].text == "+5"
