"""Block DCT: lossless with all channels, JPEG's own numbers, known sizes of loss without."""

import cv2
import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadParameter
from imrep.testing import photo


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from([4, 8]))
def test_inverse_is_exact_for_any_size(height, width, channels, block):
    dct = imrep.get("dct", block=block, channels=3 * block**2)
    image = photo(height, width, batch=1, channels=channels).double()
    torch.testing.assert_close(dct.invert(dct.encode(image)), image, rtol=0, atol=1e-12)


def test_energy_of_a_plane_is_kept():
    gray = photo(24, 32, channels=1).double()
    (plane,) = imrep.get("dct").encode(gray).values
    torch.testing.assert_close(plane.square().sum(), (255 * gray - 128).square().sum())


def test_equals_scipy_block_by_block():
    gray = photo(24, 32, batch=1, channels=1).double()
    (plane,) = imrep.get("dct").encode(gray).values
    block = 255 * gray[0, 0, 8:16, 24:32].numpy() - 128
    np.testing.assert_allclose(plane[0, :, :, 1, 3], scipy.fft.dctn(block, norm="ortho"), atol=1e-9)


def test_gray_has_no_chroma():
    code = imrep.get("dct").encode(photo(16, 16, channels=1).expand(-1, 3, -1, -1))
    assert max(float(plane.abs().max()) for plane in code.values[1:]) < 1e-3  # of 1024


def test_a_constant_has_only_its_mean():
    level = 200 / 255
    (plane,) = imrep.get("dct").encode(torch.full((1, 1, 8, 8), level)).values
    wanted = torch.zeros(8, 8)
    wanted[0, 0] = 8 * (200 - 128)
    torch.testing.assert_close(plane[0, ..., 0, 0], wanted, rtol=0, atol=1e-3)


def test_equals_libjpeg(refs):
    stored = np.load(refs / "classic" / "c1_dctnet_448.npz")
    image = torch.from_numpy(stored["img_rgb_u8"]).permute(2, 0, 1)[None].double() / 255
    luma = imrep.get("dct").encode(image).values[0][0].permute(2, 3, 0, 1).reshape(56, 56, 64)
    off = np.abs(luma.numpy() - stored["dct_y"])  # JPEG at quality 100 rounds to integers
    assert off.mean() <= 0.4
    assert off.max() <= 2


@pytest.mark.parametrize("channels", [6, 24, 32, 48, 64])
def test_subsets_are_dctnets(refs, channels):
    stored = np.load(refs / "classic" / "c1_dctnet_448.npz")[f"idx_{channels}"]
    dct = imrep.get("dct", channels=channels)
    code = dct.encode(torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    kept = [
        64 * p + 8 * v + u
        for p, plane in enumerate(code.values)
        for v, u in plane[0, ..., 0, 0].nonzero().tolist()
    ]
    assert kept == stored.tolist()
    assert dct.dim == 4 * channels + 12
    assert dct.inverse == "approximate"


@pytest.mark.parametrize(
    ("channels", "low", "high"),
    [(6, 24, 29), (24, 29, 34), (32, 30, 36), (48, 32, 38), (64, 35, 41)],
)
def test_subsets_keep_what_the_authors_pattern_keeps(channels, low, high):
    dct = imrep.get("dct", channels=channels)
    image = _coffee()
    psnr = -10 * float((dct.invert(dct.encode(image)) - image).square().mean().log10())
    assert low - 0.5 <= psnr <= high + 0.5  # dB, rounded over three photographs


def test_vector_has_780_numbers_of_which_the_last_are_means():
    image = photo(64, 64)
    vector = imrep.get("dct").embed(image)
    assert vector.shape == (2, 780)
    red, green, blue = image[:, :, :32, :32].mean((2, 3)).T
    luma = 0.299 * red + 0.587 * green + 0.114 * blue - 128 / 255
    torch.testing.assert_close(vector[:, -12], luma)


def test_gradient_is_exact():
    dct = imrep.get("dct", block=4, channels=48)
    image = photo(5, 6, batch=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: dct.encode(x).values, image)


@pytest.mark.parametrize(
    ("key", "value"), [("block", 1), ("channels", 25), ("cells", 0), ("block", 9)]
)
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match="dct needs"):
        imrep.get("dct", **{key: value})


def _coffee():
    import skimage

    path = next(iter(skimage.__path__)) + "/data/coffee.png"
    rgb = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
