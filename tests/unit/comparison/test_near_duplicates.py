"""Every near-duplicate has a reason in words; the list of them is complete."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.output import near_duplicates
from imrep.duplicates.search import Duplicates, Edge
from imrep.images import Facts

FACTS = Facts(width=640, height=480, bytes=9, type="JPEG", mode="RGB", quantisation=0)
SMALL = Facts(width=320, height=240, bytes=9, type="PNG", mode="RGB", quantisation=0)


def edge(i=0, j=1, *, v=0.99, hn=0.97, mirrored=False, identical=False, **differences):
    return Edge(i, j, v, hn, mirrored, identical, **differences)


def collection(edges, labels, component):
    items = [SimpleNamespace(path=f"{k}.png", label=label) for k, label in enumerate(labels)]
    copies = Duplicates(tuple(edges), np.array(component), np.zeros(len(labels), bool))
    decoded = SimpleNamespace(items=items, facts=[FACTS] * len(labels))
    return SimpleNamespace(duplicates=copies, decoded=decoded, label_texts=list(labels))


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ({}, "nearly equal, agreement 0.97"),
        ({"identical": True, "same_file": True}, "equal files"),
        ({"identical": True}, "equal pixels at this size"),
        ({"mirrored": True}, "mirrored, agreement 0.97"),
        ({"shift": (-1 / 16, 1 / 32)}, "shifted 6%, agreement 0.97"),
        ({"brightness": 0.7}, "darker ×0.70, agreement 0.97"),
        ({"brightness": 1.3, "mirrored": True}, "mirrored, brighter ×1.30, agreement 0.97"),
        ({"brightness": 0.98}, "nearly equal, agreement 0.97"),
        ({"zoom": 8 / 7, "shift": (1 / 32, 0)}, "enlarged part, agreement 0.97"),
        ({"zoom": 7 / 8}, "wider view, agreement 0.97"),
        ({"hn": 0.71}, "partly different, agreement 0.71"),
    ],
)
def test_the_reason_names_what_differs(differences, words):
    assert near_duplicates.reason(edge(**differences), FACTS, FACTS) == words


def test_the_reason_names_what_the_files_state():
    words = near_duplicates.reason(edge(), FACTS, SMALL)
    assert words == "320×240 for 640×480 px, PNG for JPEG, agreement 0.97"
    equal = near_duplicates.reason(edge(identical=True), FACTS, SMALL)
    assert equal == "equal pixels at this size, 320×240 for 640×480 px, PNG for JPEG"


def test_conflicts_come_first_and_then_a_pair_of_every_group():
    burst = [edge(i, i + 1) for i in range(20)]
    others = [edge(30, 31), edge(32, 33)]
    labels = ["a"] * 33 + ["b"]
    component = [0] * 21 + list(range(1, 10)) + [10, 10, 11, 11]
    pairs = near_duplicates.pairs(collection([*burst, *others], labels, component))
    ends = [(each.i, each.j) for each, _ in pairs]
    assert len(ends) == 12
    assert ends[:4] == [(32, 33), (0, 1), (30, 31), (1, 2)]
    assert [pair.conflict for _, pair in pairs] == [True] + [False] * 11
    assert pairs[0][1].reason == "nearly equal, agreement 0.97"


def test_the_list_has_every_pair(tmp_path):
    edges = [
        edge(0, 1, mirrored=True, shift=(0.0625, 0.0), brightness=0.7),
        edge(2, 3, v=1.0, hn=1.0, identical=True, same_file=True),
    ]
    path = tmp_path / near_duplicates.FILENAME
    near_duplicates.write(path, collection(edges, ["a", None, "b", "b"], [0, 0, 1, 1]))
    first, second = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert (first["path"], first["copy"], first["label"], first["copy_label"]) == (
        *("0.png", "1.png"),
        *("a", ""),
    )
    assert first["reason"] == "mirrored, shifted 6%, darker ×0.70, agreement 0.97"
    assert (float(first["right"]), float(first["brightness"])) == (0.0625, 0.7)
    assert (first["mirrored"], first["equal"], second["equal"]) == ("1", "", "files")


def test_a_run_without_any_removes_an_earlier_list(tmp_path):
    path = tmp_path / near_duplicates.FILENAME
    near_duplicates.write(path, collection([edge()], ["a", "a"], [0, 0]))
    assert path.exists()
    near_duplicates.write(path, collection([], ["a", "a"], [0, 1]))
    assert not path.exists()
