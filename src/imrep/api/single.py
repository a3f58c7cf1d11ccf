"""Functions of one image or two: invert, match, picture."""

import warnings
from typing import TYPE_CHECKING, Any

from imrep import adapters
from imrep.base import Representation
from imrep.registry.signatures import renamed

if TYPE_CHECKING:
    from imrep.inversion import Inversion
    from imrep.matching.match import Match
    from imrep.types import Image, Picture


@renamed(spec="representation")
def invert(
    image: "Image",
    representation: str | Representation,
    *,
    iterations: int | None = None,
    seed: int = 0,
    download: bool = False,
) -> "Inversion":
    """One image rebuilt from its code alone, with what was lost.

    Args:
        image: (1, 1|3, height, width), values in [0, 1].
        representation: A spec, or a representation, that has an inverse or lets gradients through.
        iterations: Limit for an iterative inverse or a search; None for the default of each.
        seed: Of the noise that a search starts from.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        NoInverse: There is neither an inverse nor a gradient.
        BadImage: There is more than one image, or none.
        UnknownName: A spec names nothing.
        BadParameter: A parameter is wrong.
    """
    from imrep import inversion

    image, representation = _image_first(image, representation)
    rep = adapters.resolve(representation, "invert", download=download)
    return inversion.invert(rep, image, iterations=iterations, seed=seed)


def picture(
    image: "Image", representation: str | Representation, *, download: bool = False
) -> "Picture":
    """The codes of images drawn for the eye, (b, 3, rows, columns).

    Args:
        image: (b, 1|3, height, width), values in [0, 1].
        representation: A spec, or a representation.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        BadImage: The representation refuses the images.
        UnknownName: A spec names nothing.
        BadParameter: A parameter is wrong.
    """
    import torch

    rep = adapters.resolve(representation, "picture", download=download).eval()
    with torch.no_grad():
        return rep.picture(rep.encode(image), image)


@renamed(first="query", second="target", spec="representation")
def match(
    query: "Image",
    target: "Image",
    representation: str | Representation = "sift:detector=opencv",
    *,
    ratio: float = 0.8,
    within: float = 3.0,
    download: bool = False,
) -> "Match":
    """Whether the target shows what the query does, and where.

    Args:
        query: The image to look for, (1, 1|3, height, width), values in [0, 1].
        target: The image to look in, likewise.
        representation: A spec, or a representation, whose code is `Points`.
        ratio: Limit for a pair's distance, as a share of the next nearest descriptor's.
        within: Pixels by which an agreeing pair of keypoints may be off.
        download: Whether published weights that are not on this machine are fetched.

    Returns:
        A `Match`: is_match, sentence, inliers, homography, outline; `imrep.matching.drawing.draw`
        draws it.

    Raises:
        BadParameter: The representation gives no keypoints, or a number is out of its range.
        BadImage: A picture has no keypoints, or there are several.
        UnknownName: A spec names nothing.
    """
    from imrep.matching import match as task

    rep = adapters.resolve(representation, "match", download=download).eval()
    return task.match(
        task.require_keypoints(task.keypoints(rep, query, "the query"), "the query"),
        task.require_keypoints(task.keypoints(rep, target, "the target"), "the target"),
        ratio=ratio,
        within=within,
    )


def _image_first(image: Any, representation: Any) -> tuple[Any, Any]:
    """Image and representation in this order, also from callers that pass the spec first.

    Earlier releases took `invert(spec, image)`; every other function takes the image first.
    """
    if isinstance(image, str | Representation):
        warnings.warn(
            "invert takes the image first, then the representation, got the old order. "
            "The next release drops it.",
            FutureWarning,
            stacklevel=4,
        )
        return representation, image
    return image, representation
