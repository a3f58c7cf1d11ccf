"""Classes, duplicates and groups of a collection, and the part of it that can be tested."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data.image_collection import ImageCollection, collect
from imrep.comparison.data.labelled_dataset import labelled
from imrep.datasets import Dataset, Item
from imrep.datasets.sources import Refused
from imrep.datasets.target import CLASSES, Target
from imrep.duplicates.search import Duplicates, Edge


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


def items(labels, groups=None):
    groups = groups or [None] * len(labels)
    return tuple(
        replace(Item.of(f"{i}.png", label, Refused("not read here")), group=group)
        for i, (label, group) in enumerate(zip(labels, groups, strict=True))
    )


def collected(labels, groups=None, *, builtin=False, repeats=(), target=CLASSES):
    """A collection of noise images; `repeats` are pairs (copy, original)."""
    squares = np.random.default_rng(0).integers(0, 256, (len(labels), 16, 16, 3), np.uint8)
    for copy, original in repeats:
        squares[copy] = squares[original]
    own = items(labels, groups)
    digests = tuple(map(str, range(len(labels))))
    decoded = SimpleNamespace(
        key=str((labels, repeats)), items=own, squares=squares, digests=digests
    )
    labelled = target == CLASSES and any(labels)
    dataset = SimpleNamespace(labelled=labelled, builtin=builtin, items=own, target=target)
    return collect(dataset, decoded, 0, lambda step, done, total: None)


def collection(labels, groups, names=("a", "b", "c"), untestable=()):
    """One without images."""
    n = len(labels)
    return ImageCollection(
        decoded=SimpleNamespace(items=items([None] * n)),
        duplicates=Duplicates((), np.arange(n), np.zeros(n, bool)),
        labels=np.array(labels),
        names=names,
        groups=np.array(groups),
        relaxed=(),
        untestable=untestable,
        builtin=False,
        seed=0,
    )


def test_numbers_and_label_sets_go_with_their_images_and_copies_share_a_group():
    images = collected([1.5, None, 1.5, 0.0], repeats=[(2, 0)], target=Target("value", "price"))
    np.testing.assert_array_equal(images.values, [1.5, np.nan, 1.5, 0.0])
    assert images.target.column == "price" and images.label_sets is None and images.labelled == 3
    assert images.groups[0] == images.groups[2] and len(set(images.groups)) == 3
    assert images.names == () and set(images.labels) == {-1} and labelled(images) is None
    sets = [("a", "b"), (), None, ("b",)]
    images = collected(sets, ["s", "s", None, None], target=Target("labels", "labels"))
    assert images.label_sets == tuple(sets) and images.values is None and images.labelled == 3
    assert images.groups[0] == images.groups[1] and len(set(images.groups)) == 3


def test_labels_are_indices_into_sorted_names():
    images = collected(["dog", "cat", None, "dog"])
    assert images.names == ("cat", "dog")
    assert images.labels.tolist() == [1, 0, -1, 1]
    assert (images.labelled, len(images)) == (3, 4)
    assert images.class_sizes == {"cat": 1, "dog": 2}


def test_the_users_groups_and_duplicates_are_merged():
    images = collected(["a"] * 6 + ["b"] * 6, ["x", "x"] + [None] * 10, repeats=[(2, 1)])
    first = images.groups[0]
    assert np.flatnonzero(images.groups == first).tolist() == [0, 1, 2]
    assert len(np.unique(images.groups)) == 10


def test_built_in_tiles_are_reported_and_not_joined():
    images = collected(["a"] * 4, repeats=[(1, 0)], builtin=True)
    assert images.duplicates.images == 2
    assert len(np.unique(images.groups)) == 4


def test_conflicts_are_duplicates_of_two_classes():
    assert collected(["a", "a", "b", "b"], repeats=[(2, 0)]).conflicts == 1
    assert collected(["a", "a", "b", "b"], repeats=[(1, 0)]).conflicts == 0


def test_conflicts_of_label_sets_are_duplicates_with_other_labels():
    sets, target = [("a", "b"), ("a", "b"), ("a",), (), None], Target("labels", "labels")
    images = collected(sets, repeats=[(1, 0)], target=target)
    assert images.label_texts == ["a, b", "a, b", "a", "none of the labels", None]
    assert images.conflicts == 0
    assert collected(sets, repeats=[(2, 0)], target=target).conflicts == 1
    assert collected(sets, repeats=[(3, 0)], target=target).conflicts == 1
    assert collected(sets, repeats=[(4, 0)], target=target).conflicts == 0  # not known


def test_duplicates_come_from_the_cache_the_second_time(monkeypatch):
    first = collected(["a"] * 4, repeats=[(1, 0)]).duplicates
    monkeypatch.setattr("imrep.duplicates.search.find", None)
    again = collected(["a"] * 4, repeats=[(1, 0)]).duplicates
    assert again.edges == first.edges == (Edge(0, 1, 1.0, 1.0, False, True),)
    assert isinstance(again.edges[0].shift, tuple)
    assert again.component.tolist() == first.component.tolist()


def test_only_testable_classes_are_numbered():
    """Class b is one group; c moves up to 1."""
    labels, groups = [0, 0, 1, 1, 2, 2, -1], [0, 1, 2, 2, 3, 4, 5]
    dataset = labelled(collection(labels, groups, untestable=(1,)))
    assert dataset.rows.tolist() == [0, 1, 4, 5]
    assert dataset.classes == ("a", "c")
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert dataset.groups.tolist() == [0, 1, 3, 4]
    assert len(dataset) == 4
    assert dataset.class_sizes == dataset.groups_per_class == [2, 2]


def test_images_of_one_group_count_once():
    dataset = labelled(collection([0] * 4 + [1] * 4, [0, 0, 1, 1, 2, 3, 4, 5]))
    assert dataset.class_sizes == [4, 4]
    assert dataset.groups_per_class == [2, 4]


@pytest.mark.parametrize(
    ("labels", "untestable"), [([-1] * 4, ()), ([0] * 4, ()), ([0, 0, 1, 1], (1,))]
)
def test_without_two_testable_classes_there_is_no_labelled_dataset(labels, untestable):
    assert labelled(collection(labels, range(4), untestable=untestable)) is None


def test_a_data_set_has_its_labels_only_where_most_images_have_one():
    assert not Dataset("x", items(["a", "b", None, None])).labelled
