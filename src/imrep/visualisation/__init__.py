"""Pictures of what a representation computes: filters, maps, projections to pixels, evidence.

`METHODS` names them for every door. Each is a function of a representation, of images, of a channel
of the code and of a class, in a module of its own.
"""

from collections.abc import Callable
from functools import partial

from imrep import checks
from imrep.base import Representation
from imrep.errors import BadParameter
from imrep.types import Image, Picture
from imrep.visualisation import channel_map, filters, grad_cam, projection

__all__ = ["METHODS", "PATCHES", "check_patches", "picture"]

PATCHES = "patches"  # the method whose input is a data set, not an image

Method = Callable[[Representation, Image, int | None, str | int | None], Picture]

METHODS: dict[str, Method] = {
    "code": channel_map.picture,
    "filters": filters.picture,
    "gradient": partial(projection.picture, "gradient"),
    "deconvnet": partial(projection.picture, "deconvnet"),
    "guided-backpropagation": partial(projection.picture, "guided-backpropagation"),
    "grad-cam": grad_cam.picture,
}
_OF_A_CHANNEL = ("code", "gradient", "deconvnet", "guided-backpropagation")


def picture(
    rep: Representation,
    image: Image,
    method: str = "code",
    *,
    channel: int | None = None,
    label: str | int | None = None,
) -> Picture:
    """Images seen by a representation, (b, 3, rows, columns).

    Args:
        rep: The representation.
        image: (b, 1|3, height, width), values in [0, 1].
        method: One of `METHODS`.
        channel: Of the code's maps, from 0; None for all of them.
        label: The class that grad-cam explains, by name or number; None for the network's own.

    Raises:
        BadParameter: If the method does not exist or the representation does not have it, or if the
            method takes no channel or no label.
        BadImage: If the images are not as above.
    """
    checks.one_of(method, (*METHODS, PATCHES), "picture", "method")
    if method == PATCHES:
        raise BadParameter(
            "picture needs a folder of images for method=patches, got one image. Pass a folder, "
            "or use method=deconvnet."
        )
    _check_options(method, channel if method not in _OF_A_CHANNEL else None, label)
    checks.image(image, "picture")
    return METHODS[method](rep, image, channel, label)


def check_patches(channel: int | None, label: object) -> int:
    """The channel of the patches, or a refusal.

    Raises:
        BadParameter: If there is no channel, or a label.
    """
    if channel is None:
        raise BadParameter(
            "picture needs a channel for the patches of a folder, got none. Give one, from 0, or "
            "pass one image."
        )
    _check_options(PATCHES, None, label)
    return channel


def _check_options(method: str, channel: int | None, label: object) -> None:
    """Refuse what a method does not read."""
    if channel is not None:
        raise BadParameter(
            f"picture needs no channel for method={method}, got {channel}. Leave it out, or use "
            f"one of {', '.join(_OF_A_CHANNEL)}."
        )
    if label is not None and method != "grad-cam":
        raise BadParameter(
            f"picture needs no label for method={method}, got {label!r}. Leave it out, or use "
            "method=grad-cam."
        )
