"""COCO files as data."""

import json

import pytest
from tar_files import gray, png

from imrep import datasets
from imrep.datasets import Request
from imrep.datasets.target import ANY
from imrep.errors import BadData


def coco(folder, annotations, names=("a.png", "b.png", "c.png"), where="images", **changed):
    (folder / where).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / where / name).write_bytes(png(number))
    document = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": [{"image_id": i, "category_id": c} for i, c in annotations],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    path = folder / "annotations" / "instances.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document | changed))
    return path


@pytest.mark.parametrize("where", ["images", "annotations", "", "annotations/val"])
def test_a_class_where_each_image_has_one_category(tmp_path, where):
    dataset = datasets.find(coco(tmp_path, [(0, 1), (0, 1), (1, 2)], where=where))
    assert [item.label for item in dataset.items] == ["cat", "dog", None]
    assert [gray(item) for item in dataset.items] == [0, 1, 2]
    assert dataset.items[0].file is not None


def test_several_labels_where_an_image_has_several_categories(tmp_path):
    path = coco(tmp_path, [(0, 1), (0, 2), (1, 2)])
    dataset = datasets.find(path, target=ANY)
    assert dataset.target.kind == "labels"
    assert [item.labels for item in dataset.items] == [("cat", "dog"), ("dog",), ()]
    plain = datasets.find(path)
    assert {item.label for item in plain.items} == {None}
    assert any("several labels" in note for note in plain.notes)


def test_images_without_annotations_and_missing_files(tmp_path):
    path = coco(tmp_path, [], categories=None)
    assert {item.label for item in datasets.find(path).items} == {None}
    (tmp_path / "images" / "b.png").unlink()
    broken = [item for item in datasets.find(path).items if item.refused]
    assert len(broken) == 1 and "b.png" in broken[0].source.reason


def test_annotations_of_no_image_are_named(tmp_path):
    dataset = datasets.find(coco(tmp_path, [(0, 1), (9, 1)]))
    assert any("1 annotation of instances.json of no image" in note for note in dataset.notes)


def test_a_file_in_a_list(tmp_path):
    path = coco(tmp_path, [(0, 1), (1, 2)])
    assert len(datasets.find([path]).items) == 3
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "y.png").write_bytes(png())
    found = datasets.find([tmp_path / "x.json", tmp_path / "y.png"])
    assert len(found.items) == 1 and any("x.json" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "needs a list of images"),
        ('{"images": []}', "an empty one"),
        ('{"images": [{}]}', "file_name and id"),
        ('{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]}', "two with 1"),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": {}}', "list under annotations"),
        ('{"images": [{"id": 1, "file_name": "a"}], "categories": [{}]}', "id and name in every"),
    ],
)
def test_other_files_are_refused_in_a_line(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadData, match=message) as error:
        datasets.find(tmp_path / "x.json")
    assert "\n" not in str(error.value)


def test_a_target_that_is_not_there(tmp_path):
    with pytest.raises(BadData, match="needs a column weight, got category"):
        datasets.find(coco(tmp_path, [(0, 1)]), target=Request("weight"))
