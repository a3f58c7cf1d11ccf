"""Composite fields: what is true of this representation alone."""

import json

import numpy as np
import pytest
import torch
from scenes import crowd, person

import imrep
from imrep.errors import BadCode, BadParameter, NoInverse, WeightsNeeded
from imrep.io import codes
from imrep.represent.spatial.composite import COCO
from imrep.testing import photo

SPEC = "composite:weights=random,arch=test_resnet"
MICE = {
    "categories": [
        {"id": 1, "name": "mouse", "keypoints": ["snout", "left_ear", "right_ear", "tail"],
         "skeleton": [[1, 2], [1, 3], [1, 4]]}
    ],
    "annotations": [{"category_id": 1, "keypoints": [5, 9, 2, 1, 5, 2, 9, 5, 2, 5, 0, 2]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def rep():
    return imrep.get(SPEC)


@pytest.fixture
def mice(tmp_path):
    path = tmp_path / "mice.json"
    path.write_text(json.dumps(MICE))
    return path


def test_the_code_has_a_field_for_every_joint_and_edge(rep):
    code = rep.encode(photo(65, 97))
    assert code.labels == COCO.labels and len(code.labels) == 36
    assert code.labels[:2] == ("nose", "left_eye") and code.labels[17] == "left_ankle-left_knee"
    assert code.vectors.shape[1:4] == (36, 2, 2)
    joints = code.vectors[:, :17]
    assert torch.equal(joints[:, :, 0], joints[:, :, 1])  # one end, twice
    assert (code.confidence > 0).all() and (code.extent > 0).all() and (code.spread > 0).all()


def test_the_vector_is_the_greatest_and_the_mean_confidence(rep):
    code = rep.encode(photo(65, 97))
    vector = rep.pool(code)
    assert torch.equal(vector[:, :36], code.confidence.amax((2, 3)))
    assert torch.allclose(vector[:, 36:], code.confidence.mean((2, 3)))


@pytest.mark.parametrize("size", [(1, 1), (33, 33), (64, 97), (120, 70)])
def test_cells_cover_the_image(rep, size):
    code = rep.encode(torch.rand(1, 3, *size))
    rows, columns = code.confidence.shape[2:]
    assert (rows - 1) * code.stride >= size[0] - 1 and (columns - 1) * code.stride >= size[1] - 1
    assert rep.picture(code).shape[1] == 3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_poses_return_from_the_fields_that_they_draw_up(rep, count):
    people = crowd(count, 240, 200)
    code = rep.draw_up(people, (193, 257))
    rep.check_code(code)
    (poses,) = rep.poses(code)
    assert len(poses) == count
    for instance in people:
        errors = [np.abs(p.joints[:, 1:3] - instance.keypoints[:, :2]).max() for p in poses]
        assert min(errors) < 1e-2
    assert all(p.score > 0.7 for p in poses)


def test_the_picture_shows_the_poses(rep):
    people = [person(60, 20, 140)]
    code = rep.draw_up(people, (193, 257))
    image = torch.full((1, 3, 193, 257), 0.4)
    picture = rep.picture(code, image)
    *_, poses = picture.split([257 + 4, 257 + 4, 257], 3)
    coloured = (poses.amax(1) - poses.amin(1)) > 0.2
    rows, columns = coloured[0].nonzero().T
    assert 40 < columns.min() < columns.max() < 140 and rows.max() < 170
    blank = rep.picture(rep.draw_up([], (193, 257)), image)[..., -257:]
    assert torch.allclose(blank, image, atol=1 / 255)


def test_a_code_survives_its_file(rep, tmp_path):
    code = rep.draw_up(crowd(2, 240, 200), (193, 257))
    codes.write(code, tmp_path / "fields.safetensors")
    again = codes.read(tmp_path / "fields.safetensors")
    assert (again.stride, again.size, again.labels) == (code.stride, (193, 257), code.labels)
    for before, after in zip(rep.poses(code)[0], rep.poses(again)[0], strict=True):
        assert np.array_equal(before.joints, after.joints)


def test_a_skeleton_of_mice_from_a_file(mice, tmp_path):
    own = imrep.get(f"{SPEC},skeleton='{mice}'")
    assert own.joints.category == "mouse" and own.dim == 14
    image = photo(65, 97)
    saved = own.save(tmp_path / "saved")
    mice.unlink()
    for again in (imrep.load(saved), imrep.get(f"composite:weights='{saved}'")):
        assert again.joints == own.joints
        assert torch.equal(again.embed(image), own.embed(image))
    assert imrep.load(saved).fingerprint == own.fingerprint


def test_skeletons_and_paths_in_the_fingerprint(mice, tmp_path):
    other = tmp_path / "elsewhere.json"
    other.write_text(mice.read_text())
    first, second = (imrep.get(f"{SPEC},skeleton='{path}'") for path in (mice, other))
    assert first.fingerprint == second.fingerprint != imrep.get(SPEC).fingerprint
    assert imrep.get(f"{SPEC},skeleton=coco_dense").dim == 2 * (17 + 44)


def test_gradients_reach_every_weight(rep):
    own = imrep.get(SPEC).train()
    code = own.draw_up([person(20, 5, 90)], (97, 97))
    target = torch.full((1, 19, 9, *code.confidence.shape[2:]), torch.nan)
    target[:, :, 0] = 0
    target[:, :, :, 2, 2] = 1.0
    batch = {
        "image": torch.rand(1, 3, 97, 97),
        "intensity": torch.cat([target[:, :17, :3], target[:, :17, 5:6], target[:, :17, 7:8]], 2),
        "association": target,
    }
    for objective in ("v0.13", "2019"):
        own.objective = objective
        own.zero_grad()
        own.loss(batch).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in own.parameters())


def test_without_weights_it_says_where_to_get_them():
    with pytest.raises(
        WeightsNeeded, match=r"none are published .*imrep train.*\.pkl of OpenPifPaf"
    ):
        imrep.get("composite")
    with pytest.raises(WeightsNeeded, match="none of shufflenetv2k16 are hosted alone"):
        imrep.get("composite:weights=backbone")


def test_there_is_no_inverse(rep):
    with pytest.raises(NoInverse):
        rep.invert(rep.encode(photo(65, 97)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("objective=2020", "objective to be one of"),
        ("upsample=0", "upsample"),
        ("arch=resnet1", "did you mean"),
        ("skeleton=none.json", "skeleton to be coco, coco_dense or a COCO file, got 'none.json'"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    with pytest.raises(BadParameter, match=f"(?i){message}"):
        imrep.get(f"composite:weights=random,{params}")


def test_fields_of_another_skeleton_are_refused(rep, mice):
    code = imrep.get(f"{SPEC},skeleton='{mice}'").encode(photo(65, 97))
    with pytest.raises(BadCode, match="needs 36 fields of 2 ends at stride 16, got 7"):
        rep.poses(code)
