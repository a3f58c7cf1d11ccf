"""The RoI tanh-polar transform: its authors' numbers, what comes back, what is refused."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import imrep
from imrep.errors import BadImage, BadParameter
from imrep.io import codes
from imrep.represent.spatial.tanhpolar.coordinates import Chart
from imrep.represent.spatial.tanhpolar.warping import (
    convert,
    forward_map,
    inverse_map,
    restore,
    warp,
)
from imrep.testing import photo

ROIS = torch.tensor([[12.0, 9.0, 33.0, 41.0], [5.0, 20.5, 40.0, 44.0]])
ANGLES = torch.tensor([0.3, -1.0])


def blobs(height, width):
    """Smooth, so that interpolating twice is nearly nothing."""
    y, x = torch.meshgrid(torch.arange(height) / 9, torch.arange(width) / 9, indexing="ij")
    return (0.5 + 0.25 * torch.stack([x.sin() * y.cos(), (x + y).cos(), (x - 2 * y).sin()]))[None]


def stored(folder, name):
    return np.load(folder / "classic" / f"{name}.npz")


def parts(key):
    """`…_ka1_a0.3` as a chart and an angle."""
    kept, angle = key.split("_ka")[1].split("_")[:2]
    return Chart("polar", kept == "1"), torch.tensor([float(angle[1:])])


def test_warps_equal_the_authors(refs):
    known = stored(refs, "d1_polar_warp")
    image = torch.from_numpy(known["image_u8"]).permute(2, 0, 1)[None] / 255
    roi, size = torch.from_numpy(known["roi"])[None], tuple(known["target_wh"][::-1].tolist())
    keys = [key for key in known.files if "_ka" in key]
    assert len(keys) > 8
    for key in keys:
        chart, angle = parts(key)
        if key.startswith("fwd_map"):
            found, within = forward_map(roi, size, chart, angle), 2e-4
        else:
            padding = key.split("_")[1]
            found, within = warp(image, roi, size, chart, angle, padding), 1e-4
            rep = imrep.get(
                "tanhpolar",
                height=size[0],
                width=size[1],
                padding=padding,
                keep_aspect_ratio=chart.keep_aspect_ratio,
            )
            assert_close(rep.encode(image, rois=roi, angles=angle).values, found)
        np.testing.assert_allclose(found[0], known[key], rtol=0, atol=within, err_msg=key)


def test_restored_images_equal_the_authors(refs):
    known = stored(refs, "d2_polar_restore")
    roi = torch.from_numpy(known["roi"])[None]
    keys = [key for key in known.files if key.startswith("warped")]
    assert len(keys) == 2
    for key in keys:
        chart, angle = parts(key)
        maps, name = torch.from_numpy(known[key])[None], key.removeprefix("warped_")
        places = inverse_map(roi, (192, 224), maps.shape[2:], chart, angle)[0, :, ::2, ::2] + 1
        np.testing.assert_allclose(places, known[f"inv_map_xy_{name}"], rtol=0, atol=2e-4)
        image = restore(maps, roi, (192, 224), chart, angle)[0, :, ::2, ::2]
        np.testing.assert_allclose(
            image, known[f"restore_border_{name}_stride2"], rtol=0, atol=1e-4
        )


@pytest.mark.parametrize("kind", ["cartesian", "polar", "circular"])
@pytest.mark.parametrize("keep", [False, True])
def test_the_code_alone_gives_the_image_back(kind, keep, tmp_path):
    rep = imrep.get("tanhpolar", method=kind, keep_aspect_ratio=keep, padding="border")
    image = blobs(50, 60).expand(2, -1, -1, -1)
    code = rep.encode(image, rois=ROIS, angles=ANGLES)
    codes.write(code, tmp_path / "code")
    again = rep.invert(codes.read(tmp_path / "code"))
    assert again.shape == image.shape
    for i, (x1, y1, x2, y2) in enumerate(ROIS.long().tolist()):
        apart = (again - image)[i, :, y1:y2, x1:x2]
        assert apart.square().mean() < 1e-5  # 50 dB


def test_a_photographs_region_comes_back_as_well_as_measured(refs):
    known = stored(refs, "d1_polar_warp")
    image = torch.from_numpy(known["image_u8"]).permute(2, 0, 1)[None] / 255
    rep = imrep.get("tanhpolar", padding="border")
    again = rep.invert(rep.encode(image, rois=torch.from_numpy(known["roi"])[None]))
    error = (again - image).square()
    assert -10 * error[..., 49:171, 77:169].mean().log10() > 36
    assert -10 * error.mean().log10() > 28


def test_a_code_on_one_chart_is_nearly_that_on_another():
    image = blobs(50, 60).expand(2, -1, -1, -1)
    polar, circular = (
        imrep.get("tanhpolar", method=kind, padding="border") for kind in ("polar", "circular")
    )
    code = polar.encode(image, rois=ROIS, angles=ANGLES)
    wanted = circular.encode(image, rois=ROIS, angles=ANGLES).values
    found = convert(code.values, code.rois, (256, 256), Chart("polar"), Chart("circular"))
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, 256),) * 2, indexing="ij")
    near = x.hypot(y) < 0.8
    assert_close(found[..., near], wanted[..., near], rtol=0, atol=5e-3)


def test_the_default_region_is_the_complete_image_from_edge_to_edge():
    rep, image = imrep.get("tanhpolar", height=20, width=30), photo(16, 24)
    code = rep.encode(image)
    assert code.size == (16, 24) and code.angles.tolist() == [0, 0]
    assert code.rois.tolist() == [[-0.5, -0.5, 23.5, 15.5]] * 2
    given = rep.encode(image, rois=code.rois, angles=code.angles)
    assert torch.equal(code.values, given.values)


def test_turning_the_image_moves_rows():
    rep, image = imrep.get("tanhpolar", height=64, width=64, padding="border"), photo(65, 65)
    turned = rep.encode(image.rot90(-1, (2, 3))).values  # clockwise, as angles go
    assert_close(turned, rep.encode(image).values.roll(16, 2), rtol=0, atol=1e-4)
    quarter = torch.full((2,), math.pi / 2)
    seen = rep.encode(image.rot90(-1, (2, 3)), angles=quarter).values
    assert_close(seen, rep.encode(image).values, rtol=0, atol=1e-4)


def test_gradients_reach_image_region_and_angle():
    rep = imrep.get("tanhpolar", height=5, width=4, padding="border")
    image = photo(9, 8, batch=1).double().requires_grad_()
    roi = torch.tensor([[1.3, 2.1, 5.9, 7.2]], dtype=torch.float64, requires_grad=True)
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)

    def there_and_back(image, roi, angle):
        code = rep.encode(image, rois=roi, angles=angle)
        return code.values, rep.pool(code), rep.invert(code)

    assert torch.autograd.gradcheck(there_and_back, (image, roi, angle), fast_mode=True)


def test_the_vector_is_means_and_roots_of_steps():
    rep = imrep.get("tanhpolar", height=64, width=64, cells=1, padding="border")
    flat = rep.embed(torch.full((1, 3, 20, 20), 0.5, dtype=torch.float64))[0]
    assert_close(flat[:3], torch.tensor([0.5, 0, 0], dtype=torch.float64), atol=1e-6, rtol=0)
    assert flat[3:].max() < 0.04  # nothing steps: the root's floor
    assert rep.embed(photo(40, 30))[:, 3:6].min() > 0.05
    assert rep.dim == len(flat)


@pytest.mark.parametrize("size", [(2, 2), (2, 9), (3, 5), (70, 2)])
def test_maps_of_any_size_have_finite_vectors_of_one_length(size):
    for kind in ("cartesian", "polar", "circular"):
        rep = imrep.get("tanhpolar", method=kind, height=size[0], width=size[1])
        code = rep.encode(photo(17, 23))
        assert code.values.shape == (2, 3, *size)
        assert rep.pool(code).shape == (2, rep.dim) and rep.pool(code).isfinite().all()
        assert rep.invert(code).shape == (2, 3, 17, 23)


def test_the_picture_shows_the_region_beside_the_map():
    rep, image = imrep.get("tanhpolar:method=cartesian"), photo(128, 64)
    code = rep.encode(image, rois=torch.tensor([[15.75, 32.0, 48.0, 96.0]] * 2))
    assert rep.picture(code).shape == (2, 3, 256, 256)
    drawn = rep.picture(code, image)
    assert drawn.shape == (2, 3, 256, 128 + 4 + 256)
    assert torch.equal(drawn[..., 132:], rep.picture(code))
    orange = torch.tensor([240, 160, 60]).view(3, 1) / 255
    assert_close(drawn[0, :, 74:182, 32], orange.expand(-1, 108), atol=0.1, rtol=0)
    rep = imrep.get("tanhpolar")
    far = rep.encode(image, rois=torch.tensor([[-1e6, -1e6, 1e6, 1e6]] * 2))
    assert rep.picture(far, image).isfinite().all()


@pytest.mark.no_shapes
def test_bad_regions_and_parameters_are_refused():
    rep, image = imrep.get("tanhpolar"), photo(20, 20)
    with pytest.raises(BadParameter, match="tanhpolar needs rois of shape"):
        rep.encode(image, rois=ROIS[:1])
    with pytest.raises(BadParameter, match="tanhpolar needs finite angles"):
        rep.encode(image, angles=torch.tensor([0.0, math.nan]))
    with pytest.raises(BadParameter, match="tanhpolar needs rois with x1 < x2"):
        rep.encode(image, rois=ROIS.roll(2, 1))
    with pytest.raises(BadImage, match="Try x / 255"):
        rep.encode((image * 255).byte(), rois=ROIS)
    for key, value in {
        "method": "log",
        "height": 1,
        "width": 0,
        "padding": "wrap",
        "cells": 0,
    }.items():
        with pytest.raises(BadParameter, match=f"tanhpolar needs {key}"):
            imrep.get("tanhpolar", **{key: value})
