"""Running extremes: SciPy's filters, and independence of strips and workspaces."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.ops.morphology import extremes as module
from imrep.ops.morphology.elements import rectangles
from imrep.ops.morphology.extremes import extremes

SIDES = st.integers(1, 14)


def random_mask(rows, columns, seed):
    mask = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[rows // 2, columns // 2] = True
    return mask


@given(SIDES, SIDES, st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.integers(1, 300))
def test_strips_of_any_height_give_scipys_extremes(height, width, rows, columns, seed, batch):
    from scipy.ndimage import maximum_filter, minimum_filter

    x, mask = torch.randn(3, height, width), random_mask(rows, columns, seed)
    footprint = mask.numpy()[None]
    for extreme, peer, outside in (
        (torch.minimum, minimum_filter, np.inf),
        (torch.maximum, maximum_filter, -np.inf),
    ):
        wanted = peer(x.numpy(), footprint=footprint, mode="constant", cval=outside)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_BATCH", batch)
            found = extremes(x, rectangles(mask), extreme)
        assert torch.equal(found, torch.from_numpy(wanted))


@given(SIDES, SIDES, st.integers(0, 99))
def test_the_path_that_records_gradients_gives_the_same_numbers(height, width, seed):
    x, parts = torch.randn(2, height, width), rectangles(random_mask(5, 4, seed))
    for extreme in (torch.minimum, torch.maximum):
        recorded = extremes(x.clone().requires_grad_(), parts, extreme)
        assert torch.equal(recorded.detach(), extremes(x, parts, extreme))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int16, torch.int64])
def test_the_outside_never_wins_in_any_type(dtype):
    """An element whose offsets all lie outside leaves the neutral value, at the type's end."""
    x = torch.ones(1, 1, 3, dtype=dtype)
    beyond = (((0, 3, 1, 1)),)
    parts = tuple(type(rectangles(torch.ones(1, 1))[0])(*p) for p in beyond)
    low, high = (False, True) if dtype == torch.bool else (
        torch.iinfo(dtype).min, torch.iinfo(dtype).max)  # fmt: skip
    assert (extremes(x, parts, torch.maximum) == low).all()
    assert (extremes(x, parts, torch.minimum) == high).all()


def test_no_pixels_and_leading_axes_keep_their_shape():
    parts = rectangles(torch.ones(3, 3))
    for shape in ((0, 3, 4, 5), (2, 3, 0, 5), (4, 5), (2, 1, 3, 4, 5)):
        assert extremes(torch.zeros(shape), parts, torch.minimum).shape == shape


def test_the_input_is_not_written_to():
    x = torch.rand(2, 9, 8).mT
    copy = x.clone()
    extremes(x, rectangles(torch.ones(1, 1)), torch.maximum).fill_(7)
    assert torch.equal(x, copy)
