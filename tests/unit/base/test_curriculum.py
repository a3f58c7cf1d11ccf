"""Images made harder: by nothing at strength 0, by more the larger it is, always in range."""

import pytest
import torch

from imrep.base.curriculum import harder
from imrep.testing import photo


def change(image, strength):
    torch.manual_seed(0)
    return float((harder(image, strength) - image).abs().mean())


def test_no_strength_is_no_change():
    image = photo()
    assert harder(image, 0.0) is image


def test_more_strength_is_more_change():
    image = photo(batch=8)
    changes = [change(image, strength) for strength in (0.1, 0.3, 1.0)]
    assert 0 < changes[0] < changes[1] < changes[2] < 0.4


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (33, 20)])
def test_images_stay_images(size, channels):
    image = photo(*size, channels=channels, batch=4)
    changed = harder(image, 1.0)
    assert changed.shape == image.shape and changed.isfinite().all()
    assert changed.min() >= 0 and changed.max() <= 1


def test_each_image_is_changed_in_its_own_way():
    image = photo(batch=1).expand(2, -1, -1, -1)
    changed = harder(image, 0.5)
    assert not torch.allclose(changed[0], changed[1], atol=0.05)


def test_a_symmetric_pattern_moves_by_at_most_the_shift():
    """A dot at the centre stays within an eighth of the side of it."""
    image = torch.zeros(64, 1, 65, 65)
    image[:, :, 31:34, 31:34] = 1
    moved = harder(image, 1.0)
    peaks = moved.flatten(1).argmax(1)
    rows, columns = peaks // 65, peaks % 65
    distances = torch.stack([rows - 32, columns - 32]).abs().amax(0)
    assert 3 < distances.max() <= 65 / 8 + 3
