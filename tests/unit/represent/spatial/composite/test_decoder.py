import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import crowd, person

import imrep
from imrep import _native
from imrep.represent.spatial.composite import COCO, Instance, Pose, Thresholds, fields, reference
from imrep.represent.spatial.composite.reference import Problem
from imrep.represent.spatial.composite.targets import encode

SCENES = ["one_s16", "one_s8", "two_s16"]
ALL = [f"{scene}{noise}" for scene in SCENES for noise in ("", "_noisy")]


@pytest.fixture(scope="module")
def rep():
    return imrep.get("composite:weights=random,arch=test_resnet,layer=-1,upsample=2")


def official(refs, scene):
    stored = np.load(refs / "learned" / "pifpaf_one.npz")
    stride = 8 if "_s8" in scene else 16
    cif, caf = (stored[f"{scene}_{name}_in"][:, 1:] for name in ("cif", "caf"))
    problem = Problem(cif, caf, COCO.pairs, stride, Thresholds())
    return problem, stored[f"{scene}_poses"], stored[f"{scene}_cifhr_sum"]


def decoded(problem, fast):
    from imrep.represent.spatial.composite import native

    if not fast:
        return reference.decode(problem)
    if not _native.built("kernels"):
        pytest.skip("the kernels are not built")
    return native.decode(problem)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("scene", ALL)
def test_poses_are_the_official_ones(refs, scene, fast):
    problem, expected, _ = official(refs, scene)
    own = decoded(problem, fast)
    assert len(own) == len(expected)
    for pose in expected:
        assert min(np.abs(pose - other).max() for other in own) < 1e-4


@pytest.mark.parametrize("scene", ALL)
def test_the_map_of_pixels_is_the_official_one(refs, scene):
    problem, _, (total, largest) = official(refs, scene)
    own = reference.high_resolution(problem)
    assert own.sum() == pytest.approx(total, rel=1e-5)
    assert own.max() == pytest.approx(largest, abs=1e-5)


def test_targets_of_the_second_scene_follow_from_its_poses(refs):
    """Its annotations are not stored; they are its poses, and a nose that no edge leads to."""
    stored = np.load(refs / "learned" / "pifpaf_one.npz")
    poses = stored["two_s16_poses"].astype(float)
    nose = stored["two_s16_cif_target"][0, :, 3, 9].astype(float)
    lacking = int((poses[:, 0, 0] == 0).argmax())
    poses[lacking, 0, :3] = 1, (9 + nose[1]) * 16, (3 + nose[2]) * 16
    people = [
        Instance(np.column_stack([p[:, 1:3], np.where(p[:, 0] > 0, 2, 0)]), (0, 0, 1, 1))
        for p in poses
    ]
    own = encode(people, COCO, (13, 17), 16, (0, 0, 256, 192))
    for field, name in ((own.intensity, "cif"), (own.association, "caf")):
        expected = stored[f"two_s16_{name}_target"]
        assert (np.isnan(field) == np.isnan(expected)).all()
        assert np.nanmax(np.abs(field - expected)) < 1e-5  # poses are stored in pixels


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 12])
def test_poses_return_from_their_fields(count, fast):
    people = crowd(count, 400, 330)
    target = encode(people, COCO, (43, 51), 8)
    code = fields.of_targets(target, COCO, 8, (337, 401))
    (problem,) = fields.problems(code, COCO, Thresholds())
    own = decoded(problem, fast)
    assert len(own) == count
    for instance in people:
        errors = [np.abs(pose[:, 1:3] - instance.keypoints[:, :2]).max() for pose in own]
        assert min(errors) < 1e-2


def test_hidden_joints_are_poses_too_and_absent_ones_are_not(rep):
    instance = person(30, 20, 130, hidden=[9, 10], absent=[15, 16])
    ((pose,),) = rep.poses(rep.draw_up([instance], (193, 257)))
    assert (pose.joints[[9, 10], 0] > 0).all()
    assert (pose.joints[[15, 16], 0] == 0).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.1, 0.5, 3.0]))
def test_noise_is_decoded_alike_in_c_and_in_python(seed, complete, spread):
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[:7, :9].astype(np.float32)

    def field(count, ends):
        offset = dice.normal(0, spread, (count, ends, 2, 7, 9)).astype(np.float32)
        position = (offset + np.stack([x, y])).reshape(count, 2 * ends, 7, 9)
        scale = dice.gamma(2, 0.5, (count, ends, 7, 9)).astype(np.float32)
        confidence = dice.beta(0.8, 0.8, (count, 1, 7, 9)).astype(np.float32)
        return np.concatenate([confidence, position, scale], 1)

    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]])
    thresholds = Thresholds(force_complete=complete, reverse_match=bool(seed % 2))
    problem = Problem(field(4, 1), field(5, 2), pairs, 8, thresholds)
    fast, plain = decoded(problem, True), decoded(problem, False)
    assert fast.shape == plain.shape
    assert np.abs(fast - plain).max(initial=0) < 1e-3


@pytest.mark.parametrize("fast", [False, True])
def test_numbers_of_any_size_end_no_process(fast):
    dice = np.random.default_rng(0)
    cif = dice.random((2, 4, 5, 6), np.float32)
    caf = dice.random((1, 7, 5, 6), np.float32)
    for field in (cif, caf):
        field[:, 1:, ::2] *= np.float32(1e30)
        field[:, 1:3, 1::3] *= np.float32(-1e5)
    problem = Problem(cif, caf, np.array([[0, 1]]), 8, Thresholds())
    with np.errstate(all="ignore"):
        own = decoded(problem, fast)
    assert own.shape[1:] == (2, 4)


@pytest.mark.parametrize("fast", [False, True])
def test_completed_poses_have_every_joint(fast):
    people = [person(30, 20, 130, absent=[0, 1, 2, 3, 4, 15])]
    target = encode(people, COCO, (25, 33), 8)
    code = fields.of_targets(target, COCO, 8, (193, 257))
    (problem,) = fields.problems(code, COCO, Thresholds(force_complete=True))
    (pose,) = decoded(problem, fast)
    assert (pose[:, 0] > 0).all()
    (plain,) = decoded(dataclasses.replace(problem, thresholds=Thresholds()), fast)
    assert ((plain[:, 0] > 0).sum(), (pose[:, 0] < 1e-4).sum()) == (11, 6)


def test_scores_and_boxes_of_a_pose():
    joints = np.zeros((17, 4))
    joints[[5, 6, 7]] = [[1, 10, 20, 2], [0.5, 30, 24, 3], [0.25, 18, 60, 1]]
    pose = Pose(joints, COCO)
    assert pose.score == pytest.approx(3 * 1.75 / 23)
    assert pose.box == (8, 18, 25, 43)
    result = pose.coco()
    assert len(result["keypoints"]) == 51 and result["keypoints"][15:18] == [10, 20, 1]
    assert result["bbox"] == [8, 18, 25, 43] and result["score"] == 0.2283
    assert Pose(np.zeros((17, 4)), COCO).box == (0, 0, 0, 0)


def test_without_the_library_poses_are_the_same(rep):
    code = rep.draw_up(crowd(3, 240, 190), (193, 257))
    fast = rep.poses(code)[0]
    with _native.switched_off():
        plain = rep.poses(code)[0]
    assert len(fast) == len(plain) == 3
    for a, b in zip(fast, plain, strict=True):
        assert np.abs(a.joints - b.joints).max() < 1e-4
