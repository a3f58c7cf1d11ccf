"""HDRNet's slice, against its definition written out pixel by pixel."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from imrep.errors import BadImage
from imrep.ops.bilateral import grid as single
from imrep.represent.spatial.bilateral.slice import bilateral_slice, bilateral_slice_apply
from imrep.testing import photo


def by_hand(grid, guide):
    """The paper's equation: linear weights around cell centres, indices held within the grid."""
    _, channels, depths, rows, columns = grid.shape
    height, width = guide.shape[2:]
    out = grid.new_zeros(len(grid), channels, height, width)
    for b, i, j in itertools.product(range(len(grid)), range(height), range(width)):
        places = (
            (float(guide[b, 0, i, j]) * depths, depths),
            ((i + 0.5) * rows / height, rows),
            ((j + 0.5) * columns / width, columns),
        )
        corners = []
        for place, cells in places:
            low = math.floor(place - 0.5)
            share = place - 0.5 - low
            corners.append([(min(max(low + k, 0), cells - 1), abs(1 - k - share)) for k in (0, 1)])
        for (z, wz), (y, wy), (x, wx) in itertools.product(*corners):
            out[b, :, i, j] += wz * wy * wx * grid[b, :, z, y, x]
    return out


def example(channels=3, depths=4, rows=3, columns=5, size=(7, 11), dtype=torch.float64):
    dice = torch.Generator().manual_seed(depths)
    grid = torch.randn(2, channels, depths, rows, columns, generator=dice, dtype=dtype)
    guide = torch.rand(2, 1, *size, generator=dice, dtype=dtype)
    guide[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    return grid, guide


@pytest.mark.parametrize(
    ("depths", "rows", "columns"), [(4, 3, 5), (8, 16, 16), (1, 1, 1), (2, 1, 20)]
)
def test_slice_is_the_papers(depths, rows, columns):
    grid, guide = example(depths=depths, rows=rows, columns=columns)
    assert_close(bilateral_slice(grid, guide), by_hand(grid, guide), rtol=0, atol=1e-12)


def test_slice_is_grid_sample_of_the_complete_volume(monkeypatch):
    grid, guide = example(size=(40, 30), dtype=torch.float32)
    monkeypatch.setattr(single, "_STRIP", 200)
    y, x = ((torch.arange(n) + 0.5) * 2 / n - 1 for n in (40, 30))
    places = [x.expand(2, 40, 30), y[:, None].expand(2, 40, 30), 2 * guide[:, 0] - 1]
    at = torch.stack(places, dim=-1).unsqueeze(1)
    wanted = torch.nn.functional.grid_sample(
        grid, at, padding_mode="border", align_corners=False
    ).squeeze(2)
    assert_close(bilateral_slice(grid, guide), wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("outputs", [1, 3, 4])
def test_apply_is_an_affine_map_per_pixel(outputs):
    grid, guide = example(channels=4 * outputs)
    image = torch.rand(2, 3, 7, 11, dtype=torch.float64)
    maps = bilateral_slice(grid, guide).unflatten(1, (outputs, 4))
    wanted = torch.einsum("boihw,bihw->bohw", maps[:, :, :3], image) + maps[:, :, 3]
    assert_close(bilateral_slice_apply(grid, guide, image), wanted)


def test_the_identity_map_changes_nothing():
    maps = torch.eye(3, 4).flatten().view(1, 12, 1, 1, 1).expand(1, 12, 8, 16, 16)
    image = torch.rand(1, 3, 33, 47)
    guide = image.mean(1, keepdim=True)
    assert_close(bilateral_slice_apply(maps, guide, image), image, rtol=0, atol=1e-6)


def test_gradients_in_grid_guide_and_image():
    grid, guide = example(channels=4, depths=3, rows=2, columns=2, size=(3, 4))
    guide = guide.clamp(0.02, 0.98)
    image = torch.rand(2, 3, 3, 4, dtype=torch.float64)
    for x in (grid, guide, image):
        x.requires_grad_()
    assert torch.autograd.gradcheck(bilateral_slice_apply, (grid, guide, image), fast_mode=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda grid, guide: (grid[0], guide), "needs a grid"),
        (lambda grid, guide: (grid, guide[:1]), "needs a guide .* of 2"),
        (lambda grid, guide: (grid, guide.float()), "torch.float32"),
        (lambda grid, guide: (grid, guide / 0), "guide that are finite"),
        (lambda grid, guide: (grid, 2 * guide), "guide from 0 to 1, got 0 to 2. Try guide.clamp"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(BadImage, match=f"bilateral_slice {message}|bilateral_slice.*{message}"):
        bilateral_slice(*change(*example()))


def test_maps_that_do_not_fit_the_image_are_refused():
    grid, guide = example(channels=6)
    image = torch.rand(2, 3, 7, 11, dtype=torch.float64)
    with pytest.raises(BadImage, match=r"a multiple of 4 coefficients .* got 6"):
        bilateral_slice_apply(grid, guide, image)
    with pytest.raises(BadImage, match="bilateral_slice_apply needs a guide of shape"):
        bilateral_slice_apply(grid, guide, image[..., :-1])


def test_slice_and_apply_multiply_the_colour_of_each_pixel():
    image, guide = photo(), photo(channels=1)
    grid = torch.zeros(2, 12, 4, 3, 3)
    grid[:, [0, 5, 10]] = 0.5  # half of each channel
    grid[:, [3, 7, 11]] = 0.1  # offsets
    result = bilateral_slice_apply(grid, guide, image)
    torch.testing.assert_close(result, 0.5 * image + 0.1)
    assert bilateral_slice(grid, guide).shape == (2, 12, 64, 64)
