"""Images in memory: their pixels, names, labels, groups, and what is refused."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from imrep.datasets.in_memory import dataset, pair
from imrep.errors import BadData

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)
SHAPES = st.sampled_from([(2, 3), (2, 3, 1), (2, 3, 3), (1, 1, 4)])


def decoded(item):
    return np.asarray(Image.open(io.BytesIO(item.read())))


def pixels(*pictures, **more):
    return [decoded(item) for item in dataset(list(pictures), **more).items]


@given(SHAPES.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_bytes_are_kept(array):
    [stored] = pixels(array)
    np.testing.assert_array_equal(stored.reshape(array.shape), array)


@given(SHAPES.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_an_array_and_a_tensor_of_any_type_are_the_same_image(array):
    tensor = torch.from_numpy(array)
    tensor = tensor if array.ndim == 2 else tensor.permute(2, 0, 1)
    same = [array / 255, tensor, tensor / 255, tensor[None] if tensor.ndim == 3 else tensor,
            array.astype(np.uint16) * 257]  # fmt: skip
    for stored in pixels(*same):
        np.testing.assert_array_equal(stored.reshape(array.shape), array)


def test_truth_values_are_black_and_white():
    assert pixels(GRAY > 5)[0].tolist() == np.where(GRAY > 5, 255, 0).tolist()


def test_floats_are_rounded_and_their_round_off_clipped():
    values = np.array([[-0.0009, 0.4999 / 255, 0.5001 / 255, 1.0009]])
    assert pixels(values)[0].tolist() == [[0, 0, 1, 255]]


def test_a_tensor_with_a_gradient_is_taken():
    tensor = torch.full((3, 2, 2), 0.2, requires_grad=True)
    assert (pixels(tensor)[0] == 51).all()


def test_names_are_numbers_whose_order_is_that_of_the_images():
    items = dataset([GRAY] * 12).items
    assert [item.path for item in items] == [f"{i:06}" for i in range(12)]
    assert dataset([GRAY]).name == "pictures in memory" and dataset([GRAY] * 2).total == 2


def test_paths_keep_their_names_and_labels_follow_the_sorting(tmp_path):
    for name in ("b.png", "a.png"):
        Image.fromarray(GRAY).save(tmp_path / name)
    paths = [tmp_path / "b.png", str(tmp_path / "a.png")]
    items = dataset(paths, ["x", "y"]).items
    assert [(item.file.name, item.label) for item in items] == [("a.png", "y"), ("b.png", "x")]
    with pytest.raises(BadData, match="needs every picture once, got 1 twice"):
        dataset([paths[0], Path(paths[0])])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1.0, 2.0], ["1", "2"]),
        (np.array([1, 2]), ["1", "2"]),
        (torch.tensor([0.5, 1.0]), ["0.5", "1"]),
        ([None, float("nan")], [None, None]),
        ((True, "b"), ["True", "b"]),
        (np.array(["a", "b"]), ["a", "b"]),
    ],
)
def test_labels_are_text_and_a_missing_one_is_none(labels, expected):
    assert [item.label for item in dataset([GRAY, GRAY], labels).items] == expected


def test_groups_go_by_name_and_must_name_an_image():
    items = dataset([GRAY, GRAY], groups={"000001": "g"}).items
    assert [item.group for item in items] == [None, "g"]
    with pytest.raises(BadData, match=r"name none of the 1 pictures\. .* '000000'"):
        dataset([GRAY], groups={"1": "g"})


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        ("a.png", "several pictures, got str. Put them in a list"),
        (iter([GRAY]), "several pictures, got"),
        ([], "pictures, got none"),
        ([np.zeros((2, 3, 2))], r"or tensors \(channel, height, width\), got \(2, 3, 2\)"),
        ([torch.zeros(2, 3, 4, 4)], r"got \(2, 3, 4, 4\)"),
        ([np.zeros(5)], r"got \(5,\)"),
        ([3], "got int"),
        ([np.full((2, 2), 300.0)], r"got 0 to 300. Try x / 1023"),
        ([np.full((2, 2), -1.0)], r"got -1 to 0. Try \(x \+ 1\) / 2"),
        ([np.full((2, 2), np.nan)], r"got NaN. Try numpy.nan_to_num"),
        ([np.full((2, 2), np.inf)], r"Try numpy.nan_to_num"),
        ([np.full((2, 2), 9, np.int32)], "or bytes, got int32"),
        ([np.full((2, 2), 1j)], "got complex128. Try x.real"),
        ([np.full((2, 2), "a")], r"got <U1. Try x.astype\(float\)"),
    ],
)
def test_what_is_no_image_is_refused_with_a_remedy(pictures, reason):
    with pytest.raises(BadData, match=f"^caller needs .*{reason}"):
        dataset(pictures, caller="caller")


@pytest.mark.parametrize("labels", [["a"], ["a"] * 3])
def test_there_is_one_label_for_each(labels):
    with pytest.raises(BadData, match=f"each of 2 pictures, got {len(labels)}"):
        dataset([GRAY, GRAY], labels)


@pytest.mark.parametrize("labels", [np.zeros((2, 1)), 3, iter("ab")])
def test_labels_are_a_list(labels):
    with pytest.raises(BadData, match=r"needs labels in a list.*Give y\.tolist\(\)"):
        dataset([GRAY, GRAY], labels)


class TestPair:
    @pytest.mark.parametrize("data", [None, "photos", Path("p"), ["a", Path("b")], ("a", "b"), []])
    def test_paths_are_no_images_in_memory(self, data):
        assert pair(data) is None

    def test_images_with_labels_and_without(self):
        batch, labels = np.zeros((2, 4, 4, 3)), ["a", "b"]
        for data in (batch, torch.zeros(2, 3, 4, 4), [GRAY, GRAY], ([GRAY], ["a"]), (batch, None)):
            images, labels_of = pair(data)
            expected = data if not isinstance(data, tuple) else data[0]
            assert images is expected
            assert labels_of is (data[1] if isinstance(data, tuple) else None)
        for classes in (labels, np.array([0, 1]), torch.tensor([0, 1])):
            assert pair((batch, classes))[1] is classes

    def test_two_arrays_or_two_images_are_a_list_of_two(self):
        image = Image.fromarray(GRAY)
        for data in ((GRAY, GRAY), (image, image)):
            images, labels = pair(data)
            assert images is data and labels is None

    @pytest.mark.parametrize("data", [3, iter("ab"), np.ndarray])
    def test_other_things_are_refused_by_type(self, data):
        with pytest.raises(BadData, match=f"^embed needs a path.*got {type(data).__name__}"):
            pair(data, "embed")
