"""Block DCT: lossless with all channels, JPEG's own numbers, known sizes of loss without."""

import io

import cv2
import numpy as np
import PIL.Image
import pytest
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep import _native, jpeg
from imrep.errors import BadFile, BadParameter
from imrep.testing import photo


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from([4, 8]))
def test_inverse_is_exact_for_any_size(height, width, channels, block):
    dct = imrep.get("dct", block=block, channels=3 * block**2)
    image = photo(height, width, batch=1, channels=channels).double()
    torch.testing.assert_close(dct.invert(dct.encode(image)), image, rtol=0, atol=1e-12)


def test_energy_of_a_plane_is_preserved():
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


def test_equals_libjpeg(references):
    stored = references("jpeg")
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
    ("key", "value"),
    [("block", 1), ("channels", 25), ("cells", 0), ("block", 9), ("chroma", "half")],
)
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match="dct needs"):
        imrep.get("dct", **{key: value})


def _coffee():
    import skimage

    path = next(iter(skimage.__path__)) + "/data/coffee.png"
    rgb = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255


needs_native = pytest.mark.skipif(not _native.built("jpeg"), reason=_native.state("jpeg"))


def _jpeg(image, mode="RGB", **options):
    """A picture's bytes as JPEG, by Pillow."""
    out = io.BytesIO()
    PIL.Image.fromarray((255 * image[0]).round().byte().permute(1, 2, 0).numpy()).convert(
        mode
    ).save(out, "jpeg", **{"quality": 90, "subsampling": 0} | options)
    return out.getvalue()


def _psnr(one, other):
    return -10 * float((one - other).square().mean().log10())


def test_dctnets_chroma_is_that_of_its_detour(refs):
    stored = np.load(refs / "classic" / "c1_dctnet_448.npz")
    image = torch.from_numpy(stored["img_rgb_u8"]).permute(2, 0, 1)[None].float() / 255
    planes = imrep.get("dct:chroma=dctnet").encode(image).values
    for plane, key in zip(planes[1:], ("dct_cb", "dct_cr"), strict=True):
        off = np.abs(plane[0].permute(2, 3, 0, 1).reshape(56, 56, 64).numpy() - stored[key])
        assert off.mean() <= 0.4 and off.max() <= 2.75  # rounded thrice on the way


def test_blurred_chroma_is_not_called_exact():
    assert imrep.get("dct:chroma=dctnet").inverse == "approximate"


@needs_native
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpegs_own_coefficients_are_those_of_its_pixels(subsampling, options):
    dct = imrep.get("dct")
    data = _jpeg(_coffee()[..., :200, :320], subsampling=subsampling, **options)
    own, shown = dct.encode_jpeg(data), dct.encode(imrep.read(data))
    assert own.size == shown.size
    assert (own.sampling != ()) == (subsampling > 0)
    assert [plane.shape[1:3] for plane in own.values] == [(8, 8)] * 3
    alike = [own.values[0]] if subsampling else own.values
    for mine, other in zip(alike, shown.values, strict=False):
        assert (mine - other).square().mean().sqrt() < 1  # rounding, and clipping to 0 … 255
    assert _psnr(dct.invert(own), imrep.read(data)) > 50


@needs_native
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from([0, 1, 2]))
def test_a_jpeg_of_any_size_is_inverted_to_what_a_decoder_shows(height, width, subsampling):
    dct = imrep.get("dct")
    data = _jpeg(0.2 + 0.6 * photo(height, width, batch=1), subsampling=subsampling)
    again = dct.invert(dct.encode_jpeg(data))
    assert again.shape == (1, 3, height, width)
    narrow = min(height, width) < 5  # where libjpeg's filters have exceptions of their own
    assert narrow or _psnr(again, imrep.read(data)) > 44


@needs_native
@pytest.mark.parametrize("channels", [6, 24, 64, 192])
@pytest.mark.parametrize(("mode", "subsampling"), [("RGB", 0), ("RGB", 2), ("L", 0)])
def test_a_jpegs_vector_approximates_that_of_its_pixels(channels, mode, subsampling):
    dct = imrep.get("dct", channels=channels)
    image = _coffee()[..., :128, :200]
    data = _jpeg(image, mode, subsampling=subsampling)
    own, shown, other = (
        dct.embed_jpeg(data),
        dct.embed(imrep.read(data)),
        dct.embed(image.flip(2).square()),
    )
    assert own.shape == shown.shape
    assert (own - shown).norm() < (0.3 if channels == 192 else 0.1) * (other - shown).norm()


@needs_native
@pytest.mark.parametrize("channels", [24, 192])
def test_a_code_with_coarse_chroma_is_pooled_drawn_and_kept(channels):
    dct = imrep.get("dct", channels=channels)
    code = dct.encode_jpeg(_jpeg(photo(40, 56, batch=1), subsampling=2))
    rows, columns = dct.encode(photo(8, 8)).values[0].shape[1:3]
    assert code.values[0].shape == (1, rows, columns, 5, 7)
    assert code.values[1].shape[3:] == (3, 4)
    assert dct.pool(code).shape == (1, dct.dim)
    assert dct.picture(code).shape[1] == 3
    assert code.map(lambda t: t.double()).sampling == code.sampling


@needs_native
def test_red_green_and_blue_are_mixed_as_they_are():
    image = _coffee()[..., :64, :64]
    data = _jpeg(image, keep_rgb=True)
    assert jpeg.read(data).facts.space == "RGB"
    dct = imrep.get("dct")
    for mine, other in zip(
        dct.encode_jpeg(data).values, dct.encode(imrep.read(data)).values, strict=True
    ):
        assert (mine - other).square().mean().sqrt() < 1


@needs_native
def test_jpegs_without_luma_or_truncated_are_refused_by_name():
    dct, data = imrep.get("dct"), _jpeg(_coffee()[..., :200, :200])
    with pytest.raises(BadFile, match=r"needs gray, YCbCr or RGB planes for dct, got 4 planes"):
        dct.encode_jpeg(_jpeg(_coffee()[..., :64, :64], "CMYK"))
    with pytest.raises(BadFile, match="needs to be complete for dct"):
        dct.embed_jpeg(data[: len(data) // 2])
    for spec in ("dct:block=4,channels=48", "dct:chroma=dctnet"):
        with pytest.raises(BadParameter, match="dct needs block=8 and chroma=full"):
            imrep.get(spec).encode_jpeg(data)
