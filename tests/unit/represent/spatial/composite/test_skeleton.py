import json

import numpy as np
import pytest

from imrep.errors import BadParameter
from imrep.represent.spatial.composite import skeleton
from imrep.represent.spatial.composite.skeleton import COCO, COCO_DENSE, Skeleton

CATEGORY = {
    "id": 3,
    "name": "mouse",
    "keypoints": ["snout", "leftear", "rightEar", "tail_L", "tail_R", "back"],
    "skeleton": [[1, 2], [1, 3], [1, 6], [6, 4], [6, 5]],
}


def test_constants_are_the_official_ones(refs):
    official = json.loads((refs / "learned" / "pifpaf_constants.json").read_text())
    assert list(COCO.joints) == official["COCO_KEYPOINTS"]
    assert (COCO.pairs + 1).tolist() == official["COCO_PERSON_SKELETON"]
    assert list(COCO.sigmas) == official["COCO_PERSON_SIGMAS"]
    assert [[*point, 2.0] for point in COCO.pose] == official["COCO_UPRIGHT_POSE"]
    dense = (COCO_DENSE.pairs[19:] + 1).tolist()
    assert dense == official["DENSER_COCO_PERSON_CONNECTIONS"]
    weights = np.array(official["COCO_PERSON_SCORE_WEIGHTS"])
    assert np.allclose(COCO.score_weights, weights / weights.sum())
    for joint, other in official["HFLIP"].items():
        assert COCO.joints[COCO.swapped[COCO.joints.index(joint)]] == other


def test_sides_are_swapped_by_their_names():
    own = Skeleton(
        ("eye_L", "eye_R", "LeftPaw", "RightPaw", "clear", "tail"), ((0, 1),), (0.1,) * 6
    )
    assert own.swapped == (1, 0, 3, 2, 4, 5)
    assert tuple(own.swapped[i] for i in own.swapped) == tuple(range(6))


def test_a_file_gives_its_own_skeleton(tmp_path):
    keypoints = [0, 0, 2, 10, 0, 2, 10, 10, 2, 0, 10, 2, 5, 5, 1, 2, 3, 2]
    content = {
        "categories": [{"id": 1, "name": "box"}, CATEGORY],
        "annotations": [{"category_id": 3, "keypoints": keypoints}],
    }
    file = tmp_path / "mice.json"
    file.write_text(json.dumps(content))
    own = skeleton.read(str(file), "composite")
    assert own.category == "mouse" and own.edges == ((0, 1), (0, 2), (0, 5), (5, 3), (5, 4))
    assert np.allclose(np.ptp(np.array(own.pose), axis=0).prod(), 1)
    assert own.pose[0][1] > own.pose[2][1]  # y up
    (tmp_path / "own.json").write_text(json.dumps(own.facts()))
    assert skeleton.read(str(tmp_path / "own.json"), "composite") == own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skeleton": []}, "pairs of joints under skeleton of category 'mouse' in .*got \\[\\]"),
        ({"skeleton": [[1, 9]]}, "got an edge \\(1, 9\\) of 6 joints"),
        ({"skeleton": [[1, 1]]}, "got an edge \\(1, 1\\)"),
        ({"skeleton": [[1, "2"]]}, "pairs of joints"),
        ({"keypoints": [1, 2]}, "names of joints under keypoints"),
        ({"sigmas": [0.0] * 6}, "got sigmas"),
    ],
)
def test_categories_without_joints_or_edges_are_refused(tmp_path, change, message):
    file = tmp_path / "mice.json"
    file.write_text(json.dumps({"categories": [CATEGORY | change]}))
    with pytest.raises(BadParameter, match=message):
        skeleton.read(str(file), "composite")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"categories": [{"name": "box"}]}', '{"edges": 1}']
)
def test_files_without_a_skeleton_are_refused(tmp_path, text):
    file = tmp_path / "none.json"
    file.write_text(text)
    with pytest.raises(BadParameter, match=r"composite needs .*none\.json"):
        skeleton.read(str(file), "composite")


def test_a_joint_that_is_never_seen_leaves_the_pose_open():
    own = skeleton.from_category(
        CATEGORY, [np.ones((6, 3)) * [[1], [2], [3], [4], [5], [0]]], "c", "f"
    )
    assert own.pose == ()
