"""The median filter: scipy's numbers at any depth, and what medians do to edges and specks."""

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter

from imrep.edit.operations.median import median
from imrep.errors import BadParameter


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (40, 51)])
def test_it_is_scipys_at_any_depth(size, shape):
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    result = median(torch.from_numpy(x)[None, None], size=size)[0, 0].numpy()
    np.testing.assert_array_equal(result, median_filter(x, size, mode="nearest"))


def test_times_is_how_often():
    image = torch.rand(2, 3, 20, 31)
    assert torch.equal(median(image, iterations=3), median(median(median(image))))


def test_double_precision_is_rounded_only():
    x = np.random.default_rng(0).random((30, 31))
    result = median(torch.from_numpy(x)[None, None])
    assert result.dtype == torch.float64
    np.testing.assert_allclose(result[0, 0], median_filter(x, 3, mode="nearest"), rtol=1e-7)


def test_specks_go_and_edges_stay():
    clean = torch.zeros(1, 1, 20, 20)
    clean[..., 10:] = 1
    specked = clean.clone()
    specked[..., 2::6, 2::6] = 0.5
    assert torch.equal(median(clean), clean)
    assert torch.equal(median(specked), clean)


def test_the_image_is_not_written_to():
    image = torch.rand(1, 1, 9, 9)
    before = image.clone()
    median(image, iterations=2)
    assert torch.equal(image, before)


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_other_sizes_are_refused_by_name(size):
    with pytest.raises(BadParameter, match=f"median needs size to be 3 or 5, got {size}. Use"):
        median(torch.rand(1, 1, 9, 9), size=size)


def test_iterations_are_refused_by_name():
    with pytest.raises(BadParameter, match="median needs iterations from 1 to 100, got 0"):
        median(torch.rand(1, 1, 9, 9), iterations=0)
