"""Examples straight from JPEG files: crops, mirrors, and what has to be decoded."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch.testing import assert_close

from imrep import _native
from imrep.base import Change
from imrep.errors import BadParameter
from imrep.images import square
from imrep.represent.learned.dctnet.examples import Coefficients
from imrep.represent.learned.dctnet.frequencies import COUNTS, Frequencies
from imrep.testing import photo

needs_native = pytest.mark.skipif(not _native.built("jpeg"), reason=_native.state("jpeg"))


def file(height=96, width=128, mode="RGB", kind="jpeg", **options):
    """A part of a photograph of low contrast, so that decoders clip nothing."""
    out = io.BytesIO()
    levels = 60 + 0.5 * data.astronaut()[:height, 150 : 150 + width]
    pixels = Image.fromarray(levels.astype(np.uint8)).convert(mode)
    own = {"quality": 95, "subsampling": 0} if kind == "jpeg" else {}
    pixels.save(out, kind, **own | options)
    return out.getvalue()


@dataclass
class File:
    """An item of a data set."""

    content: bytes

    def read(self):
        return self.content


class Images:
    """Images of a run, which counts those that are decoded."""

    side = None
    annotations = None

    def __init__(self, *contents):
        self.items, self.pixels, self.decoded = [File(c) for c in contents], self, 0

    def read(self, row):
        self.decoded += 1
        return torch.from_numpy(square(self.items[row].content, None)[0]).permute(2, 0, 1)


def of_pixels(content, frequencies, top, left, count):
    """The blocks of the decoded pixels."""
    pixels = torch.from_numpy(square(content, None)[0]).permute(2, 0, 1)[None] / 255
    window = (slice(8 * top, 8 * (top + count)), slice(8 * left, 8 * (left + count)))
    return frequencies.of_pixels(pixels[..., window[0], window[1]])[0]


def deviation(own, expected):
    return float((own - expected).square().mean().sqrt())


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("axis", [1, 2])
def test_mirrored_coefficients_are_those_of_mirrored_images(count, axis):
    frequencies, image = Frequencies(count), photo(16, 24, batch=1)
    own = frequencies.mirrored(frequencies.of_pixels(image)[0], axis)
    assert_close(own, frequencies.of_pixels(image.flip(axis + 1))[0], rtol=0, atol=1e-3)


@needs_native
@pytest.mark.parametrize("options", [{}, {"subsampling": 2}, {"mode": "L"}, {"progressive": True}])
def test_the_central_crop_is_that_of_the_pixels(options):
    content = file(**options)
    images, frequencies = Images(content), Frequencies(24)
    own = Coefficients(images, frequencies).plain(0, 64)["coefficients"]
    assert own.shape == (24, 8, 8) and not images.decoded
    assert deviation(own, of_pixels(content, frequencies, 2, 4, 8)) < 0.9


@needs_native
def test_random_crops_are_on_the_grid_and_everywhere():
    content = file(subsampling=2)
    frequencies, images = Frequencies(64), Images(content)
    examples = Coefficients(images, frequencies)
    corners = set()
    for seed in range(60):
        torch.manual_seed(seed)
        own = examples.random(0, Change(("crop",), 64))["coefficients"]
        errors = {
            (top, left): deviation(own[:44], of_pixels(content, frequencies, top, left, 8)[:44])
            for top in range(0, 5, 2)
            for left in range(0, 9, 2)
        }
        corner = min(errors, key=errors.get)
        corners.add(corner)
        assert errors[corner] < 0.9
    assert len(corners) == 15 and not images.decoded


@needs_native
def test_a_change_follows_from_the_seed_and_its_strength():
    examples = Coefficients(Images(file()), Frequencies(24))
    plain = examples.plain(0, 96)["coefficients"]
    mirrored = Frequencies(24).mirrored(plain, 2)
    results = []
    for seed in range(40):
        torch.manual_seed(seed)
        own = examples.random(0, Change(("flip",), 96))["coefficients"]
        results.append(torch.equal(own, mirrored))
        assert results[-1] or torch.equal(own, plain)
        torch.manual_seed(seed)
        assert torch.equal(own, examples.random(0, Change(("flip",), 96))["coefficients"])
        torch.manual_seed(seed)
        still = examples.random(0, Change(("flip",), 96, strength=0.0))["coefficients"]
        assert torch.equal(still, plain)
    assert 10 < sum(results) < 30


@needs_native
@pytest.mark.parametrize(
    "options", [{"mode": "CMYK"}, {"kind": "png"}, {"exif": Image.Exif()}, {"height": 40}]
)
def test_what_has_no_such_coefficients_is_decoded(options):
    if "exif" in options:
        options["exif"][0x0112] = 6  # rotated, and its height no multiple of a block
        options = options | {"height": 92}
    images = Images(file(**options))
    own = Coefficients(images, Frequencies(24)).random(0, Change(("crop", "flip"), 64))
    assert own["coefficients"].shape == (24, 8, 8) and images.decoded == 1
    assert own["coefficients"].abs().max() > 50


def test_without_the_library_all_are_decoded():
    images = Images(file())
    with _native.switched_off():
        Coefficients(images, Frequencies(24)).plain(0, 64)
    assert images.decoded == 1


def test_sides_are_rounded_up_to_blocks_and_small_images_extended():
    own = Coefficients(Images(file(20, 30, kind="png")), Frequencies(6)).plain(0, 37)
    assert own["coefficients"].shape == (6, 5, 5)
    assert_close(own["coefficients"][1, :, 4], torch.zeros(5), rtol=0, atol=1e-3)  # repeated


@needs_native
def test_a_window_may_cut_coarse_chroma_in_half():
    """Seven blocks of luma are three and a half of chroma."""
    own = Coefficients(Images(file(subsampling=2)), Frequencies(24)).plain(0, 56)
    assert own["coefficients"].shape == (24, 7, 7)


@needs_native
def test_chroma_at_other_factors_is_enlarged_first():
    levels = np.uint8(60 + 0.5 * data.astronaut()[:96, 150:278, ::-1])
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411]
    content = cv2.imencode(".jpg", levels, [*sampling, cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    own = Coefficients(Images(content), Frequencies(24)).plain(0, 64)["coefficients"]
    expected = Frequencies(24).of_pixels(
        torch.from_numpy(square(content, None)[0]).permute(2, 0, 1)[None] / 255
    )[0, :, 2:10, 4:12]
    assert own.shape == expected.shape and deviation(own[:16], expected[:16]) < 0.9


def test_other_changes_are_refused():
    with pytest.raises(BadParameter, match=r"of crop, flip, vertical_flip .*, got jitter\. Use"):
        Coefficients(Images(file()), Frequencies(24)).random(0, Change(("jitter",), 64))
