"""Granulometry and the operations under it: laws of the lattice, OpenCV's and SciPy's numbers."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.codes import Map
from imrep.errors import BadCode, BadImage, BadParameter, NoInverse
from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import SHAPES, rectangles, structuring_element
from imrep.testing import photo

OPERATIONS = {
    "ERODE": operators.erode,
    "DILATE": operators.dilate,
    "OPEN": operators.opening,
    "CLOSE": operators.closing,
    "GRADIENT": operators.gradient,
}


@st.composite
def elements(draw):
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    mask = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask[draw(st.integers(0, height * width - 1))] = True
    return torch.tensor(mask).view(height, width)


def applied(name, x, element, convention):
    operation = OPERATIONS[name]
    if name == "ERODE":
        return operation(x, element)
    return operation(x, element, convention=convention)


def test_every_reference_is_matched_exactly(references):
    stored = references("morphology")
    compared = 0
    for key in stored:
        binary = key.startswith("bin_")
        name, _, which = key.removeprefix("bin_").partition("_")
        if name not in OPERATIONS:
            continue
        element = (
            np.ones((5, 5)) if binary else stored["asym" if which == "asym" else f"se_{which}"]
        )
        image = torch.from_numpy(stored["bin_u8" if binary else "img_u8"])
        actual = applied(name, image, torch.from_numpy(element), "opencv")
        np.testing.assert_array_equal(actual.numpy(), stored[key], err_msg=key)
        compared += 1
    assert compared == 58


@pytest.mark.parametrize("shape", ["rect", "cross", "ellipse"])
@given(height=st.integers(1, 20), width=st.integers(1, 20))
@settings(max_examples=20)
def test_elements_are_opencvs(shape, height, width):
    theirs = cv2.getStructuringElement(getattr(cv2, f"MORPH_{shape.upper()}"), (width, height))
    ours = structuring_element(shape, height, width)
    np.testing.assert_array_equal(ours.numpy(), theirs.astype(bool))


@given(elements())
def test_rectangles_cover_the_element_and_nothing_else(element):
    painted = torch.zeros_like(element, dtype=torch.int)
    for top, left, height, width in rectangles(element):
        row, column = top + element.shape[0] // 2, left + element.shape[1] // 2
        painted[row : row + height, column : column + width] += 1
    assert torch.equal(painted, element.int())


@given(st.integers(1, 9), st.integers(1, 9), elements())
def test_extremes_are_those_of_a_loop_at_any_size(height, width, element):
    x = torch.rand(2, height, width)
    eroded, dilated = torch.full_like(x, torch.inf), torch.full_like(x, -torch.inf)
    for i, j in element.nonzero().tolist():
        dy, dx = i - element.shape[0] // 2, j - element.shape[1] // 2
        for y in range(max(0, -dy), min(height, height - dy)):
            for z in range(max(0, -dx), min(width, width - dx)):
                eroded[:, y, z] = eroded[:, y, z].minimum(x[:, y + dy, z + dx])
                dilated[:, y + dy, z + dx] = dilated[:, y + dy, z + dx].maximum(x[:, y, z])
    assert torch.equal(operators.erode(x, element), eroded)
    assert torch.equal(operators.dilate(x, element), dilated)


@given(st.integers(1, 9), st.integers(1, 9), elements())
def test_textbook_opening_and_closing_are_an_opening_and_a_closing(height, width, element):
    element[element.shape[0] // 2, element.shape[1] // 2] = True
    x = torch.rand(1, height, width)
    opened, closed = operators.opening(x, element), operators.closing(x, element)
    assert (opened <= x).all() and (closed >= x).all()
    assert torch.equal(operators.opening(opened, element), opened)
    assert torch.equal(operators.closing(closed, element), closed)
    if element.shape[0] % 2 and element.shape[1] % 2:  # else reflection moves its origin
        reflected = element.flip(0, 1)
        assert torch.equal(-operators.opening(-x, reflected), closed)


def test_opencvs_opening_of_an_asymmetric_element_is_none():
    x = torch.rand(1, 40, 40)
    element = structuring_element("rect", 4, 4)
    assert (operators.opening(x, element) <= x).all()
    assert (operators.opening(x, element, convention="opencv") > x).any()


def test_gray_dilation_is_scipys():
    x = np.random.default_rng(0).random((31, 23))
    element = np.array([[0, 1, 1], [0, 1, 0], [0, 0, 0]], bool)
    theirs = scipy.ndimage.grey_dilation(x, footprint=element, mode="constant", cval=-np.inf)
    ours = operators.dilate(torch.from_numpy(x), torch.from_numpy(element))
    np.testing.assert_array_equal(ours.numpy(), theirs)


@pytest.mark.parametrize("size", [(3, 700, 800), (5, 500, 500), (1, 1, 700_000), (1, 3000, 200)])
def test_strips_of_large_images_join_without_a_seam(size):
    x = torch.rand(size)
    element = structuring_element("ellipse", 7, 6)
    theirs = np.stack([cv2.dilate(p, element.numpy().astype(np.uint8)) for p in x.numpy()])
    ours = operators.dilate(x, element, convention="opencv")
    np.testing.assert_array_equal(ours.numpy(), theirs)
    recorded = operators.dilate(x.requires_grad_(), element, convention="opencv")
    assert recorded.requires_grad and torch.equal(recorded, ours)


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int16, torch.float16, torch.double]
)
def test_every_dtype_is_preserved(dtype):
    x = (torch.rand(2, 1, 12, 9) * 200 - 50).clamp_min(0 if dtype == torch.uint8 else -50).to(dtype)
    element = structuring_element("cross", 3, 3)
    for name in OPERATIONS:
        actual = applied(name, x, element, "textbook")
        expected = applied(name, x.double(), element, "textbook")
        assert actual.dtype == dtype
        torch.testing.assert_close(actual.double(), expected, rtol=2e-3, atol=0)


def test_the_input_is_left_alone_and_strides_do_not_matter():
    x = torch.rand(2, 3, 20, 30)
    copy, element = x.clone(), structuring_element("rect", 5, 2)
    strided = operators.erode(x.transpose(1, 0), element).transpose(1, 0)
    assert torch.equal(strided, operators.erode(x, element)) and torch.equal(x, copy)
    assert torch.equal(operators.erode(x.mT, element.T).mT, strided)


def test_gradients_go_to_the_extremes():
    x = torch.rand(1, 1, 6, 5, dtype=torch.float64, requires_grad=True)
    element = structuring_element("ellipse", 4, 3)

    def several(x):
        return operators.opening(x, element), operators.gradient(x, element)

    assert torch.autograd.gradcheck(several, x)


def test_nan_and_what_is_no_element_are_refused():
    x = torch.rand(1, 1, 5, 5)
    with pytest.raises(BadImage, match="dilate needs finite values, got NaN"):
        operators.dilate(x.index_fill(3, torch.tensor(1), torch.nan), torch.ones(3, 3))
    with pytest.raises(BadImage, match="erode needs real numbers"):
        operators.erode(x[0, 0, 0], torch.ones(3, 3))
    for element in (torch.zeros(3, 3), torch.ones(3), np.ones((3, 3))):
        with pytest.raises(BadParameter, match="needs to be a matrix that is not all zero"):
            operators.erode(x, element)
    with pytest.raises(BadParameter, match="convention to be one of textbook, opencv"):
        operators.dilate(x, torch.ones(3, 3), convention="matlab")
    with pytest.raises(BadParameter, match="diagonal needs equal sides, got 3×5"):
        structuring_element("diagonal", 3, 5)
    assert structuring_element("antidiagonal", 2, 2).tolist() == [[False, True], [True, False]]
    assert len(SHAPES) == 5


@settings(max_examples=15)
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from(["square", "disk", "all"]),
       st.integers(2, 4), st.sampled_from(["textbook", "opencv"]))  # fmt: skip
def test_maps_are_never_negative_and_add_up_to_the_image(
    height, width, shape, smallest, convention
):
    rep = imrep.get(f"morphology:shape={shape},smallest={smallest},sizes=3,convention={convention}")
    image = photo(height, width, batch=1).double()
    code = rep.encode(image)
    assert (code.values[:, :-3] >= 0).all()
    torch.testing.assert_close(rep.invert(code), image, rtol=0, atol=1e-14)


def test_the_spectrum_of_bars_has_their_width():
    bars = torch.zeros(1, 1, 64, 64)
    bars[..., 8:13, 8:40] = 1.0  # 5 pixels high, 32 wide
    code = imrep.get("morphology:shape=all").encode(bars)
    sizes = {label for label, plane in zip(code.labels, code.values[0], strict=True) if plane.any()}
    # a square of 9 does not fit into it, a horizontal line of 17 does
    assert {"square 9 bright", "vertical 9 bright"} <= sizes
    assert not {f"{shape} 5 bright" for shape in ("square", "vertical", "horizontal")} & sizes
    assert not any(label.startswith("horizontal") and "bright" in label for label in sizes)
    dark = imrep.get("morphology:shape=square").encode(1 - bars)
    sizes = {label for label, plane in zip(dark.labels, dark.values[0], strict=True) if plane.any()}
    assert "square 9 dark" in sizes and not {"square 3 dark", "square 5 dark"} & sizes


def plain_granulometry(plane, element, sides):
    """Differences of SciPy's openings and closings of one plane (h, w), and the residual."""
    bright, dark, maps = plane, plane, []
    for side in sides:
        footprint = element(side)
        # Pixels outside are ignored: the greatest for an erosion, the least for a dilation.
        erode = {"footprint": footprint, "mode": "constant", "cval": np.inf}
        dilate = erode | {"cval": -np.inf}
        eroded = scipy.ndimage.grey_erosion(plane, **erode)
        opened = scipy.ndimage.grey_dilation(eroded, **dilate)
        dilated = scipy.ndimage.grey_dilation(plane, **dilate)
        closed = scipy.ndimage.grey_erosion(dilated, **erode)
        opened, closed = np.minimum(bright, opened), np.maximum(dark, closed)
        maps += [bright - opened, closed - dark]
        bright, dark = opened, closed
    return np.stack([*maps, bright])


@pytest.mark.parametrize(
    ("shape", "element"),
    [
        ("square", lambda side: np.ones((side, side), bool)),
        ("disk", lambda side: structuring_element("ellipse", side, side).numpy()),
    ],
)
def test_equals_the_plain_algorithm(shape, element):
    plane = photo(37, 44, batch=1, channels=1)
    maps = imrep.get("morphology", shape=shape, sizes=3).encode(plane).values[0].numpy()
    expected = plain_granulometry(plane[0, 0].numpy(), element, (3, 5, 9))
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_maps_are_differences_of_opencvs_openings():
    image = photo(50, 41, batch=1, channels=1)
    code = imrep.get("morphology:shape=square,sizes=2").encode(image)
    plane = image[0, 0].numpy()
    opened = [
        cv2.morphologyEx(plane, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) for side in (3, 5)
    ]
    expected = [plane - opened[0], opened[0] - opened[1], opened[1]]
    maps = code.values[0, [0, 2, 4]].numpy()
    np.testing.assert_allclose(maps, np.stack(expected), atol=1e-7)


def test_tophats_are_sums_and_gradients_are_opencvs():
    image = photo(33, 40)
    parts = imrep.get("morphology:shape=square").encode(image)
    sums = imrep.get("morphology:shape=square,operation=tophat").encode(image)
    bright = parts.values[:, :-3].unflatten(1, (4, 2, 3))
    torch.testing.assert_close(sums.values.unflatten(1, (4, 2, 3)), bright.cumsum(1))
    code = imrep.get("morphology:shape=square,operation=gradient,sizes=1").encode(image)
    plane = image[0, 1].numpy()
    theirs = cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    np.testing.assert_allclose(code.values[0, 1].numpy(), theirs, atol=1e-7)
    assert code.labels == ("square 3 red", "square 3 green", "square 3 blue")


def test_vector_is_fourth_roots_and_the_rests_means():
    rep = imrep.get("morphology:shape=lines,sizes=2,cells=1")
    image = photo(16, 16, batch=1)
    code, vector = rep.encode(image), rep.embed(image)[0]
    assert vector.shape == (2 * 2 * 2 * 3 + 3,) and imrep.get("morphology").dim == 1584
    means = code.values[0].mean((1, 2))
    torch.testing.assert_close(vector[:-3] ** 4, means[:-3], rtol=0.02, atol=1e-5)
    torch.testing.assert_close(vector[-3:], means[-3:])


@pytest.mark.parametrize("operation", ["tophat", "gradient"])
def test_other_operations_embed_and_have_no_inverse(operation):
    rep = imrep.get("morphology", operation=operation, shape="disk")
    image = photo(20, 30)
    code = rep.encode(image)
    assert rep.inverse == "none" and rep.embed(image).isfinite().all()
    assert rep.picture(code).std() > 0.01
    with pytest.raises(NoInverse, match=rf"morphology:.*{operation}.* has no inverse"):
        rep.invert(code)


def test_bad_parameters_and_codes_are_refused():
    for key, value in {"shape": "star", "operation": "hitmiss", "convention": "scipy"}.items():
        with pytest.raises(BadParameter, match=f"morphology needs {key} to be one of"):
            imrep.get("morphology", **{key: value})
    for key, value in {"sizes": 0, "smallest": 1, "cells": 0}.items():
        with pytest.raises(BadParameter, match=f"morphology needs {key} (of at least|from 1 to)"):
            imrep.get("morphology", **{key: value})
    with pytest.raises(BadParameter, match=r"at most 4097 pixels, got sizes=30.* Use sizes=12"):
        imrep.get("morphology", sizes=30)
    with pytest.raises(BadCode, match=r"needs 33 or 99 maps of .*, got 4"):
        imrep.get("morphology").invert(Map(torch.zeros(1, 4, 5, 5), (5, 5)))


@pytest.mark.parametrize("shape", ["rect", "cross", "ellipse", "diagonal"])
@pytest.mark.parametrize("side", [3, 16, 17, 33, 129])
def test_an_element_larger_than_the_image_is_cut_to_it(shape, side):
    from imrep.ops.morphology import elements

    x = torch.rand(2, 1, 9, 16, generator=torch.Generator().manual_seed(side))
    mask = elements.structuring_element(shape, side, side)
    padded = torch.nn.functional.pad(x, [side] * 4, value=2.0)
    middle, expected = side // 2, torch.full_like(x, 2.0)
    for i, j in mask.nonzero().tolist():
        top, left = side + i - middle, side + j - middle
        expected = torch.minimum(expected, padded[..., top : top + 9, left : left + 16])
    assert torch.equal(operators.erode(x, mask), expected)
    small = elements.clipped(elements.rectangles(mask), 9, 16)
    assert all(p.height < 18 and p.width < 32 for p in small)


def test_the_greatest_number_of_sizes_takes_no_minutes():
    import time

    began = time.process_time()
    imrep.get("morphology", sizes=12).embed(torch.rand(1, 3, 32, 32))
    assert time.process_time() - began < 30
