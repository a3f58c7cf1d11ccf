"""Random changes of training images and their masks, by torchvision's transforms."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Pair = tuple[Tensor, Tensor]
Transform = Callable[..., Any]  # of an image, or of an image and its mask

UNLABELLED = -1  # of a mask beyond its image
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


def augmented_pair(
    image: Tensor, mask: Tensor, names: Sequence[str], side: int, strength: float = 1.0
) -> Pair:
    """The same of an image and its mask (h, w), which moves with it: (side, side), int64.

    Colours change in the image alone. Each pixel of the mask is that of the nearest; what lies
    beyond the image is -1.
    """
    from torchvision import tv_tensors

    level = round(_LEVELS * min(max(strength, 0.0), 1.0))
    planes = tv_tensors.Image(image), tv_tensors.Mask(mask[None])
    image, mask = _transform(tuple(names), side, level)(*planes)
    return image.as_subclass(Tensor), mask.as_subclass(Tensor)[0].long()


def centred(image: Tensor, side: int) -> Tensor:
    """The central square of an image, which is extended by its border where it is smaller."""
    return _centre(_extended(image, side), side)


def centred_pair(image: Tensor, mask: Tensor, side: int) -> Pair:
    """The central squares of an image and its mask (h, w), int64; -1 beyond the image."""
    square = _centre(_extended_mask(mask[None], side), side)[0]
    return centred(image, side), square.long()


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
        return v2.Compose([_each(_extended, _extended_mask, side), v2.RandomCrop(side)])
    return _each(centred, lambda mask, side: _centre(_extended_mask(mask, side), side), side)


def _each(of_image: Callable[..., Tensor], of_mask: Callable[..., Tensor], side: int) -> Transform:
    """A transform of an image alone, or of an image and its mask."""

    def transform(image: Tensor, *masks: Tensor) -> Any:
        if not masks:
            return of_image(image, side)
        from torchvision import tv_tensors

        pair = of_image(image, side), of_mask(masks[0], side)
        return tv_tensors.Image(pair[0]), tv_tensors.Mask(pair[1])

    return transform


def _rotated(*planes: Tensor) -> Any:
    turns = int(torch.randint(4, ()))
    rotated = [torch.rot90(plane, turns, (1, 2)) for plane in planes]
    return tuple(map(_like, rotated, planes)) if len(planes) > 1 else rotated[0]


def _like(plane: Tensor, before: Tensor) -> Tensor:
    """With the kind, image or mask, that torch's operations forget."""
    return plane.as_subclass(type(before))


def _centre(plane: Tensor, side: int) -> Tensor:
    top, left = (plane.shape[1] - side) // 2, (plane.shape[2] - side) // 2
    return plane[:, top : top + side, left : left + side]


def _extended(image: Tensor, side: int) -> Tensor:
    """At least `side` pixels high and wide, by its border."""
    right, below = max(0, side - image.shape[2]), max(0, side - image.shape[1])
    if not (right or below):
        return image
    return F.pad(image[None].float(), (0, right, 0, below), mode="replicate")[0].to(image.dtype)


def _extended_mask(mask: Tensor, side: int) -> Tensor:
    """The same, without a class beyond the image."""
    right, below = max(0, side - mask.shape[2]), max(0, side - mask.shape[1])
    return F.pad(mask, (0, right, 0, below), value=UNLABELLED)
