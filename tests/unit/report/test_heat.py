"""Heat maps: which cells, which values."""

import numpy as np
import pytest
import report_fixture as fixture

from imrep.report import heat
from imrep.report.findings import Findings


def test_of_many_classes_the_most_confused_are_shown():
    counts = (10 * np.eye(100, dtype=int)).tolist()
    counts[70][3], counts[5][90] = 9, 8
    cells = heat.confusion([f"class {i}" for i in range(100)], counts).wide["data"]["values"]
    shown = {cell["spec"] for cell in cells}
    assert {"class 70", "class 3", "class 5", "class 90"} <= shown
    assert len(cells) == 16 * 16
    worst = next(c for c in cells if (c["spec"], c["predicted"]) == ("class 70", "class 3"))
    assert worst["value"] == pytest.approx(9 / 19)


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


def test_shares_of_a_confusion_are_of_the_true_class():
    cells = heat.confusion(["a", "b", "c"], [[8, 2, 0], [0, 0, 0], [1, 1, 2]]).wide["data"][
        "values"
    ]
    table = {(c["spec"], c["predicted"]): (c["value"], c["text"], c["images"]) for c in cells}
    assert table["a", "b"] == (0.2, "20", "2") and table["a", "c"] == (0, "", "0")
    assert table["b", "b"] == (0, "", "0")  # a class without images
    assert table["c", "c"] == (0.5, "50", "2")


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
