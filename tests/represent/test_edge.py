import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadImage, BadParameter
from imrep.represent.local import edge as module
from imrep.testing import photo

STORED = [
    ("canny_100_200_ap3_l20", "low=100,high=200"),
    ("canny_100_200_ap3_l21", "low=100,high=200,euclidean=true"),
    ("canny_50_150_ap3_l20", "low=50,high=150"),
    ("canny_50_150_ap3_l21", "low=50,high=150,euclidean=true"),
    ("canny_1000_2000_ap5_l20", "low=1000,high=2000,aperture=5"),
]


@pytest.mark.parametrize(("key", "words"), STORED)
def test_equals_opencvs_reference_bit_by_bit(references, key, words):
    stored = references("canny")
    levels, expected = torch.from_numpy(stored["img_u8"]), torch.from_numpy(stored[key])
    rep = imrep.get(f"edge:{words}")
    edges = rep.encode(levels[None, None] / 255).values[0, 0]
    assert torch.equal(edges * 255, expected.float())
    assert torch.equal(rep.steps(levels[None, None] / 255).values[0, 3], edges)


@settings(max_examples=25)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    low=st.floats(0, 400),
    wider=st.floats(0, 400),
    euclidean=st.booleans(),
    aperture=st.sampled_from([3, 5]),
    grain=st.sampled_from([1, 5, 64]),
)
def test_the_steps_end_in_opencvs_edges(height, width, low, wider, euclidean, aperture, grain):
    dice = np.random.default_rng(height * 41 + width)
    levels = dice.integers(0, 256 // grain, (height, width)).astype(np.uint8) * grain
    rep = imrep.get("edge", low=low, high=low + wider, aperture=aperture, euclidean=euclidean)
    steps = rep.steps(torch.from_numpy(levels)[None, None] / 255).values[0]
    expected = cv2.Canny(levels, low, low + wider, None, aperture, euclidean)
    np.testing.assert_array_equal(255 * steps[3].numpy(), expected)
    assert (
        (steps[1] == 0) | (steps[1] == steps[0])
    ).all()  # thinning takes away and alters nothing
    assert (steps[2][steps[3] > 0] > 0).all()
    assert steps[3][steps[2] == 1].all()


def test_colour_is_opencvs_gray():
    image = photo(50, 61, batch=1)
    levels = (255 * image[0]).round().byte().permute(1, 2, 0).numpy()
    gray = cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)
    edges = imrep.get("edge:low=50,high=150").encode(image).values[0, 0]
    np.testing.assert_array_equal(255 * edges.numpy(), cv2.Canny(gray, 50, 150))
    blurred = imrep.get("edge:low=50,high=150,sigma=1.4").encode(image).values[0, 0]
    expected = cv2.Canny(cv2.GaussianBlur(gray, (0, 0), 1.4), 50, 150)
    np.testing.assert_array_equal(255 * blurred.numpy(), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_types_give_the_same_edges(dtype):
    image = (photo(40, 40, channels=1) * 255).round().clamp(0, 255) / 255
    edges = imrep.get("edge").encode(image.to(dtype)).values
    assert edges.dtype == dtype and edges.any()
    assert torch.equal(edges.float(), imrep.get("edge").encode(image).values)


def test_a_jump_is_as_steep_as_the_docstring_says():
    image = torch.zeros(1, 1, 9, 10)
    image[..., 5:] = 20 / 255
    for aperture, slope in ((3, 80), (5, 960)):
        rep = imrep.get("edge", low=slope - 1.0, high=slope - 1.0, aperture=aperture)
        edges = rep.encode(image).values[0, 0]
        assert edges.sum() == 9 and edges[:, 4].all()  # of two that are equal the first
        assert rep.steps(image).values[0, 0].max() == slope
        higher = imrep.get("edge", low=0.0, high=float(slope), aperture=aperture)
        assert not higher.encode(image).values.any()


def test_weak_edges_stay_where_they_reach_a_strong_one():
    image = torch.zeros(1, 1, 20, 30)
    image[..., :10, 10:] = 0.5  # strong above,
    image[..., 10:, 10:] = 0.1  # weak below, and joined to it
    image[..., 5:, 22:24] += 0.08  # weak, and alone
    rep = imrep.get("edge:low=50,high=300")
    sure, edges = rep.steps(image).values[0, 2:]
    assert edges[14, 9:12].any() and not edges[15, 20:26].any()
    assert sure[15, 20:26].eq(0.5).any()


def test_flat_images_have_no_edges():
    for size in ((1, 1), (5, 1), (16, 16)):
        code = imrep.get("edge:low=0,high=0").encode(torch.full((1, 3, *size), 0.7))
        assert not code.values.any()
    assert not imrep.get("edge").embed(torch.full((1, 3, 9, 9), 0.7)).any()


@pytest.mark.parametrize(
    ("down", "right", "direction"),
    [(0, 1, 0), (1, 2, 1), (1, 1, 2), (2, 1, 3), (1, 0, 4), (2, -1, 5), (1, -1, 6), (1, -2, 7)],
)
def test_links_tell_the_directions_of_lines(down, right, direction):
    line = np.zeros((60, 60), np.uint8)
    start = (30 - 20 * right // max(abs(down), abs(right)), 30 - 20 * down // max(down, abs(right)))
    end = (60 - start[0], 60 - start[1])
    cv2.line(line, start, end, 1)
    links = module._links(torch.from_numpy(line)[None, None].float()).sum((0, 2, 3))
    assert links.argmax() == direction
    assert links[(direction + 4) % 8] == 0


def test_vectors_are_roots_of_shares():
    rep = imrep.get("edge:cells=2")
    image = photo(32, 32, batch=1)
    vector = rep.embed(image)
    assert vector.shape == (1, 9 * 4)
    share = rep.encode(image).values.unflatten(3, (2, 16)).unflatten(2, (2, 16)).mean((3, 5))
    torch.testing.assert_close(vector[0, :4].square(), share.flatten())


def test_pictures_show_the_steps_over_the_image():
    rep = imrep.get("edge")
    image = photo(48, 80)
    code = rep.encode(image)
    alone, over = rep.picture(code), rep.picture(code, image)
    assert alone.unique().tolist() == [0, 1]
    assert over.shape[2] > 1.9 * alone.shape[2] and over.shape[3] > 1.9 * alone.shape[3]


def test_bad_input_is_refused():
    with pytest.raises(BadParameter, match=r"low of at most high.*low=5\.0, high=3\.0\. Exchange"):
        imrep.get("edge:low=5,high=3")
    with pytest.raises(BadParameter, match=r"low of at least 0, got -1\.0"):
        imrep.get("edge:low=-1")
    with pytest.raises(BadParameter, match="both finite"):
        imrep.get("edge", high=float("inf"))
    with pytest.raises(BadParameter, match="aperture to be 3 or 5, got 7"):
        imrep.get("edge:aperture=7")
    with pytest.raises(BadImage, match="edge needs finite values"):
        imrep.get("edge").steps(torch.full((1, 1, 4, 4), torch.nan))
