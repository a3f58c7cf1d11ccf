"""Frequencies as channels: the authors' numbers, and from a JPEG what its pixels give."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch.testing import assert_close

import imrep
from imrep import _native
from imrep.jpeg import ycbcr
from imrep.represent.learned.dctnet.frequencies import COUNTS, Frequencies
from imrep.testing import photo

needs_native = pytest.mark.skipif(not _native.built("jpeg"), reason=_native.state("jpeg"))


def file(height=96, width=128, mode="RGB", **options):
    """A part of a photograph as JPEG, of low contrast, so that decoders clip nothing."""
    out = io.BytesIO()
    levels = 60 + 0.5 * data.astronaut()[:height, 150 : 150 + width]
    pixels = Image.fromarray(levels.astype(np.uint8)).convert(mode)
    pixels.save(out, "jpeg", **{"quality": 95, "subsampling": 0} | options)
    return out.getvalue()


def of_jpeg(frequencies, source):
    return frequencies.of_jpeg(ycbcr.read(source, "test"))


@pytest.fixture
def stored(refs):
    return np.load(refs / "classic" / "c1_dctnet_448.npz")


@pytest.mark.parametrize("count", [6, 24, 32, 48, 64])
def test_channels_are_the_authors(stored, count):
    assert Frequencies(count).indices == tuple(stored[f"idx_{count}"].tolist())


def test_all_are_in_natural_order():
    assert Frequencies(192).indices == tuple(range(192))


@pytest.mark.parametrize("count", COUNTS)
def test_a_subset_is_a_part_of_all(count):
    image = photo(20, 33)
    everything = Frequencies(192).of_pixels(image)
    own = Frequencies(count).of_pixels(image)
    assert own.shape == (2, count, 3, 5)
    assert_close(own, everything[:, list(Frequencies(count).indices)], rtol=0, atol=1e-3)


def authors(stored):
    """Their 192 channels of the reference image, (192, 56, 56)."""
    planes = [stored[key].reshape(56, 56, 64) for key in ("dct_y", "dct_cb", "dct_cr")]
    return torch.from_numpy(np.concatenate(planes, 2)).permute(2, 0, 1).float()


def test_pixels_give_the_authors_coefficients(stored):
    image = torch.from_numpy(stored["img_rgb_u8"]).permute(2, 0, 1)[None].float() / 255
    off = (Frequencies(192, "dctnet").of_pixels(image)[0] - authors(stored)).abs()
    assert off[:64].mean() <= 0.4 and off[:64].max() <= 2
    assert off[64:].mean() <= 0.4 and off[64:].max() <= 2.75  # rounded thrice on the way


def test_the_authors_normalisation_gives_their_input(stored):
    chosen = list(Frequencies(24).indices)
    mean, std = (torch.from_numpy(stored[key])[chosen, None, None] for key in ("mean192", "std192"))
    block = (authors(stored)[chosen, 16:40, 16:40] - mean) / std
    expected = torch.from_numpy(stored["norm24_blocks16_40"])
    expected = expected if expected.shape == block.shape else expected.permute(2, 0, 1)
    assert_close(block, expected, rtol=1e-4, atol=1e-4)


@needs_native
def test_bytes_give_the_authors_luma(stored):
    own = of_jpeg(Frequencies(192), stored["jpeg_y"].tobytes())[0, :64]
    assert torch.equal(own, authors(stored)[:64])


@needs_native
@pytest.mark.parametrize("count", [6, 24, 64, 192])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
def test_a_jpegs_own_coefficients_are_those_of_its_pixels(count, options):
    source = file(**options)
    own = of_jpeg(Frequencies(count), source)
    shown = Frequencies(count).of_pixels(imrep.read(source))
    assert own.shape == shown.shape == (1, count, 12, 16)
    off = (own - shown).abs()
    assert off.square().mean().sqrt() < 0.9 and off.max() < 6  # of 1024: rounding


@needs_native
@pytest.mark.parametrize("chroma", ["full", "dctnet"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(96, 128), (90, 123)])
def test_coarse_chroma_is_that_of_a_decoder(chroma, subsampling, size):
    source = file(*size, subsampling=subsampling)
    frequencies = Frequencies(64, chroma)
    own, shown = of_jpeg(frequencies, source), frequencies.of_pixels(imrep.read(source))
    inside = (slice(None), slice(None), slice(-1), slice(-1))  # the last blocks are padded
    off = (own - shown)[inside]
    assert own.shape == shown.shape and off.square().mean().sqrt() < 1


@needs_native
def test_gray_has_no_chroma():
    own = of_jpeg(Frequencies(24), file(mode="L"))
    assert own.shape == (1, 24, 12, 16)
    assert own[:, :16].abs().max() > 100 and not own[:, 16:].any()
