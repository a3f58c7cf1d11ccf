"""The images in the head: one of each class, a typical one."""

import numpy as np

from imrep.assets import Assets
from imrep.report.examples import examples


def assets(labels, **more):
    count = len(labels)
    tiles = np.zeros((count, 48, 48, 3), np.uint8)
    paths = [f"{i}.png" for i in range(count)]
    return Assets(thumbnails=tiles, paths=paths, labels=labels, **more)


def test_one_of_each_class_in_their_order():
    found = examples(assets([*"bbaac", None], classes=["a", "b"]), "")
    assert [example.name for example in found] == ["b", "a", "c"]
    assert [example.tile for example in found] == [0, 2, 4]


def test_the_one_that_most_of_its_class_are_near_to():
    nearest = np.array([[1], [2], [1], [0], [3], [4]])
    found = examples(assets([*"aaabbb"], neighbours={"hog": nearest}), "hog")
    assert [example.tile for example in found] == [1, 3]


def test_without_labels_a_few_spread_evenly():
    found = examples(assets([None] * 95), "")
    assert [example.tile for example in found] == list(range(0, 90, 9))
    assert {example.name for example in found} == {""}
    assert len(examples(assets([None] * 3), "")) == 3
    assert examples(Assets(), "") == []
