"""Overlapping blocks: the definition, slowly; C and torch alike; how noise is measured."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from imrep import _native
from imrep.edit.operations.denoise import shrinkage

SIZES = [(8, 8), (9, 300), (40, 51), (150, 20), (20, 1100)]


def slowly(x, level, stride):
    """The definition, block by block, in double precision."""

    def once(guess):
        wide = np.pad(x, 7, mode="reflect")
        like = None if guess is None else np.pad(guess, 7, mode="reflect")
        total, cover = np.zeros_like(wide), np.zeros_like(wide)
        for y in range(wide.shape[0] - 7):
            for c in range(wide.shape[1] - 7):
                if (y + c - 14) % stride:
                    continue
                here = slice(y, y + 8), slice(c, c + 8)
                waves = dctn(wide[here], norm="ortho")
                if like is None:
                    share = (abs(waves) > 2.7 * level).astype(float)
                else:
                    signal = dctn(like[here], norm="ortho") ** 2
                    share = signal / (signal + level**2)
                share[0, 0] = 1
                weight = 1 / (share**2).sum()
                total[here] += weight * idctn(share * waves, norm="ortho")
                cover[here] += weight
        return total[7:-7, 7:-7] / cover[7:-7, 7:-7]

    return once(once(None))


@pytest.mark.parametrize("stride", [1, 3, 4, 8])
def test_it_is_the_definition(stride):
    x = np.random.default_rng(0).random((19, 22))
    result = shrinkage.denoise_plane(torch.from_numpy(x), 0.1, stride)
    np.testing.assert_allclose(result, slowly(x, 0.1, stride), rtol=0, atol=1e-12)


@pytest.mark.skipif(not _native.built("kernels"), reason="no C compiler here")
@pytest.mark.parametrize("stride", range(1, 9))
@pytest.mark.parametrize("size", SIZES)
def test_c_and_torch_agree(size, stride):
    """Few coefficients of smooth noise stand at the very threshold, where rounding decides."""
    plane = torch.rand(size)
    result = shrinkage.denoise_plane(plane, 0.02, stride)
    with _native.switched_off():
        expected = shrinkage.denoise_plane(plane, 0.02, stride)
    difference = (result - expected).abs()
    assert difference.median() < 1e-6 and difference.max() < 2e-3


def test_threads_and_strips_change_nothing(monkeypatch):
    plane = torch.rand(300, 40)
    complete = shrinkage.denoise_plane(plane, 0.1, 4)
    monkeypatch.setattr(shrinkage, "_ROWS", 64)
    assert torch.equal(shrinkage.denoise_plane(plane, 0.1, 4), complete)
    with _native.switched_off():
        once = shrinkage.denoise_plane(plane, 0.1, 4)
        monkeypatch.setattr(shrinkage, "_PIXELS_CPU", 400)
        torch.testing.assert_close(shrinkage.denoise_plane(plane, 0.1, 4), once, rtol=0, atol=1e-4)


def test_a_gradient_passes_through_the_twin():
    plane = torch.rand(10, 11, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: shrinkage.denoise_plane(x, 0.05, 4), plane, fast_mode=True
    )


def test_noise_is_measured_on_each_axis():
    image = torch.linspace(0, 1, 200).expand(3, 100, 200).clone()
    image[1] += 0.1 * torch.randn(100, 200)
    image[2] += 0.02 * torch.randn(100, 200)
    result = shrinkage.deviations(image, torch.eye(3))
    torch.testing.assert_close(result, torch.tensor([0.0, 0.1, 0.02]), rtol=0.05, atol=1e-4)
    mixed = shrinkage.deviations(image, torch.tensor([[0.0, 0.6, 0.8]]))
    assert float(mixed) == pytest.approx((0.06**2 + 0.016**2) ** 0.5, rel=0.05)


def test_noise_coarser_than_a_block_is_removed():
    plane = 0.5 + 0.1 * torch.randn(128, 150)
    fine = shrinkage.denoise_plane(plane, 0.1, 4)
    pair = shrinkage.denoise_plane(shrinkage.remove_coarse_noise(plane, 0.1, 4), 0.1, 4)
    assert pair.std() < 0.8 * fine.std()


def test_coarse_noise_removal_changes_nothing_without_noise_or_without_a_half():
    plane = torch.rand(40, 51)
    torch.testing.assert_close(
        shrinkage.remove_coarse_noise(plane, 0.0, 4), plane, rtol=0, atol=2e-6
    )
    assert torch.equal(shrinkage.remove_coarse_noise(plane[:14], 0.1, 4), plane[:14])
