"""RoI tanh charts: the formulas written out cell by cell, laws, gradients, rejects."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from torch.testing import assert_close

from imrep.errors import BadImage, BadParameter
from imrep.represent.spatial.tanhpolar import coordinates
from imrep.represent.spatial.tanhpolar.coordinates import METHODS, Chart
from imrep.represent.spatial.tanhpolar.warping import (
    convert,
    forward_map,
    inverse_map,
    restore,
    warp,
)
from imrep.testing import photo

CHARTS = [Chart("cartesian")]
CHARTS += [Chart(kind, keep) for kind in ("polar", "circular") for keep in (False, True)]
POLAR, KEPT = Chart("polar"), Chart("polar", True)
ROIS = torch.tensor([[6.3, 8.7, 28.9, 40.2], [10.0, 4.0, 35.5, 21.0], [-3.0, 20.0, 9.0, 60.0]])
ANGLES = torch.tensor([0.3, -2.0, 0.0])
FAR = math.atanh(1 - 1e-9)


def each_chart(function):
    names = [f"{c.method}{'-kept' * c.keep_aspect_ratio}" for c in CHARTS]
    return pytest.mark.parametrize("chart", CHARTS, ids=names)(function)


def rois():
    corner, side = st.floats(-20, 60), st.floats(3, 90)
    return st.builds(
        lambda x, y, w, h: torch.tensor([[x, y, x + w, y + h]], dtype=torch.float64),
        *(corner, corner, side, side),
    )


def looks_at(chart, roi, angle, size, row, column):
    """Where one cell of a map lies in the image."""
    x1, y1, x2, y2 = roi
    w, h, rows, columns = x2 - x1, y2 - y1, *size
    across, down = (2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1
    rx, ry = w / math.sqrt(math.pi), h / math.sqrt(math.pi)
    if chart.method == "cartesian":
        u, v = w / 2 * math.atanh(across), h / 2 * math.atanh(down)
    else:
        if chart.method == "polar":
            far, turn = math.atanh(column / columns), math.tau * row / rows
        else:
            reach, turn = math.hypot(across, down), math.atan2(down, across)
            far = math.atanh(reach) if reach < 1 else FAR
        u, v = far * rx * math.cos(turn), far * ry * math.sin(turn)
        if chart.keep_aspect_ratio:
            q = math.hypot(math.cos(turn) / rx, math.sin(turn) / ry)
            u, v = far * math.cos(turn) / q, far * math.sin(turn) / q
    x = (x1 + x2) / 2 + math.cos(angle) * u - math.sin(angle) * v
    return x, (y1 + y2) / 2 + math.sin(angle) * u + math.cos(angle) * v


def lies_at(chart, roi, angle, size, x, y):
    """In which cell of a map (column, row) one place of the image lies."""
    x1, y1, x2, y2 = roi
    w, h, rows, columns = x2 - x1, y2 - y1, *size
    x, y = x - (x1 + x2) / 2, y - (y1 + y2) / 2
    u = math.cos(angle) * x + math.sin(angle) * y
    v = math.cos(angle) * y - math.sin(angle) * x
    if chart.method == "cartesian":
        column = (math.tanh(u / (w / 2)) + 1) / 2 * columns - 0.5
        return column, (math.tanh(v / (h / 2)) + 1) / 2 * rows - 0.5
    rx, ry = w / math.sqrt(math.pi), h / math.sqrt(math.pi)
    near = math.tanh(math.hypot(u / rx, v / ry))
    turn = math.atan2(v, u) if chart.keep_aspect_ratio else math.atan2(v / ry, u / rx)
    if chart.method == "polar":
        return near * columns, turn % math.tau * rows / math.tau
    return (math.cos(turn) * near + 1) * columns / 2 - 0.5, (
        (math.sin(turn) * near + 1) * rows / 2 - 0.5
    )


def written_out(place, size, *given):
    """A map of a formula: (2, rows, columns)."""
    found = [[place(*given, row, column) for column in range(size[1])] for row in range(size[0])]
    return torch.tensor(found, dtype=torch.float64).permute(2, 0, 1)


def sampled(image, places, padding):
    """SciPy's bilinear look-up of (c, h, w) at places (2, rows, columns)."""
    mode = {"zeros": "grid-constant", "border": "nearest"}[padding]
    at = places.flip(0).numpy()
    return torch.from_numpy(
        np.stack([map_coordinates(plane, at, order=1, mode=mode) for plane in image.numpy()])
    )


@each_chart
@settings(max_examples=10)
@given(roi=rois(), angle=st.floats(-7, 7), rows=st.integers(2, 9), columns=st.integers(2, 9))
def test_maps_are_the_formulas_and_one_undoes_the_other(chart, roi, angle, rows, columns):
    angles, size = torch.tensor([angle], dtype=torch.float64), (rows, columns)
    found = forward_map(roi, size, chart, angles)
    wanted = written_out(
        lambda *at: looks_at(chart, *at), size, roi[0].tolist(), angle, size
    )  # fmt: skip
    assert_close(found[0], wanted, rtol=1e-9, atol=1e-9)

    back = inverse_map(roi, (7, 8), size, chart, angles)
    wanted = written_out(
        lambda row, column: lies_at(chart, roi[0].tolist(), angle, size, column, row), (7, 8)
    )
    wraps = torch.tensor([columns, rows if chart.method == "polar" else 1e9]).reshape(2, 1, 1)
    apart = (back[0] - wanted).abs()
    assert torch.minimum(apart, (apart - wraps).abs()).max() < 1e-6  # row 0 is row `rows`


@each_chart
@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 2e-3), (torch.float64, 1e-9)])
def test_float32_approximates_the_formulas(chart, dtype, within):
    size = (31, 48)
    found = forward_map(ROIS.to(dtype), size, chart, ANGLES)
    assert found.dtype == dtype and found.shape == (3, 2, *size)
    for one, roi, angle in zip(found, ROIS.to(dtype).tolist(), ANGLES.tolist(), strict=True):
        wanted = written_out(lambda *at: looks_at(chart, *at), size, roi, angle, size)
        near = (wanted.abs() < 400).all(0)
        assert_close(one[:, near].double(), wanted[:, near], rtol=0, atol=within)


@each_chart
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_a_warp_is_a_look_up_at_the_forward_map(chart, padding):
    image = photo(50, 41, batch=3).double()
    found = warp(image, ROIS.double(), (19, 24), chart, ANGLES.double(), padding)
    places = forward_map(ROIS.double(), (19, 24), chart, ANGLES.double())
    for i in range(3):
        assert_close(found[i], sampled(image[i], places[i], padding), rtol=0, atol=1e-9)


@each_chart
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_restoring_is_a_look_up_at_the_inverse_map(chart, padding):
    maps = torch.rand(3, 2, 19, 24, dtype=torch.float64)
    found = restore(maps, ROIS.double(), (50, 41), chart, ANGLES.double(), padding)
    places = inverse_map(ROIS.double(), (50, 41), (19, 24), chart, ANGLES.double())
    polar = (
        chart.method == "polar"
    )  # padded as the authors do: round in rows, replicated at the pole
    if polar:
        maps = torch.nn.functional.pad(maps, (0, 0, 1, 1), mode="circular")
        maps = torch.nn.functional.pad(maps, (1, 0, 0, 0), mode="replicate")
    for i in range(3):
        assert_close(found[i], sampled(maps[i], places[i] + polar, padding), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(CHARTS, 2)))
def test_converting_goes_through_the_plane_whatever_the_angle(source, target):
    maps, roi = torch.rand(3, 2, 19, 24, dtype=torch.float64), ROIS.double()
    found = convert(maps, roi, (16, 11), source, target)
    for i in range(3):
        places = forward_map(roi[i : i + 1], (16, 11), target, ANGLES[i : i + 1].double())[0]
        at = [
            lies_at(source, roi[i].tolist(), float(ANGLES[i]), (19, 24), *xy)
            for xy in places.flatten(1).T.tolist()
        ]
        polar = source.method == "polar"
        padded = torch.cat([maps, maps[:, :, :1]], dim=2) if polar else maps
        cells = torch.tensor(at, dtype=torch.float64).T.reshape(2, 16, 11)
        wanted, pole = sampled(padded[i], cells, "border"), int(target.method == "polar")
        assert_close(found[i, ..., pole:], wanted[..., pole:], rtol=0, atol=1e-6)  # has no row


def test_three_quarters_of_the_columns_show_the_ellipse_of_the_regions_area():
    roi = torch.tensor([[10.0, 20.0, 50.0, 100.0]], dtype=torch.float64)
    for chart in (POLAR, KEPT):
        x, y = forward_map(roi, (64, 1000), chart)[0] - torch.tensor([[[30.0]], [[60.0]]])
        inside = (x / 40).square() + (y / 80).square() < 1 / math.pi
        assert inside.sum(1).tolist() == [762] * 64  # tanh(1)


def test_a_rotated_region_samples_a_rotated_image():
    image = photo(33, 33, batch=1)
    roi = torch.tensor([[8.0, 5.0, 24.0, 27.0]])
    lying = torch.tensor([[5.0, 8.0, 27.0, 24.0]])
    quarter = torch.tensor([math.pi / 2])
    for chart in CHARTS:
        upright = warp(image, roi, (12, 12), chart)
        turned = warp(image.rot90(-1, (2, 3)), lying.roll(0), (12, 12), chart)
        seen = warp(image.rot90(-1, (2, 3)), roi, (12, 12), chart, quarter)
        assert_close(seen, upright, atol=1e-5, rtol=0)
        assert not torch.allclose(turned, upright, atol=1e-3)


@pytest.mark.parametrize("size", [49, 98, 103, 107, 196, 197, 599])
def test_every_size_has_its_number_of_rows_and_columns(size):
    for kind in METHODS:
        assert forward_map(ROIS[:1], (3, size), Chart(kind)).shape == (1, 2, 3, size)
        assert forward_map(ROIS[:1], (size, 3), Chart(kind)).isfinite().all()


def test_corners_of_the_disk_look_far_beyond_it_in_either_precision():
    for dtype in (torch.float32, torch.float64):
        roi = torch.tensor([[0.0, 0.0, 100.0, 100.0]], dtype=dtype)
        x, y = forward_map(roi, (40, 40), Chart("circular"))[0] - 50
        assert torch.hypot(x, y)[0, 0] == pytest.approx(FAR * 100 / math.sqrt(math.pi), rel=1e-5)


@each_chart
def test_tiles_give_the_complete_result(chart, monkeypatch):
    image = photo(45, 33, batch=3)
    whole = warp(image, ROIS, (29, 17), chart, ANGLES)
    back = restore(whole, ROIS, (45, 33), chart, ANGLES)
    tracked = warp(image.requires_grad_(), ROIS, (29, 17), chart, ANGLES)
    assert_close(tracked, whole, rtol=0, atol=1e-6)
    monkeypatch.setattr("imrep.represent.spatial.tanhpolar.warping._TILE", 100)
    pieces = warp(image.detach(), ROIS, (29, 17), chart, ANGLES)
    assert_close(pieces, whole, rtol=0, atol=1e-6)
    assert_close(restore(whole, ROIS, (45, 33), chart, ANGLES), back, rtol=0, atol=1e-5)


@each_chart
def test_a_batch_is_a_loop(chart):
    image = photo(20, 30, batch=3)
    together = warp(image, ROIS, (8, 9), chart, ANGLES)
    apart = [
        warp(image[i : i + 1], ROIS[i : i + 1], (8, 9), chart, ANGLES[i : i + 1]) for i in range(3)
    ]
    assert_close(together, torch.cat(apart), rtol=0, atol=1e-6)


@each_chart
def test_gradients_in_image_region_and_angle(chart):
    image = torch.rand(2, 1, 7, 6, dtype=torch.float64, requires_grad=True)
    roi = torch.tensor(
        [[1.2, 0.7, 4.1, 5.6], [0.9, 1.6, 3.2, 4.9]], dtype=torch.float64, requires_grad=True
    )
    angle = torch.tensor([0.4, -1.1], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda i, r, a: warp(i, r, (4, 5), chart, a, "border"), (image, roi, angle), fast_mode=True
    )
    assert torch.autograd.gradcheck(
        lambda i, r, a: restore(i, r, (5, 4), chart, a), (image, roi, angle), fast_mode=True
    )
    target = Chart("polar" if chart.method == "circular" else "circular", True)
    assert torch.autograd.gradcheck(
        lambda i, r: convert(i, r, (4, 5), chart, target), (image, roi), fast_mode=True
    )


@each_chart
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_slopes_are_finite_at_the_very_centre_and_beside_it(chart, dtype):
    maps = torch.rand(2, 2, 9, 9, dtype=dtype, requires_grad=True)
    roi = torch.tensor([[1.0, 2.0, 7.0, 6.0], [1.0, 2.0, 7.0, 6.0 + 1e-6]], dtype=dtype)
    roi.requires_grad_()
    angle = torch.tensor([0.0, 0.5], dtype=dtype, requires_grad=True)
    for made in (
        restore(maps, roi, (9, 9), chart, angle),
        warp(maps, roi, (9, 9), chart, angle),
        convert(maps, roi, (9, 9), chart, Chart("circular")),
    ):
        for slope in torch.autograd.grad(made.sum(), (maps, roi, angle), allow_unused=True):
            assert slope is None or bool(slope.isfinite().all())


@each_chart
@pytest.mark.parametrize(
    "roi",
    [[0, 0, 1e-5, 1e-5], [3, 3, 3.0001, 900], [-1e8, -1e8, 1e8, 1e7], [1e6, 1e6, 1e6 + 5, 1e6 + 9]],
)
def test_huge_tiny_and_far_regions_give_finite_positions_and_gradients(chart, roi):
    roi, maps = torch.tensor([roi], requires_grad=True), torch.rand(1, 1, 9, 11, requires_grad=True)
    assert forward_map(roi, (9, 11), chart, ANGLES[:1]).isfinite().all()
    cells = inverse_map(roi, (40, 50), (9, 11), chart, ANGLES[:1])
    assert cells.min() >= -0.51 and cells[:, 0].max() <= 11.01 and cells[:, 1].max() <= 9.01
    made = restore(maps, roi, (40, 50), chart).sum() + warp(maps, roi, (7, 8), chart).sum()
    for slope in torch.autograd.grad(made, (maps, roi)):
        assert slope.isfinite().all()


@each_chart
def test_the_centre_has_the_same_value_with_and_without_gradient(chart):
    maps, roi = torch.rand(1, 2, 8, 8), torch.tensor([[1.0, 2.0, 7.0, 6.0]])
    plain = restore(maps, roi, (9, 9), chart)
    tracked = restore(maps, roi.clone().requires_grad_(), (9, 9), chart)
    assert_close(tracked, plain)
    if chart.method == "polar":
        assert_close(plain[0, :, 4, 4], maps[0, :, 0, 0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.bool])
def test_labels_are_sampled_at_the_nearest_pixel(dtype):
    labels = (photo(40, 30, batch=3, channels=1) * 5).to(dtype)
    seen = warp(labels, ROIS, (32, 32), POLAR, padding="border", mode="nearest")
    assert seen.dtype == dtype and set(seen.unique().tolist()) <= set(labels.unique().tolist())
    again = restore(seen, ROIS, (40, 30), POLAR, mode="nearest")
    assert again.dtype == dtype and again.shape == labels.shape
    with pytest.raises(BadImage, match=r"tanhpolar needs floating.*mode='nearest'"):
        warp(labels, ROIS, (32, 32), POLAR)


def test_large_labels_are_preserved_exactly():
    labels = torch.full((1, 1, 4, 4), 2**53 - 1)
    assert (restore(labels, ROIS[:1], (5, 5), POLAR, mode="nearest") == 2**53 - 1).all()


def test_half_precision_is_sampled_at_single():
    image = photo(50, 41, batch=3)
    seen = warp(image.half(), ROIS, (9, 9), POLAR, ANGLES)
    assert seen.dtype == torch.float16
    assert_close(seen.float(), warp(image, ROIS, (9, 9), POLAR, ANGLES), rtol=0, atol=1e-3)


def test_one_pixel_and_any_number_of_channels():
    for chart in CHARTS:
        seen = warp(torch.full((1, 5, 1, 1), 0.7), ROIS[:1], (4, 6), chart, padding="border")
        assert_close(seen, torch.full((1, 5, 4, 6), 0.7))
        assert_close(restore(seen, ROIS[:1], (1, 1), chart), torch.full((1, 5, 1, 1), 0.7))


def test_strides_and_integer_rois_do_not_matter_and_nothing_is_written_to():
    image, roi = photo(20, 30, batch=3), torch.tensor([[2, 3, 9, 12]] * 3)
    kept = image.clone()
    plain = warp(image, roi.float(), (8, 8), POLAR)
    assert torch.equal(warp(image, roi, (8, 8), POLAR), plain)
    assert torch.equal(warp(image.mT.contiguous().mT, roi, (8, 8), POLAR), plain)
    last = image.contiguous(memory_format=torch.channels_last)
    assert_close(warp(last, roi, (8, 8), POLAR), plain)
    assert torch.equal(image, kept)
    assert forward_map(roi, (3, 3), POLAR).dtype == torch.float32


def test_everything_stays_on_the_images_device(monkeypatch):
    from torch._subclasses.fake_tensor import FakeTensorMode

    monkeypatch.setattr(coordinates, "_finite", lambda *_: None)  # fake tensors have no values
    monkeypatch.setattr(coordinates, "_not_empty", lambda *_: None)
    with FakeTensorMode(allow_non_fake_inputs=False):
        image, roi = torch.rand(3, 3, 9, 8, device="cuda"), torch.rand(3, 4, device="cuda")
        for chart in CHARTS:
            made = (
                warp(image, roi, (4, 4), chart, roi[:, 0]),
                restore(image, roi, (4, 4), chart, roi[:, 0]),
                convert(image, roi, (4, 4), chart, POLAR),
                forward_map(roi, (4, 4), chart),
                inverse_map(roi, (4, 4), (5, 5), chart),
            )
            assert {tensor.device.type for tensor in made} == {"cuda"}


WRONG = {
    "an empty region": ([[5.0, 5.0, 5.0, 9.0]], None, "x1 < x2 and y1 < y2, got"),
    "a reversed region": ([[5.0, 9.0, 8.0, 2.0]], None, "x1 < x2 and y1 < y2, got"),
    "NaN": ([[5.0, math.nan, 8.0, 9.0]], None, "finite rois"),
    "infinity": ([[5.0, 0.0, math.inf, 9.0]], None, "finite rois"),
    "too many regions": ([[0.0, 0.0, 9.0, 9.0]] * 2, None, r"shape \(1, 4\), one per image"),
    "no batch of regions": ([0.0, 0.0, 9.0, 9.0], None, r"Try rois\[None\]"),
    "an angle of NaN": ([[0.0, 0.0, 9.0, 9.0]], [math.nan], "finite angles"),
    "too many angles": ([[0.0, 0.0, 9.0, 9.0]], [0.0, 1.0], "angles of shape"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_regions_are_refused(case):
    roi, angles, message = WRONG[case]
    angles = None if angles is None else torch.tensor(angles)
    for job in (warp, restore):
        with pytest.raises(BadParameter, match=f"tanhpolar needs .*{message}"):
            job(photo(9, 9, batch=1), torch.tensor(roi), (8, 8), POLAR, angles)
    if angles is None:
        with pytest.raises(BadParameter, match=message):
            convert(photo(9, 9, batch=1), torch.tensor(roi), (8, 8), POLAR, KEPT)


def test_bad_images_sizes_and_options_are_refused():
    image, roi = photo(9, 9, batch=1), ROIS[:1]
    with pytest.raises(BadParameter, match=r"rois as a tensor, got list. Try torch.tensor"):
        warp(image, roi.tolist(), (8, 8), POLAR)
    with pytest.raises(BadImage, match=r"needs \(batch, channel, height, width\), got shape"):
        warp(image[0], roi, (8, 8), POLAR)
    for call in (
        lambda: warp(image, roi, (1, 8), POLAR),
        lambda: restore(image[..., :1], roi, (8, 8), POLAR),
        lambda: inverse_map(roi, (8, 8), (8, 1), POLAR),
    ):
        with pytest.raises(BadParameter, match="rows and columns of at least 2, got 1"):
            call()
    with pytest.raises(BadParameter, match="height and width of at least 1, got 0"):
        restore(image, roi, (0, 8), POLAR)
    with pytest.raises(BadParameter, match="padding to be one of zeros, border, got 'mirror'"):
        warp(image, roi, (8, 8), POLAR, padding="mirror")
    with pytest.raises(BadParameter, match="mode to be one of"):
        warp(image, roi, (8, 8), POLAR, mode="cubic")
    with pytest.raises(BadParameter, match="method to be one of cartesian, polar, circular"):
        Chart("square")


def test_conversion_is_warping_to_the_other_chart():
    image = torch.nn.functional.avg_pool2d(photo(96, 96, batch=1), 9, 1, 4)
    rois, size = torch.tensor([[20.0, 24.0, 70.0, 66.0]]), (96, 96)
    polar, cartesian = Chart("polar"), Chart("cartesian")
    converted = convert(warp(image, rois, size, polar), rois, size, polar, cartesian)
    wanted = warp(image, rois, size, cartesian)
    inside = (slice(None), slice(None), slice(24, 72), slice(24, 72))
    assert (converted[inside] - wanted[inside]).abs().mean() < 0.01
