"""Tensors of another kind than a building block takes raise imrep's own errors, no others."""

import contextlib
import functools
import math

import pytest
import torch

import imrep
from imrep.codes import Code
from imrep.errors import ImrepError
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

pytestmark = pytest.mark.no_shapes


@functools.cache
def calls():
    """By name, a function and arguments that it takes."""
    image, guide = photo(16, 16), photo(16, 16, channels=1)
    grid, rois = torch.rand(2, 12, 4, 3, 3), torch.tensor([[2.0, 2, 9, 9], [1.0, 1, 12, 8]])
    chart = Chart()
    points = imrep.get("corner").encode(photo())
    code = imrep.get("segment").encode(photo())
    return {
        "bilateral": (lambda x, g: imrep.get("bilateral").encode(x, guide=g), image, guide),
        "tanhpolar": (
            lambda x, r, a: imrep.get("tanhpolar").encode(x, rois=r, angles=a),
            image, rois, torch.zeros(2),
        ),
        "denoise": (imrep.get("filterbank").denoise, image),
        "steps": (imrep.get("edge").steps, image),
        "blob": (imrep.get("blob").response, image),
        "corner": (imrep.get("corner").response, image),
        "fit": (lambda x: imrep.get("sift:words=2").fit(x), image),
        "fit a sum": (lambda x: imrep.get("sift:words=2+pixels").fit(x), image),
        "fit batches": (lambda x: imrep.get("sift:words=2").fit([x]), image),
        "contours": (imrep.get("segment").contours, code),
        "adjacency": (imrep.get("segment").adjacency, code),
        "equations": (imrep.get("filterbank").equations, imrep.get("filterbank").encode(image)),
        "distance": (
            imrep.get("scattering:scales=2").distance,
            image, imrep.get("scattering:scales=2").encode(image),
        ),
        "filter": (points.filter, points.present),
        "sort": (points.sort, points.extent),
        "first": (lambda x: points.first(x), points.extent),
        "bilateral_filter": (
            lambda x, g: bilateral_filter(x, g, sigma_space=4, sigma_range=0.1), image, guide,
        ),
        "bilateral_slice": (bilateral_slice, grid, guide),
        "bilateral_slice_apply": (bilateral_slice_apply, grid, guide, image),
        "bilateral_solver": (bilateral_solver, image, image, guide),
        "build": (lambda x: build(x, 2), image),
        "collapse": (lambda x, y: collapse([x], y), image, photo(8, 8)),
        "expand": (lambda x: expand(x, (32, 32)), image),
        "reduce": (reduce, image),
        "otsu": (otsu, image),
        "warp": (lambda x, r, a: warp(x, r, (9, 9), chart, a), image, rois, torch.zeros(2)),
        "restore": (lambda x, r, a: restore(x, r, (9, 9), chart, a), image, rois, torch.zeros(2)),
        "convert": (lambda x, r: convert(x, r, (9, 9), chart, chart), image, rois),
        "forward_map": (lambda r, a: forward_map(r, (9, 9), chart, a), rois, torch.zeros(2)),
        "inverse_map": (
            lambda r, a: inverse_map(r, (9, 9), (9, 9), chart, a), rois, torch.zeros(2),
        ),
}  # fmt: skip


NAMES = [
    "bilateral", "tanhpolar", "denoise", "steps", "blob", "corner", "fit", "fit a sum",
    "fit batches", "contours", "adjacency", "equations", "distance", "filter", "sort", "first",
    "bilateral_filter", "bilateral_slice", "bilateral_slice_apply", "bilateral_solver", "build",
    "collapse", "expand", "reduce", "otsu", "warp", "restore", "convert", "forward_map",
    "inverse_map",
]  # fmt: skip
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


def changed(change, x):
    """The argument changed; of a code, each of its tensors where that can be."""
    if not isinstance(x, Code):
        return WRONG[change](x)
    return x.map(WRONG[change]) if change in TENSORS else WRONG[change](x.tensors()["values"])


def test_every_call_is_asked():
    assert list(calls()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments_raise_nothing_but_imreps_own_errors(name):
    call, *arguments = calls()[name]
    for change in WRONG:
        for index, argument in enumerate(arguments):
            wrong = [*arguments[:index], changed(change, argument), *arguments[index + 1 :]]
            try:
                with contextlib.suppress(ImrepError):
                    call(*wrong)
            except Exception as error:
                error.add_note(f"argument {index} was {change}")
                raise
