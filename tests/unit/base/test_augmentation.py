"""Augmented images have the side that was asked for and follow from the generator."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.base.augmentation import augmented, augmented_pair, centred, centred_pair
from imrep.base.recipe import AUGMENTATIONS


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


def position_mask(height, width):
    """Each pixel's number, and an image that says the same in its channels."""
    mask = torch.arange(height * width).reshape(height, width)
    image = torch.stack([mask % 256, mask // 256, torch.zeros_like(mask)]).to(torch.uint8)
    return image, mask


def agrees(image, mask):
    """Whether a mask has moved with its image; None beyond it."""
    number = image[0].long() + 256 * image[1].long()
    return ((number == mask) | (mask == -1)).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(8, 24),
    st.sets(st.sampled_from(["crop", "flip", "vertical_flip", "rotate"])),
    st.integers(0, 10**6),
)
def test_a_mask_moves_with_its_image(height, width, side, names, seed):
    torch.manual_seed(seed)
    image, mask = augmented_pair(*position_mask(height, width), sorted(names), side)
    assert image.shape == (3, side, side) and mask.shape == (side, side)
    assert mask.dtype == torch.int64 and type(mask) is type(image) is torch.Tensor
    assert agrees(image, mask) and (mask >= 0).sum() == min(side, height) * min(side, width)
    image, mask = centred_pair(*position_mask(height, width), side)
    assert agrees(image, mask)


@pytest.mark.parametrize("names", [("resized_crop", "flip", "rotate"), ("jitter", "crop")])
def test_an_image_changes_as_it_does_without_its_mask(names):
    image, mask = noise(40, 48), torch.randint(3, (40, 48))
    torch.manual_seed(5)
    alone = augmented(image, names, 16)
    torch.manual_seed(5)
    together, _ = augmented_pair(image, mask, names, 16)
    assert torch.equal(alone, together)


def test_a_resized_mask_holds_no_classes_between_others():
    image = torch.zeros(3, 40, 40, dtype=torch.uint8)
    mask = torch.zeros(40, 40, dtype=torch.int16)
    mask[:, 20:], image[:, :, 20:], mask[0] = 9, 250, -1
    matches = []
    for seed in range(10):
        torch.manual_seed(seed)
        changed, moved = augmented_pair(image, mask, ("resized_crop", "flip"), 32)
        assert set(moved.unique().tolist()) <= {-1, 0, 9}
        inner = moved >= 0
        matches.append(((changed[0] > 125) == (moved == 9))[inner].float().mean().item())
    assert min(matches) > 0.96
