import math

import numpy as np
import pytest
from scenes import person

from imrep.represent.spatial.composite import COCO, Instance
from imrep.represent.spatial.composite.targets import encode, instance_scale

WHOLE = (0.0, 0.0, 256.0, 192.0)


def official(refs):
    return np.load(refs / "learned" / "pifpaf_one.npz")


@pytest.mark.parametrize(("stride", "size"), [(16, (13, 17)), (8, (25, 33))])
def test_targets_are_the_official_ones(refs, stride, size):
    stored = official(refs)
    instance = Instance(stored["one_ann0_keypoints"].astype(float), tuple(stored["one_ann0_bbox"]))
    own = encode([instance], COCO, size, stride, WHOLE)
    for field, name in ((own.intensity, "cif"), (own.association, "caf")):
        expected = stored[f"one_s{stride}_{name}_target"]
        assert (np.isnan(field) == np.isnan(expected)).all()
        assert np.nanmax(np.abs(field - expected)) < 1e-6


def test_each_joint_has_a_patch_that_points_to_it():
    own = encode([person(40, 20, 120)], COCO, (13, 17), 16).intensity
    assert (own[:, 0] == 1).sum() == 17 * 16
    y, x = np.mgrid[:13, :17]
    position = np.stack([x + own[:, 1], y + own[:, 2]], 1)
    for joint, field in enumerate(position):
        inside = own[joint, 0] == 1
        assert np.ptp(field[:, inside], axis=1).max() < 1e-5
    assert np.isnan(own[:, 1:][:, :, own[0, 0] == 0][0]).all()


def test_of_two_joints_the_nearer_has_the_cell():
    both = [person(30, 20, 120), person(52, 24, 120, seed=1)]
    own = encode(both, COCO, (13, 17), 16).intensity
    y, x = np.mgrid[:13, :17]
    joints = np.stack([instance.keypoints[0, :2] / 16 for instance in both])
    distance = np.hypot(joints[:, 0, None, None] - x, joints[:, 1, None, None] - y)
    covered = own[0, 0] == 1
    pointed = np.hypot(own[0, 1], own[0, 2])
    shared = covered & (distance < 1).all(0)
    assert shared.any()
    assert np.allclose(pointed[shared], distance.min(0)[shared], atol=1e-5)


def test_half_a_person_has_the_scale_of_all_of_it():
    full = person(40, 20, 120).keypoints
    full[:, :2] = np.array(COCO.pose) * [12, -12] + 150
    upper = full.copy()
    upper[11:, 2] = 0
    whole, half = instance_scale(full, COCO), instance_scale(upper, COCO)
    assert half == pytest.approx(whole, rel=0.35)
    lost = math.sqrt(np.ptp(upper[:11, :2], axis=0).prod())
    assert abs(half - whole) < abs(lost - whole)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_joints_have_no_scale(count):
    keypoints = person(40, 20, 120).keypoints
    keypoints[count:, 2] = 0
    assert math.isnan(instance_scale(keypoints, COCO))
    own = encode([Instance(keypoints, (0, 0, 9, 9))], COCO, (13, 17), 16)
    assert (own.intensity[:, 0] == 1).sum() == 16 * count


def test_crowds_and_instances_without_joints_are_ignored():
    crowd = Instance(np.zeros((17, 3)), (32, 48, 64, 64), crowd=True)
    blank = Instance(np.zeros((17, 3)), (32, 48, 64, 64))
    for instance in (crowd, blank):
        own = encode([instance], COCO, (13, 17), 16)
        ignored = np.isnan(own.intensity[0, 0])
        rows, columns = np.nonzero(ignored)
        assert (rows.min(), columns.min(), rows.max(), columns.max()) == (1, 0, 9, 8)
        assert np.isnan(own.association[0, 0]).sum() < ignored.sum()


def test_beyond_the_valid_area_nothing_is_positive():
    own = encode([person(40, 20, 120)], COCO, (13, 17), 16, (0, 0, 96, 96))
    assert (own.intensity[:, 0, :, 8:] == 0).all() and (own.intensity[:, 0, 8:] == 0).all()
    assert (own.intensity[:, 0, :7, :7] == 1).any()


def test_a_hidden_joint_beside_the_same_of_another_is_not_annotated():
    near = [person(60, 20, 120, hidden=[9]), person(66, 20, 120)]
    far = [person(20, 20, 120, hidden=[9]), person(120, 20, 120)]
    counts = [(encode(i, COCO, (25, 33), 8).intensity[9, 0] == 1).sum() for i in (near, far)]
    assert counts == [16, 32]


def test_instances_partly_or_wholly_outside_stay_inside_the_field():
    outside = [person(x, y, 120) for x in (-400, -20, 240, 900) for y in (-300, -50, 150, 700)]
    own = encode(outside, COCO, (13, 17), 16)
    assert own.intensity.shape == (17, 5, 13, 17) and own.association.shape == (19, 9, 13, 17)
    alone = encode([person(900, 700, 120)], COCO, (13, 17), 16)
    assert (alone.intensity[:, 0] == 0).all() and (alone.association[:, 0] == 0).all()
