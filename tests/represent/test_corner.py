import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import feature

import imrep
from imrep.errors import BadParameter
from imrep.ops.filter.peaks import window_maximum
from imrep.testing import photo

MEASURES = ("harris", "shi-tomasi")


def opencv(gray, method, block, k=0.04):
    if method == "harris":
        return cv2.cornerHarris(gray, block, 3, k)
    return cv2.cornerMinEigenVal(gray, block, ksize=3)


@pytest.mark.parametrize("method", MEASURES)
@settings(max_examples=15)
@given(block=st.integers(2, 7), height=st.integers(8, 30), width=st.integers(8, 30))
def test_the_response_is_opencvs_in_float32_and_float64(method, block, height, width):
    image = torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(height))
    rep = imrep.get("corner", method=method, block=block, k=0.06)
    expected = np.stack([opencv(one[0].numpy(), method, block, 0.06) for one in image])
    np.testing.assert_array_equal(rep.response(image).values[:, 0].numpy(), expected)
    slow = rep.response(image.double()).values[:, 0]
    np.testing.assert_allclose(slow.numpy(), expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("method", MEASURES)
@pytest.mark.parametrize("block", [2, 3, 5])
def test_values_are_the_response_at_the_point(method, block):
    rep = imrep.get("corner", method=method, block=block)
    image = photo(40, 53, batch=2, channels=1)
    code, response = rep.encode(image), rep.response(image).values
    for i in range(2):
        x, y = code.xy[i, code.present[i]].long().T
        there = code.values[i, code.present[i], 0]
        torch.testing.assert_close(there, response[i, 0, y, x], rtol=1e-4, atol=1e-9)
        assert (there.diff() <= 1e-7).all() and len(there) > 5
    greater, smaller = code.columns()["greater"], code.columns()["smaller"]
    assert (greater >= smaller).all() and (smaller[code.present] > 0).all()


def test_points_are_skimages_peaks():
    rep = imrep.get("corner:quality=0.01,distance=3,max_points=4800")
    image = photo(60, 80, batch=1, channels=1)
    response = rep.response(image).values[0, 0].numpy()
    expected = feature.corner_peaks(
        response, min_distance=3, threshold_rel=0.01, exclude_border=False, p_norm=np.inf
    )
    ours = rep.encode(image).xy[0].long().flip(1).tolist()
    assert sorted(ours) == sorted(expected.tolist())


def test_the_greatest_within_a_window():
    x = torch.rand(2, 9, 14)
    for reach in (1, 2, 3, 5, 20):
        for y, x_ in ((0, 0), (4, 7), (8, 13), (3, 12)):
            near = x[:, max(0, y - reach) : y + reach + 1, max(0, x_ - reach) : x_ + reach + 1]
            assert torch.equal(window_maximum(x, reach)[:, y, x_], near.amax((1, 2)))


def test_turning_the_image_turns_the_points():
    rep = imrep.get("corner")
    image = photo(33, 33, batch=1, channels=1).double()
    code, turned = rep.encode(image), rep.encode(torch.rot90(image, -1, (2, 3)))
    x, y = code.xy[0].T
    moved = torch.stack([32 - y, x], dim=1)  # clockwise on screen
    torch.testing.assert_close(turned.sort("response").xy[0], moved)
    distance = (turned.angle - code.angle - 90 + 180) % 360 - 180
    assert distance.abs().max() < 1e-6


def test_a_plateau_counts_once_and_nothing_counts_not_at_all():
    image = torch.zeros(1, 1, 24, 24)
    image[..., 8:16, 8:16] = 1
    rep = imrep.get("corner:distance=4")
    code = rep.encode(image)
    assert code.xy.shape == (1, 4, 2)
    towards = torch.atan2(*(11.5 - code.xy[0]).flip(1).T).rad2deg() % 360
    torch.testing.assert_close(code.angle[0], towards, atol=1.0, rtol=0)
    both = torch.cat([image, torch.full_like(image, 0.3)])
    code = rep.encode(both)
    assert code.present.sum(1).tolist() == [4, 0]
    assert not rep.pool(code)[1].any() and rep.pool(code)[0].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (5, 3)])
def test_small_images(size):
    for block in (2, 3):
        rep = imrep.get("corner", block=block)
        assert rep.embed(torch.rand(2, 3, *size)).isfinite().all()


def test_most_keeps_the_best():
    image = photo(64, 64, batch=1)
    many, few = imrep.get("corner").encode(image), imrep.get("corner:max_points=7").encode(image)
    assert torch.equal(few.xy, many.xy[:, :7]) and few.xy.shape[1] == 7


@pytest.mark.parametrize("method", MEASURES)
def test_gradient_is_the_slope(method):
    image = photo(12, 13, batch=1, channels=1).double().requires_grad_()
    rep = imrep.get("corner", method=method, max_points=5)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)
    assert torch.autograd.gradcheck(lambda x: rep.response(x).values, image)


def test_vectors_stay_when_brightness_does_and_know_the_quarter():
    rep = imrep.get("corner:cells=2")
    image = torch.full((1, 1, 40, 40), 0.2)
    image[..., 26:32, 24:34] = 0.9
    vector = rep.embed(image).unflatten(1, (8, 4))[0]
    assert vector[:, 3].any() and not vector[:, :3].any()
    torch.testing.assert_close(rep.embed(image + 0.1), rep.embed(image), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("method=fast", "method to be one of harris, shi-tomasi, got 'fast'"),
        ("block=1", "block from 2 to 99, got 1"),
        ("k=0.3", r"k from 0 to 0\.25, got 0\.3"),
        ("quality=2", r"quality from 0 to 1, got 2"),
        ("distance=0", "distance from 1 to 999, got 0"),
        ("max_points=0", "max_points from 1 to 5000, got 0"),
    ],
)
def test_bad_parameters_are_refused(words, message):
    with pytest.raises(BadParameter, match=f"corner needs {message}"):
        imrep.get(f"corner:{words}")


@pytest.mark.parametrize("aperture", [3, 5, 7])
@pytest.mark.parametrize("method", ["harris", "shi-tomasi"])
def test_every_aperture_is_opencvs(method, aperture):
    gray = photo(40, 52, batch=1, channels=1)
    rep = imrep.get("corner", method=method, aperture=aperture, block=4)
    array = gray[0, 0].numpy()
    if method == "harris":
        expected = cv2.cornerHarris(array, 4, aperture, 0.04)
    else:
        expected = cv2.cornerMinEigenVal(array, 4, ksize=aperture)
    for image in (gray, gray.double(), gray.clone().requires_grad_()):  # OpenCV, and the slopes
        found = rep.response(image).values[0, 0].detach().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-5 * np.abs(expected).max())
    code = rep.encode(gray)
    x, y = code.xy[0].long().unbind(1)
    torch.testing.assert_close(
        code.columns()["response"][0].double(),
        torch.from_numpy(expected).double()[y, x],
        rtol=1e-3, atol=1e-6 * float(abs(expected).max()),
    )  # fmt: skip


def test_other_apertures_are_refused():
    for aperture in (1, 4, 9, -1):
        with pytest.raises(BadParameter, match=f"needs aperture to be 3, 5 or 7, got {aperture}"):
            imrep.get("corner", aperture=aperture)
