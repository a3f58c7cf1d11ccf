"""The section on several labels."""

import numpy as np

from imrep.assets import Assets, Remark
from imrep.report.findings import Findings
from imrep.report.rankings import by_representation, ranked_wrong, table
from imrep.results import Row


def _findings():
    plain = {"n": 40, "unit": "share", "spec": "dct", "role": "contender"}
    rows = [
        Row(kind="accuracy", metric="precision", value=0.6, **plain),
        Row(kind="verdict", metric="sentence", spec="dct", n=40, detail={"leader": "dct"}),
    ]
    for label, count, precision in (("cat", 10, 0.4), ("dog", 30, 0.9)):
        rows += [
            Row(kind="data", metric="label", detail=label, value=count, unit="images", n=40),
            Row(kind="accuracy", metric="label_precision", detail=label, value=precision, **plain),
        ]
    return Findings(rows)


def test_every_label_has_its_precision_beside_that_of_guessing():
    labels = table(_findings())
    assert [column.title for column in labels.columns] == [
        "average precision", "prevalence", "images"]  # fmt: skip
    cells = {line.name: [cell.text for cell in line.cells] for line in labels.lines}
    assert list(cells.items()) == [("dog", ["90%", "75%", "30"]), ("cat", ["40%", "25%", "10"])]


def test_every_representation_has_its_column():
    every = by_representation(_findings())
    assert [column.title for column in every.columns] == ["dct"]
    assert {line.name: line.cells[0].value for line in every.lines} == {"cat": 0.4, "dog": 0.9}


def test_without_labels_there_is_no_table():
    assert not table(Findings([Row(kind="verdict", metric="sentence", detail={})]))


def _assets(labels):
    false = [Remark(f"{label}1.png", label, "other", 0.987) for label in labels]
    missed = [Remark(f"{label}2.png", label, label, 0.034) for label in labels[:2]]
    tiles = np.zeros((len(false) + len(missed), 8, 8, 3), np.uint8)
    return Assets(remarked=tiles, remarks={"false": false, "missed": missed})


def test_images_of_a_label_stand_together_and_shares_are_rounded_down():
    first, more = ranked_wrong(_assets(["a", "b", "c"]))
    assert [each.label for each in first] == ["a", "b", "c"] and not more
    assert first[1].false == [(1, "b1.png", "above 98%", "other")]
    assert first[1].missed == [(4, "b2.png", "below 96%", "b")]
    assert first[2].missed == []


def test_of_many_labels_all_but_the_first_are_folded_away():
    first, more = ranked_wrong(_assets(list("abcdefg")))
    assert [each.label for each in first + more] == list("abcdefg")
    assert len(first) == 4 and len(more) == 3
    assert ranked_wrong(Assets()) == ([], [])
