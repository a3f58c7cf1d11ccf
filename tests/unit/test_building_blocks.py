"""What lies behind the representations has public addresses, docstrings, and refuses by name."""

import contextlib
import importlib
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import imrep
from imrep.codes import Code
from imrep.errors import BadParameter, ImrepError
from imrep.represent.multiscale.laplacian import build, collapse, expand, reduce
from imrep.represent.spatial.bilateral import (
    bilateral_filter,
    bilateral_slice,
    bilateral_slice_apply,
    bilateral_solver,
)
from imrep.represent.spatial.tanhpolar import (
    Chart,
    convert,
    forward_map,
    inverse_map,
    restore,
    warp,
)
from imrep.represent.statistics.histogram import otsu
from imrep.testing import photo

API = Path(__file__).parents[2] / "docs" / "pages" / "api.md"
ADDRESSES = re.findall(r"^::: (\S+)$", API.read_text(encoding="utf-8"), re.M)


def _at(address):
    """The object, whose module is the longest beginning that can be imported."""
    parts = address.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise AssertionError(address)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_api_page_exists_and_is_explained(address):
    assert (_at(address).__doc__ or "").strip()


@pytest.mark.parametrize(
    "name",
    ["bilateral_slice", "bilateral_slice_apply", "bilateral_solver", "convert", "collapse", "otsu"],
)
def test_the_page_lists_it(name):
    assert any(address.endswith(f".{name}") for address in ADDRESSES)


def test_slice_and_apply_multiply_the_colour_of_each_pixel():
    image, guide = photo(), photo(channels=1)
    grid = torch.zeros(2, 12, 4, 3, 3)
    grid[:, [0, 5, 10]] = 0.5  # half of each channel
    grid[:, [3, 7, 11]] = 0.1  # offsets
    made = bilateral_slice_apply(grid, guide, image)
    torch.testing.assert_close(made, 0.5 * image + 0.1)
    assert bilateral_slice(grid, guide).shape == (2, 12, 64, 64)


def test_the_solver_spreads_one_stroke_within_an_edge():
    image = torch.zeros(1, 1, 32, 32)
    image[..., 16:] = 1
    target, confidence = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    for column, value in ((4, 0.2), (28, 0.9)):
        target[..., 16, column], confidence[..., 16, column] = value, 1
    solved = bilateral_solver(target, image, confidence)
    assert (solved[..., :14].mean() - 0.2).abs() < 0.05
    assert (solved[..., 18:].mean() - 0.9).abs() < 0.05


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.int16])
def test_integer_pyramids_are_lossless_and_opencvs(kind):
    top = {torch.uint8: 256, torch.uint16: 65536, torch.int16: 32768}[kind]
    dice = np.random.default_rng(0)
    name = str(kind).removeprefix("torch.")
    array = dice.integers(0 if top != 32768 else -32768, top, (37, 52)).astype(name)
    x = torch.from_numpy(array)
    np.testing.assert_array_equal(reduce(x).numpy(), cv2.pyrDown(array))
    np.testing.assert_array_equal(
        expand(reduce(x), (37, 52)).numpy(), cv2.pyrUp(cv2.pyrDown(array), dstsize=(52, 37))
    )
    assert torch.equal(collapse(*build(x, 3)), x)


def test_conversion_is_warping_to_the_other_chart():
    image = torch.nn.functional.avg_pool2d(photo(96, 96, batch=1), 9, 1, 4)
    rois, size = torch.tensor([[20.0, 24.0, 70.0, 66.0]]), (96, 96)
    polar, cartesian = Chart("polar"), Chart("cartesian")
    converted = convert(warp(image, rois, size, polar), rois, size, polar, cartesian)
    wanted = warp(image, rois, size, cartesian)
    inside = (slice(None), slice(None), slice(24, 72), slice(24, 72))
    assert (converted[inside] - wanted[inside]).abs().mean() < 0.01


def test_otsus_threshold_is_opencvs():
    image = (photo(50, 60, batch=3) * 255).round() / 255
    for one, threshold in zip(image, otsu(image).tolist(), strict=True):
        levels = (one * 255).round().byte().permute(1, 2, 0).numpy()
        gray = cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)
        wanted, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
        assert 255 * threshold == pytest.approx(wanted)
    assert otsu(image.double()).dtype == torch.float64


def _shapes():
    image = torch.zeros(1, 1, 60, 80)
    image[..., 10:40, 12:50] = 1
    image[..., 20:30, 40:50] = 0  # a bay, which the hull closes
    return image


def test_contours_have_hulls_and_fewer_corners():
    segment = imrep.get("segment:regions=2,position=0,texture=0")
    image = _shapes()
    contours = segment.contours(segment.encode(image))[0]
    [curve] = [c for c in contours if c.label == 1]
    np.testing.assert_array_equal(curve.hull(), cv2.convexHull(curve.points)[:, 0])
    assert {tuple(p) for p in curve.hull()} == {(12, 10), (49, 10), (49, 39), (12, 39)}
    assert len(curve.points) > 100
    assert 8 <= len(curve.simplify(1.0)) <= 10
    assert len(curve.simplify(15.0)) == 4
    for tolerance in (-1.0, math.nan, math.inf):
        with pytest.raises(BadParameter, match="simplify needs tolerance from 0"):
            curve.simplify(tolerance)


def test_contours_of_edges_are_opencvs():
    edge = imrep.get("edge")
    code = edge.encode(torch.cat([_shapes(), torch.zeros(1, 1, 60, 80)]))
    some, none = edge.contours(code)
    wanted, _ = cv2.findContours(
        code.values[0, 0].byte().numpy(), cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE
    )
    assert none == [] and len(some) == len(wanted) > 0
    for curve, other in zip(some, wanted, strict=True):
        np.testing.assert_array_equal(curve.points, other[:, 0])


IMAGE, GUIDE = photo(16, 16), photo(16, 16, channels=1)
GRID, ROIS = torch.rand(2, 12, 4, 3, 3), torch.tensor([[2.0, 2, 9, 9], [1.0, 1, 12, 8]])
CHART = Chart()
POINTS = imrep.get("corner").encode(photo())
CODE = imrep.get("segment").encode(photo())
CALLS = {
    "bilateral": (lambda x, g: imrep.get("bilateral").encode(x, guide=g), IMAGE, GUIDE),
    "tanhpolar": (
        lambda x, r, a: imrep.get("tanhpolar").encode(x, rois=r, angles=a),
        IMAGE, ROIS, torch.zeros(2),
    ),
    "denoise": (imrep.get("filterbank").denoise, IMAGE),
    "steps": (imrep.get("edge").steps, IMAGE),
    "blob": (imrep.get("blob").response, IMAGE),
    "corner": (imrep.get("corner").response, IMAGE),
    "fit": (lambda x: imrep.get("sift:words=2").fit(x), IMAGE),
    "fit a sum": (lambda x: imrep.get("sift:words=2+pixels").fit(x), IMAGE),
    "fit batches": (lambda x: imrep.get("sift:words=2").fit([x]), IMAGE),
    "contours": (imrep.get("segment").contours, CODE),
    "adjacency": (imrep.get("segment").adjacency, CODE),
    "equations": (imrep.get("filterbank").equations, imrep.get("filterbank").encode(IMAGE)),
    "apart": (
        imrep.get("scattering:scales=2").apart,
        IMAGE, imrep.get("scattering:scales=2").encode(IMAGE),
    ),
    "filter": (POINTS.filter, POINTS.present),
    "sort": (POINTS.sort, POINTS.extent),
    "first": (lambda x: POINTS.first(x), POINTS.extent),
    "bilateral_filter": (
        lambda x, g: bilateral_filter(x, g, sigma_space=4, sigma_range=0.1), IMAGE, GUIDE,
    ),
    "bilateral_slice": (bilateral_slice, GRID, GUIDE),
    "bilateral_slice_apply": (bilateral_slice_apply, GRID, GUIDE, IMAGE),
    "bilateral_solver": (bilateral_solver, IMAGE, IMAGE, GUIDE),
    "build": (lambda x: build(x, 2), IMAGE),
    "collapse": (lambda x, y: collapse([x], y), IMAGE, photo(8, 8)),
    "expand": (lambda x: expand(x, (32, 32)), IMAGE),
    "reduce": (reduce, IMAGE),
    "otsu": (otsu, IMAGE),
    "warp": (lambda x, r, a: warp(x, r, (9, 9), CHART, a), IMAGE, ROIS, torch.zeros(2)),
    "restore": (lambda x, r, a: restore(x, r, (9, 9), CHART, a), IMAGE, ROIS, torch.zeros(2)),
    "convert": (lambda x, r: convert(x, r, (9, 9), CHART, CHART), IMAGE, ROIS),
    "forward_map": (lambda r, a: forward_map(r, (9, 9), CHART, a), ROIS, torch.zeros(2)),
    "inverse_map": (lambda r, a: inverse_map(r, (9, 9), (9, 9), CHART, a), ROIS, torch.zeros(2)),
}  # fmt: skip
WRONG = {
    "an array": lambda x: x.numpy(),
    "a list": lambda x: x.tolist(),
    "a word": lambda x: "grid",
    "half precision": lambda x: x.half(),
    "complex": lambda x: x.to(torch.complex64),
    "truth": lambda x: x > 0.5,
    "whole numbers": lambda x: (x * 255).long(),
    "NaN": lambda x: x * math.nan,
    "infinity": lambda x: x * math.inf,
    "an axis less": lambda x: x[0],
    "an axis more": lambda x: x[None],
    "one image less": lambda x: x[:1],
    "nothing in it": lambda x: x[:0],
    "no column": lambda x: x[..., :0],
    "a column less": lambda x: x[..., :-1],
    "turned negative": lambda x: ~x if x.dtype == torch.bool else -x,
    "a thousand times as large": lambda x: 1000 * x,
    "nothing": lambda x: None,
}
TENSORS = ("half precision", "NaN", "an axis less", "an axis more", "one image less",
           "nothing in it", "no column", "a column less", "turned negative")  # fmt: skip


def _wrong(what, x):
    """The argument made wrong; of a code, each of its tensors where that can be."""
    if not isinstance(x, Code):
        return WRONG[what](x)
    return x.map(WRONG[what]) if what in TENSORS else WRONG[what](x.tensors()["values"])


@pytest.mark.no_shapes
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", CALLS)
def test_wrong_arguments_raise_nothing_but_imreps_own_errors(name, what):
    call, *arguments = CALLS[name]
    for place in range(len(arguments)):
        changed = [_wrong(what, x) if i == place else x for i, x in enumerate(arguments)]
        with contextlib.suppress(ImrepError):  # anything else fails the test
            call(*changed)
