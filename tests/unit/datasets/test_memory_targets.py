"""Targets of images in memory."""

import math

import numpy as np
import pytest
import torch

from imrep.datasets import memory_targets
from imrep.datasets.target import ANY, CLASSES, Request
from imrep.errors import BadData


def read(labels, request=ANY, number=None):
    return memory_targets.read(labels, number or len(labels), request, "compare")


@pytest.mark.parametrize(
    ("labels", "kind", "answers"),
    [
        ([1.5, 2.0, math.nan], "value", [1.5, 2.0, None]),
        (np.array([0.5, 1.0]), "value", [0.5, 1.0]),
        (torch.tensor([0.5, 2.0]), "value", [0.5, 2.0]),
        ([0, 1, 2], "class", ["0", "1", "2"]),
        ([1.0, 2.0, None], "class", ["1", "2", None]),
        ([["b", "a"], [], None], "labels", [("a", "b"), (), None]),
        ([{"a"}, ("b",)], "labels", [("a",), ("b",)]),
        (np.array([[1, 0], [1, 1]]), "labels", [("0",), ("0", "1")]),
        (torch.tensor([[0, 0], [0, 1]]), "labels", [(), ("1",)]),
        (["a|b", "c"], "class", ["a|b", "c"]),
    ],
)
def test_the_kind_follows_from_the_types(labels, kind, answers):
    target, read_answers = read(labels)
    assert (target.kind, read_answers) == (kind, answers)


def test_the_kind_can_be_said():
    assert read([1, 2], Request(kind="value"))[1] == [1.0, 2.0]
    assert read([0.5, 1.5], Request(kind="class"))[1] == ["0.5", "1.5"]
    assert read(["a|b", ""], Request(kind="labels"))[1] == [("a", "b"), ()]
    assert read([0.5], None) == (CLASSES, ["0.5"])


def test_a_target_has_the_name_of_its_series():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert read(pandas.Series([1.5], name="price"))[0].column == "price"
    assert read(pandas.Series([1.5], name="price"), Request("cost"))[0].column == "cost"
    frame = pandas.DataFrame({"dog": [1, 0], "cat": [True, False]})
    assert read(frame)[1] == [("cat", "dog"), ()]


@pytest.mark.parametrize(
    ("labels", "request_", "message"),
    [
        ([1.5, math.inf], ANY, r"compare needs numbers, got inf in y\[1\]\. Write a finite"),
        (["1,5"], Request(kind="value"), r"got '1,5' in y\[0\]"),
        (np.array([[1, 2], [0, 1]]), ANY, "labels as columns of 0 and 1"),
        (np.zeros((2, 1)), ANY, r"Give y\.tolist\(\)"),
    ],
)
def test_what_is_no_target_is_refused(labels, request_, message):
    with pytest.raises(BadData, match=message):
        read(labels, request_)


def test_there_is_one_for_each_image():
    with pytest.raises(BadData, match="for each of 3 pictures, got 1"):
        read([1.5], number=3)
    assert read(None, ANY, 2) == (CLASSES, [None, None])
    with pytest.raises(BadData, match=r"needs numbers beside the pictures.*Give \(pictures, y\)"):
        read(None, Request(kind="value"), 2)
