"""Augmented images have the side that was asked for and follow from the generator."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.base.recipe import AUGMENTATIONS
from imrep.training.augmentation import augmented, centred


def noise(height, width):
    return torch.randint(256, (3, height, width), generator=torch.Generator().manual_seed(0)).to(
        torch.uint8
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(8, 24),
    st.sets(st.sampled_from(AUGMENTATIONS)),
    st.floats(0, 1),
)
def test_any_image_gives_a_square(height, width, side, names, strength):
    result = augmented(noise(height, width), sorted(names), side, strength)
    assert result.shape == (3, side, side) and result.dtype == torch.uint8


def test_the_seed_decides():
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(augmented(noise(32, 32), AUGMENTATIONS, 16))
    assert (results[0] == results[1]).all() and (results[0] != results[2]).any()


@pytest.mark.parametrize("names", [(), ("flip", "vertical_flip", "rotate", "jitter")])
def test_without_strength_the_centre_remains(names):
    image = noise(20, 30)
    assert (augmented(image, names, 16, 0.0) == centred(image, 16)).all()


def test_a_flip_is_a_flip():
    image, seen = noise(8, 8), set()
    for seed in range(20):
        torch.manual_seed(seed)
        result = augmented(image, ("flip",), 8)
        seen.add((result == image).all().item())
        assert (result == image).all() or (result == image.flip(2)).all()
    assert seen == {True, False}


def test_a_crop_is_a_part_of_the_image():
    image = torch.arange(100).reshape(1, 10, 10).expand(3, -1, -1).to(torch.uint8)
    corners = set()
    for seed in range(30):
        torch.manual_seed(seed)
        result = augmented(image, ("crop",), 4)
        corner = int(result[0, 0, 0])
        row, column = divmod(corner, 10)
        assert (result == image[:, row : row + 4, column : column + 4]).all()
        corners.add(corner)
    assert len(corners) > 10


def test_the_centre_of_a_small_image_is_extended_by_its_border():
    image = noise(2, 3)
    result = centred(image, 4)
    assert (result[:, :2, :3] == image).all() and (result[:, 3, 3] == image[:, 1, 2]).all()
