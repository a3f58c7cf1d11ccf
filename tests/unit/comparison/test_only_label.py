"""Several labels of which one can be tested become two classes."""

from types import SimpleNamespace

import numpy as np

from imrep.comparison.data.only_label import as_classes, only_label
from imrep.datasets import Dataset, Item
from imrep.datasets.sources import Refused
from imrep.datasets.target import Target

SETS = [("dog",)] * 5 + [("dog", "cat")] + [()] * 5 + [None]


def images(sets):
    return SimpleNamespace(label_sets=sets, groups=np.arange(len(sets or ())), left_out=())


def test_it_is_the_one_that_enough_images_have_and_lack():
    assert only_label(images(SETS)) == "dog"
    assert only_label(images([*SETS, *[("cat",)] * 5])) is None  # two can be tested
    assert only_label(images(SETS[4:])) is None  # none can
    assert only_label(images(None)) is None  # classes


def test_images_are_in_the_class_of_the_label_or_in_the_other():
    items = tuple(
        Item(f"{i}.png", labels=each, source=Refused("none")) for i, each in enumerate(SETS)
    )
    target = Target("labels", "tags")
    found = as_classes(Dataset("set", items, ("a note",), target=target, all_items=items), "dog")
    expected = ["dog"] * 6 + ["not dog"] * 5 + [None]
    assert [item.label for item in found.items] == expected
    assert [item.label for item in found.all_items] == expected
    assert all(item.labels is None for item in found.items)
    assert found.target == Target("class", "tags")
    assert found.notes == (
        "a note",
        "dog is the only label to be tested, as a class beside all other images. 1 other label is "
        "on fewer than 5 images (or groups), or missing from fewer.",
    )
