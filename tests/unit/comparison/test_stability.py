"""Moves are measured in distances to other images; perturbations mean the same at any size."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep import images
from imrep.comparison.diagnostics.stability import (
    perturb,
    sample,
    sample_size,
    stability,
)
from imrep.report.findings import PERTURBATIONS as REPORTED


@pytest.fixture(scope="module")
def photos():
    noise = np.random.default_rng(0).normal(0, 1, (6, 64, 64, 3)).astype(np.float32)
    smooth = [cv2.GaussianBlur(one, (0, 0), 3) for one in noise]
    return np.array([cv2.normalize(s, None, 0, 255, cv2.NORM_MINMAX) for s in smooth], np.uint8)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).normal(size=(30, 12))


# The sample


def test_a_twenty_fifth_within_bounds():
    assert [sample_size(n) for n in (0, 1, 10, 100, 400, 600, 1000, 9999)] == [
        *(0, 1, 10, 16, 16, 24, 40, 40)
    ]


@given(st.integers(0, 3000), st.integers(0, 5))
def test_the_sample_is_distinct_ascending_and_repeats(n, seed):
    chosen = sample(n, seed)
    assert len(chosen) == sample_size(n)
    assert (np.diff(chosen) > 0).all()
    assert ((chosen >= 0) & (chosen < n)).all()
    np.testing.assert_array_equal(chosen, sample(n, seed))


# The perturbations


def test_nine_in_order_as_the_report_names_them(photos):
    seen = perturb(photos)
    assert set(seen) == set(REPORTED)
    assert len(seen) == 9
    for changed in seen.values():
        assert changed.shape == photos.shape
        assert changed.dtype == np.uint8
        assert (changed != photos).any((1, 2, 3)).all()


def test_the_seed_decides_and_the_input_is_left_alone(photos):
    before = photos.copy()
    first, again, other = perturb(photos, 3), perturb(photos, 3), perturb(photos, 4)
    np.testing.assert_array_equal(photos, before)
    for name in REPORTED:
        np.testing.assert_array_equal(first[name], again[name])
        assert (first[name] != other[name]).any() == (name in ("noise", "occlude"))


def test_read_only_images_will_do(photos):
    frozen = np.frombuffer(photos.tobytes(), np.uint8).reshape(photos.shape)
    np.testing.assert_array_equal(perturb(frozen)["occlude"], perturb(photos)["occlude"])


@pytest.mark.parametrize(("side", "step"), [(16, 1), (64, 4), (100, 6)])
def test_shift_goes_right_and_down_a_sixteenth(photos, side, step):
    squares = np.array([cv2.resize(one, (side, side)) for one in photos])
    moved = perturb(squares)["shift"]
    np.testing.assert_array_equal(moved[:, step:, step:], squares[:, :-step, :-step])
    np.testing.assert_array_equal(moved[:, :, 0], moved[:, :, 2 * step])  # mirror


def test_light(photos):
    seen = perturb(photos)
    np.testing.assert_allclose(seen["darker"], 0.6 * photos, atol=0.501)
    middle = photos.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(seen["contrast"], (photos + middle) / 2, atol=0.501)


def test_zoom_and_rotation_are_about_the_centre():
    y, x = np.mgrid[:65, :65] - 32.0
    rings = np.uint8(np.hypot(y, x) * 2)[None, ..., None].repeat(3, 3)
    seen = perturb(rings)
    np.testing.assert_allclose(
        seen["rotate"][:, 12:-12, 12:-12].astype(float), rings[:, 12:-12, 12:-12], atol=3
    )
    inner = seen["zoom"].astype(float)[0, 32, :, 0]
    np.testing.assert_allclose(inner, np.abs(np.arange(65) - 32) * 2 / 1.2, atol=2)
    ramp = np.uint8(x + 100)[None, ..., None].repeat(3, 3)
    slope = perturb(ramp)["rotate"][0, 12:-12, 32, 0].astype(float)
    assert np.polyfit(np.arange(len(slope)), slope, 1)[0] == pytest.approx(
        -np.tan(np.radians(10)) * np.cos(np.radians(10)), abs=0.02
    )


def test_noise_jpeg_and_blur(photos):
    gray = np.full((4, 64, 64, 3), 128, np.uint8)
    rough = perturb(gray)["noise"].astype(float)
    assert rough.std() == pytest.approx(20, rel=0.03)
    assert rough.mean() == pytest.approx(128, abs=0.5)
    block = np.zeros((1, 96, 96, 3), np.uint8)
    block[:, 44:53, 44:53] = 255  # a variance of 80 / 12 along each side, to which 2² is added
    spread = perturb(block)["blur"][0, ..., 0].astype(float)
    for axis in np.mgrid[:96, :96] - 48.0:
        assert (spread * axis**2).sum() / spread.sum() == pytest.approx(80 / 12 + 4, rel=0.03)
    coded = cv2.imencode(".jpg", photos[0][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    np.testing.assert_array_equal(perturb(photos)["jpeg"][0][..., ::-1], cv2.imdecode(coded, 1))


@pytest.mark.parametrize(("side", "covered"), [(20, 7), (64, 22), (100, 35)])
def test_one_gray_square_inside_the_picture(side, covered):
    white = np.full((50, side, side, 3), 255, np.uint8)
    gray = (perturb(white)["occlude"] == 128).all(3)
    for one in gray:
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert len(rows) == len(columns) == covered
        assert one.sum() == covered**2
    assert len({tuple(np.argwhere(one)[0]) for one in gray}) > 25


# The moves


def test_unmoved(codes):
    found = stability(codes, {"same": codes})
    assert found.move == {"same": 0.0}
    assert found.top1 == {"same": 1.0}
    assert found.mean == 0


def test_as_far_as_another_image():
    codes = np.random.default_rng(0).normal(size=(40, 200))
    found = stability(codes, {"another": np.random.default_rng(1).normal(size=(40, 200))})
    assert found.move["another"] == pytest.approx(1, abs=0.05)
    assert found.top1["another"] < 0.2


def test_closed_case():
    """Three on a line: median distances to the others are 3, 1.5 and 2.5 … each moved by 1."""
    codes = np.array([[0.0], [2.0], [4.0]])
    found = stability(codes, {"step": codes + 0.6, "leap": codes + 1.5})
    assert found.move == pytest.approx({"step": 0.6 / 3, "leap": 1.5 / 3})  # medians 3, 2, 3
    assert found.top1 == pytest.approx({"step": 1, "leap": 1 / 3})  # only the last has no next
    assert found.mean == pytest.approx((0.2 + 0.5) / 2)


def test_far_moves_count_as_one_in_the_mean(codes):
    found = stability(codes, {"far": codes + 1000, "none": codes})
    assert found.move["far"] > 100
    assert found.mean == 0.5


@given(
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-100, 100),
    order=st.permutations(range(12)),
)
def test_scale_offset_and_order_change_nothing(scale, offset, order):
    rng = np.random.default_rng(0)
    z, pert = rng.normal(size=(12, 5)), rng.normal(size=(12, 5))
    base = stability(z, {"a": pert})
    other = stability((scale * z + offset)[order], {"a": (scale * pert + offset)[order]})
    assert other.move["a"] == pytest.approx(base.move["a"], rel=1e-6)
    assert other.top1 == base.top1


def test_repeated_images_are_skipped(codes):
    pert = codes + 0.1
    twice = stability(np.concatenate([codes, codes[:5]]), {"a": np.concatenate([pert, pert[:5]])})
    once = stability(codes, {"a": pert})
    assert twice == once


@pytest.mark.parametrize("value", [0.0, 3.7])
def test_a_code_that_distinguishes_nothing(value):
    constant = np.full((20, 8), value, np.float32)
    found = stability(constant, {"same": constant, "other": constant + 1})
    assert found.move == found.top1 == {"same": 0.0, "other": 0.0}
    assert found.mean == 0


@pytest.mark.parametrize("n", [0, 1])
def test_without_another_image(n, codes):
    found = stability(codes[:n], {"a": codes[:n] + 1})
    assert found.move == found.top1 == {"a": 0.0}


def test_pixels_of_real_images_move_as_published(shared_data):
    """The protocol's .31 for pixels 32 on cifar10."""
    files = sorted((shared_data / "classification/cifar10").glob("*/*.jpg"))
    squares = np.stack([images.square(files[i], 64)[0] for i in sample(len(files))])

    def pixels(pictures):
        small = [cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in pictures]
        return np.array(small, np.float32).reshape(len(pictures), -1)

    seen = {name: pixels(changed) for name, changed in perturb(squares).items()}
    found = stability(pixels(squares), seen)
    assert found.mean == pytest.approx(0.31, abs=0.05)
    assert found.move["blur"] < found.move["noise"] < found.move["shift"] < 0.6
