import copy
import json

import numpy as np
import pytest

from imrep.datasets import keypoints
from imrep.errors import BadData, BadFile

PLAIN = {
    "images": [
        {"id": 7, "file_name": "a.png", "height": 40, "width": 60},
        {"id": 8, "file_name": "b.png", "height": 40, "width": 60},
    ],
    "categories": [
        {"id": 1, "name": "box"},
        {"id": 2, "name": "mouse", "keypoints": ["snout", "tail"], "skeleton": [[1, 2]]},
    ],
    "annotations": [
        {"id": 31, "image_id": 7, "category_id": 2, "bbox": [1, 2, 30, 20],
         "keypoints": [5, 6, 2, 30, 20, 1]},
        {"id": 32, "image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5]},
        {"id": 33, "image_id": 7, "category_id": 2, "iscrowd": 1, "keypoints": [0, 0, 0, 0, 0, 0]},
    ],
}  # fmt: skip


def written(folder, content):
    path = folder / "mice.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_images_and_their_instances(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.png").touch()
    own = keypoints.read(written(tmp_path, PLAIN))
    first, second = own.images
    assert (first.name, first.size, first.path) == ("a.png", (40, 60), None)
    assert second.path == (tmp_path / "images" / "b.png").resolve() and second.instances == ()
    instance, crowd = first.instances
    assert instance.keypoints.tolist() == [[5, 6, 2], [30, 20, 1]]
    assert instance.box == (1, 2, 30, 20) and not instance.crowd and crowd.crowd
    assert own.category["name"] == "mouse"
    assert np.array_equal(own.poses, [instance.keypoints])


def test_the_shared_file(shared_data):
    own = keypoints.read(shared_data / "coco_mini_train" / "annotations" / "person_keypoints.json")
    assert len(own.images) == 62 and all(image.path for image in own.images)
    assert sum(len(image.instances) for image in own.images) == 160


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": []}, "annotation 31, 6 numbers as keypoints .*got 0 numbers"),
        ({"keypoints": [1, 2, 2]}, "annotation 31, 6 numbers .*got 3 numbers"),
        ({"keypoints": None}, "annotation 31, 6 numbers .*got None"),
        (
            {"keypoints": [5, 6, 2, 90, 20, 2]},
            "tail inside the image of 60 × 40 pixels, got \\(90, 20\\)",
        ),
        ({"keypoints": [5, -30, 2, 9, 20, 2]}, "snout inside the image .*got \\(5, -30\\)"),
        ({"keypoints": [5, 6, 3, 9, 20, 2]}, "a visibility of snout of 0, 1 or 2, got 3"),
        ({"keypoints": [5, "6", 2, 9, 20, 2]}, "annotation 31, finite numbers as keypoints"),
        ({"keypoints": [5, float("nan"), 2, 9, 20, 2]}, "annotation 31, finite numbers"),
        ({"image_id": 99}, "annotation 31, the id of an image in the file as image_id, got 99"),
        ({"image_id": [7]}, "annotation 31, the id of an image"),
        ({"category_id": 9}, "annotation 31, a category_id of 1, 2, got 9"),
        ({"bbox": [1, 2, 3]}, "annotation 31, four numbers as bbox"),
        ({"bbox": [1, 2, -3, 4]}, "annotation 31, a bbox of positive width"),
    ],
)
def test_bad_annotations_are_refused_by_file_and_id(tmp_path, change, message):
    content = copy.deepcopy(PLAIN)
    content["annotations"][0] |= change
    with pytest.raises(BadData, match=rf"^mice\.json needs, in {message}"
                       if message.startswith("annotation") else
                       rf"^mice\.json needs, in annotation 31, {message}"):  # fmt: skip
        keypoints.read(written(tmp_path, content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": []}, "a list under 'annotations', got an empty list"),
        ({"images": None}, "a list under 'images', got NoneType"),
        (
            {"categories": [{"id": 1, "name": "box"}]},
            "a category with a list of keypoints, got box",
        ),
        ({"categories": [{"name": "box"}]}, "an id for each category"),
        ({"images": [{"id": 1}]}, "id, file_name, height and width of each image"),
        ({"images": PLAIN["images"][:1] * 2}, "one image for each id, got two with 7"),
        ({"annotations": [3]}, "in annotation \\?, an object, got 3"),
        ({"annotations": PLAIN["annotations"][1:2]}, "annotations of 'mouse', got none"),
    ],
)
def test_other_files_are_refused(tmp_path, change, message):
    with pytest.raises(BadData, match=rf"mice\.json needs,? {message}"):
        keypoints.read(written(tmp_path, PLAIN | change))


@pytest.mark.parametrize("content", ["", "{", "[" * 200_000])
def test_files_that_are_no_json_are_refused(tmp_path, content):
    with pytest.raises(BadFile, match=r"mice\.json needs JSON"):
        keypoints.read(written(tmp_path, content))


@pytest.mark.parametrize("content", ["[]", "3", '{"images": 3}'])
def test_json_of_something_else_is_refused(tmp_path, content):
    with pytest.raises(BadData, match="a list under 'images'"):
        keypoints.read(written(tmp_path, content))
