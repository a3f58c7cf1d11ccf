"""The canvas: its facts, and squares as a batch."""

import numpy as np
import picture_files as files
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imrep.errors import BadParameter
from imrep.images import canvas
from imrep.images.orientation import upright

SCENE = np.rint(files.scene(60, 90) * 255).astype(np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_rotating_the_stored_pixels_rotates_the_square(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    plain = canvas.square(files.saved(Image.fromarray(SCENE), kind, **options), 16)[0]
    data = files.saved(Image.fromarray(SCENE), kind, exif=exif.tobytes(), **options)
    square, facts = canvas.square(data, 16)
    np.testing.assert_array_equal(square, upright(plain, orientation))
    assert (facts.width, facts.height) == ((60, 90) if orientation >= 5 else (90, 60))


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20))
def test_a_constant_image_stays_constant(height, width, size):
    image = Image.new("RGB", (width, height), (10, 200, 99))
    square, facts = canvas.square(image, size)
    assert square.shape == (size, size, 3) and (square == (10, 200, 99)).all()
    assert (facts.width, facts.height) == (width, height)


def test_the_square_does_not_depend_on_what_is_cropped():
    image = SCENE.copy()
    image[:, :6], image[:, 84:] = 0, 255  # beyond the filter of the central 60 × 60
    for size in (7, 60):
        np.testing.assert_array_equal(
            canvas.square(Image.fromarray(image), size)[0],
            canvas.square(Image.fromarray(SCENE), size)[0],
        )


def test_a_square_of_its_own_size_is_the_crop_itself():
    square = canvas.square(files.saved(Image.fromarray(SCENE)), 60)[0]
    np.testing.assert_array_equal(square, SCENE[:, 15:75])
    assert square.flags.c_contiguous and square.flags.writeable


@pytest.mark.parametrize("size", [0, -3])
def test_a_side_below_one_is_refused(size):
    with pytest.raises(BadParameter, match=f"a size of at least 1, got {size}"):
        canvas.square(Image.fromarray(SCENE), size)


def test_a_batch_is_planes_in_the_unit_interval_and_a_copy():
    squares = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)
    tensor = canvas.batch(squares)
    assert tensor.shape == (3, 3, 4, 4) and tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    restored = (tensor * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(restored, squares)
    before = tensor.clone()
    squares[:] = 0
    assert torch.equal(tensor, before)


def test_an_icon_is_measured_by_the_size_that_is_decoded():
    data = files.saved(Image.fromarray(SCENE).resize((64, 64)), "ICO", sizes=[(16, 16), (64, 64)])
    facts = canvas.square(data, 8)[1]
    assert (facts.width, facts.height, facts.type) == (64, 64, "ICO")


def test_an_assumption_about_floats_is_a_fact():
    data = files.saved(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")
    assert "0 as black and 1 as white" in canvas.square(data, 2)[1].assumed
    assert canvas.square(data, 2, data_range=(0, 1))[1].assumed == ""


def test_the_sharpness_is_measured_on_request_and_does_not_depend_on_the_format():
    scene = Image.fromarray(SCENE).resize((600, 400)).effect_spread(3)
    values = [
        canvas.square(files.saved(scene, kind, **options), 64, measure=True)[1].sharpness
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 95}))
    ]
    assert values[1] == pytest.approx(values[0], rel=0.15)
    assert canvas.square(scene, 64)[1].sharpness is None
