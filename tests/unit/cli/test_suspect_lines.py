"""The line on suspected label errors after the table."""

from pathlib import Path
from types import SimpleNamespace

from imrep.cli.suspect_lines import suspect_lines


def compared(listed, **values):
    rows = [SimpleNamespace(kind="suspects", metric=m, value=v) for m, v in values.items()]
    return SimpleNamespace(folder=Path("report"), rows=rows, suspects=lambda: [{}] * listed)


def test_it_says_how_many_and_where():
    assert suspect_lines(compared(12, wrong=15.0, right=4.0)) == [
        "12 labels to check, about 8 of them wrong: report/suspects.csv"
    ]
    assert suspect_lines(compared(1, wrong=0.0, right=1.0)) == [
        "1 label to check, none need be wrong: report/suspects.csv"
    ]


def test_without_a_list_there_is_no_line():
    assert suspect_lines(compared(0)) == []
