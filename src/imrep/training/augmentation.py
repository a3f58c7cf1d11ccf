"""Random changes of training images, by torchvision's transforms."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

Transform = Callable[[Tensor], Tensor]

_MIN_AREA = 0.35  # of an image that a resized crop leaves, at full strength
_MAX_ASPECT = 4 / 3
_COLOUR, _HUE = 0.4, 0.1  # of the jitter at full strength: factors within 1 ± 0.4, turns of hue
_LEVELS = 50  # of strength: a new level builds new transforms


def augmented(image: Tensor, names: Sequence[str], side: int, strength: float = 1.0) -> Tensor:
    """A random version (3, side, side) of an image (3, h, w), uint8.

    It is drawn from torch's generator of the CPU.

    Args:
        image: The image; one that is smaller than `side` is extended by its border.
        names: Of the changes, as in `Recipe.augment`.
        side: Height and width of the result in pixels.
        strength: From 0, which leaves only the crop, to 1.
    """
    level = round(_LEVELS * min(max(strength, 0.0), 1.0))
    return _transform(tuple(names), side, level)(image)


def centred(image: Tensor, side: int) -> Tensor:
    """The central square of an image, which is extended by its border where it is smaller."""
    image = _extended(image, side)
    top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
    return image[:, top : top + side, left : left + side]


@lru_cache(maxsize=_LEVELS)
def _transform(names: tuple[str, ...], side: int, level: int) -> Transform:
    from torchvision.transforms import v2

    strength = level / _LEVELS
    changes: list[Transform] = [_framing(names, side, strength)]
    if "flip" in names:
        changes.append(v2.RandomHorizontalFlip(strength / 2))
    if "vertical_flip" in names:
        changes.append(v2.RandomVerticalFlip(strength / 2))
    if "rotate" in names and level:
        changes.append(_rotated)
    if "jitter" in names and level:
        colour = _COLOUR * strength
        changes.append(v2.ColorJitter(colour, colour, colour, _HUE * strength))
    return v2.Compose(changes)


def _framing(names: tuple[str, ...], side: int, strength: float) -> Transform:
    """The crop that comes first."""
    from torchvision.transforms import v2

    if "resized_crop" in names:
        area, aspect = 1 - (1 - _MIN_AREA) * strength, _MAX_ASPECT**strength
        return v2.RandomResizedCrop(side, (area, 1), (1 / aspect, aspect))
    if "crop" in names:
        crop = v2.RandomCrop(side)
        return lambda image: crop(_extended(image, side))
    return lambda image: centred(image, side)


def _rotated(image: Tensor) -> Tensor:
    return torch.rot90(image, int(torch.randint(4, ())), (1, 2))


def _extended(image: Tensor, side: int) -> Tensor:
    """At least `side` pixels high and wide."""
    right, below = max(0, side - image.shape[2]), max(0, side - image.shape[1])
    if not (right or below):
        return image
    return F.pad(image[None].float(), (0, right, 0, below), mode="replicate")[0].to(image.dtype)
