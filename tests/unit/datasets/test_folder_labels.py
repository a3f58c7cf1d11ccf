"""Which level of folders is the classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.folder_labels import by_folder, composed, is_split

CLASSES = st.sampled_from(["cat", "dog", "hen"])
PATHS = st.sets(st.builds("{}/{}.png".format, CLASSES, st.integers(0, 30)), min_size=1)


def labels(*paths):
    return by_folder(paths).labels


@given(PATHS)
def test_labels_are_the_first_folders_in_any_order(paths):
    expected = {path: path.partition("/")[0] for path in paths}
    assert by_folder(paths).labels == by_folder(sorted(paths, reverse=True)).labels == expected
    assert not by_folder(paths).left_out and not by_folder(paths).notes


@given(PATHS, st.sampled_from(["set", "set/photos", "a b/c"]))
def test_folders_around_the_classes_change_no_label(paths, around):
    if len({path.partition("/")[0] for path in paths}) < 2:
        return  # a single class is not told from one more folder around
    inside = by_folder({f"{around}/{path}" for path in paths}).labels
    assert inside == {f"{around}/{path}": path.partition("/")[0] for path in paths}


@given(PATHS, PATHS, st.sampled_from([("train", "test"), ("Training", "val"), ("fold1", "fold2")]))
def test_splits_above_the_classes_change_no_label(first, second, splits):
    paths = {f"{split}/{path}" for split, part in zip(splits, (first, second), strict=True)
             for path in part}  # fmt: skip
    folders = by_folder(paths)
    assert folders.labels == {path: path.split("/")[1] for path in paths}
    assert not folders.left_out and "taken together as splits" in folders.notes[0]


@pytest.mark.parametrize(
    "name",
    ["train", "TRAIN", "val2017", "TestImages", "seg_train", "trainset", "test-data", "fold_3",
     "Validation", "devset", "my train"],
)  # fmt: skip
def test_names_of_splits(name):
    assert is_split(name)


@pytest.mark.parametrize(
    "name", ["cat", "trainer", "contest", "fingertest", "valley", "images", "", "2017", "folder"]
)
def test_names_that_only_contain_one(name):
    assert not is_split(name)


def test_no_paths_have_no_labels():
    assert by_folder([]).labels == {}


def test_deeper_folders_do_not_matter_and_files_at_the_top_have_no_label():
    assert labels("a/x/1.png", "a/y/2.png", "b/3.png", "4.png") == {
        "a/x/1.png": "a", "a/y/2.png": "a", "b/3.png": "b", "4.png": None,
    }  # fmt: skip


def test_pictures_beside_a_single_folder_of_folders_are_few_or_the_folder_is_a_class():
    few = [f"set/{'ab'[i % 2]}/{i}.png" for i in range(20)]
    assert labels(*few, "set/cover.png")["set/a/0.png"] == "a"
    several = [f"set/{i}.png" for i in range(3)]
    assert labels(*few, *several)["set/a/0.png"] == "set"


def test_a_folder_beside_the_splits_is_left_out_with_its_count():
    paths = [f"train/{'ab'[i % 2]}/{i}.png" for i in range(20)] + ["docs/1.png", "docs/2.png"]
    folders = by_folder(paths)
    assert folders.left_out == {"docs/1.png", "docs/2.png"}
    assert folders.labels["docs/1.png"] is None
    assert any(note.startswith("docs/ (2 pictures) lies beside") for note in folders.notes)


@pytest.mark.parametrize(("number", "left_out"), [(9, True), (8, False)])
def test_a_tenth_beside_a_split_is_few(number, left_out):
    folders = by_folder([*(f"train/{'ab'[i % 2]}/{i}.png" for i in range(number)), "docs/1.png"])
    assert bool(folders.left_out) is left_out
    assert folders.labels["train/a/0.png"] == ("a" if left_out else "train")


def test_many_pictures_beside_one_split_make_it_a_class_with_a_note():
    paths = [f"train/{'ab'[i % 2]}/{i}.png" for i in range(8)] + [f"bus/{i}.png" for i in range(8)]
    folders = by_folder(paths)
    assert set(folders.labels.values()) == {"train", "bus"} and not folders.left_out
    assert folders.notes == ("train may be named as a split; it was taken as a class.",)


def test_splits_without_classes_give_no_labels_unless_a_class_lies_beside():
    assert set(labels("train/1.png", "test/2.png").values()) == {None}
    assert labels("train/1.png", "bus/2.png") == {"train/1.png": "train", "bus/2.png": "bus"}
    assert labels("test_pattern/1.png", "test_card/2.png") == {
        "test_pattern/1.png": "test_pattern", "test_card/2.png": "test_card",
    }  # fmt: skip


def test_a_single_folder_within_a_split_is_descended_into_there_alone():
    assert labels("train/images/a/1.png", "train/images/b/2.png", "test/a/3.png") == {
        "train/images/a/1.png": "a", "train/images/b/2.png": "b", "test/a/3.png": "a",
    }  # fmt: skip


class TestMasks:
    def test_masks_beside_images_are_left_out_with_a_note(self):
        pictures = [f"images/{'ab'[i % 2]}/{i}.png" for i in range(4)]
        folders = by_folder([*pictures, "masks/a/0.png", "masks/b/1.png"])
        assert folders.left_out == {"masks/a/0.png", "masks/b/1.png"}
        assert [folders.labels[path] for path in pictures] == ["a", "b", "a", "b"]
        assert folders.notes[-1].startswith("masks/ (2 pictures) may hold masks")

    @pytest.mark.parametrize("name", ["Ground_Truth", "SegmentationMasks", "gt", "label"])
    def test_beside_a_split_too_if_the_name_is_one_of_masks(self, name):
        folders = by_folder(["train/a/1.png", "train/b/2.png", f"{name}/a/1.png"])
        assert bool(folders.left_out) is (name != "SegmentationMasks")

    def test_a_class_of_masks_beside_other_classes_stays(self):
        assert labels("mask/1.png", "hat/2.png") == {"mask/1.png": "mask", "hat/2.png": "hat"}

    def test_masks_in_every_split(self):
        paths = [f"{s}/{k}/{c}/1.png" for s in ("train", "test") for k in ("images", "masks")
                 for c in "ab"]  # fmt: skip
        folders = by_folder(paths)
        assert folders.left_out == {path for path in paths if "/masks/" in path}
        assert {folders.labels[path] for path in paths if "/images/" in path} == {"a", "b"}


def test_a_composed_label_is_the_same_for_both_forms():
    assert composed("cafe\u0301") == composed("café") == "café" and composed("cat") == "cat"
    assert set(labels("café/1.png", "cafe\u0301/2.png", "x/3.png").values()) == {"café", "x"}
