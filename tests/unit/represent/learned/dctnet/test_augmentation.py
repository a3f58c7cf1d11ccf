"""Changes of images in `fit`: mirrors and shifts of what was there."""

import torch

from imrep.represent.learned.dctnet.augmentation import mirrored_and_shifted


def test_images_are_mirrored_or_not_and_shifted_alike():
    ramp = torch.linspace(0, 1, 32).expand(64, 3, 24, 32)
    changed = mirrored_and_shifted(ramp)
    assert changed.shape == ramp.shape
    slopes = (changed[:, 0, 0, 20] - changed[:, 0, 0, 12]).sign()
    assert 16 < int((slopes > 0).sum()) < 48
    offsets = {round(float(v), 4) for v in changed[slopes > 0, 0, 0, 16]}
    assert len(offsets) == 1


def test_the_seed_decides_and_small_images_are_taken():
    image = torch.rand(4, 3, 16, 16)
    torch.manual_seed(1)
    first = mirrored_and_shifted(image)
    torch.manual_seed(1)
    assert torch.equal(first, mirrored_and_shifted(image))
    assert mirrored_and_shifted(torch.rand(2, 3, 1, 1)).shape == (2, 3, 1, 1)
