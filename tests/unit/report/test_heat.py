"""Heat maps: which cells, which values."""

import pytest
import report_fixture as fixture

from imrep.report import heat
from imrep.report.findings import Findings


def test_cka_is_symmetric_and_one_with_itself():
    findings = Findings(fixture.rows())
    cells = heat.similarity(findings).wide["data"]["values"]
    n = len(findings.contenders)
    values = {(cell["spec"], cell["and"]): cell["value"] for cell in cells}
    assert len(values) == n * n
    for (first, second), value in values.items():
        assert value == values[second, first] and (value == 1) == (first == second)


def test_one_order_of_a_pair_is_enough():
    rows = [r for r in fixture.rows() if r.metric != "cka" or r.spec < r.detail]
    cells = heat.similarity(Findings(rows)).wide["data"]["values"]
    specs = Findings(rows).measured("labelfree", "cka")
    assert len(cells) == len(specs) ** 2 >= 100


def test_rows_of_stability_ascend_in_their_mean():
    findings = Findings(fixture.rows())
    cells = heat.stability(findings).wide["data"]["values"]
    order = list(dict.fromkeys(cell["spec"] for cell in cells))
    means = [findings.value("stability", "moves", spec) for spec in order]
    assert means == sorted(means) and len(cells) == 9 * len(order)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, ".00"), (0.484, ".48"), (0.994, ".99"), (0.996, "1.0"), (12.34, "12.3")],
)
def test_numbers_of_cells_are_short(number, text):
    assert heat._two_digits(number) == text
