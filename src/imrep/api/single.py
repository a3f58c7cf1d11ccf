"""Functions of one image or two: invert, match, picture."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import adapters
from imrep.base import Representation
from imrep.registry.signatures import renamed

if TYPE_CHECKING:
    from imrep.datasets import Item
    from imrep.embedding.shards import Settings
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
    jitter: int = 0,
    download: bool = False,
) -> "Inversion":
    """One image rebuilt from its code alone, with what was lost.

    Args:
        image: (1, 1|3, height, width), values in [0, 1].
        representation: A spec, or a representation, that has an inverse or lets gradients through.
        iterations: Limit for an iterative inverse or a search; None for the default of each.
        seed: Of the noise that a search starts from, and of its shifts.
        jitter: Maximal shift of the image at each step of a search, in pixels: strided layers of a
            network then leave no pattern of their grid.
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
    return inversion.invert(rep, image, iterations=iterations, seed=seed, jitter=jitter)


def picture(
    image: "Image | str | Path | Sequence[str | Path]",
    representation: str | Representation,
    *,
    method: str | None = None,
    channel: int | None = None,
    label: str | int | None = None,
    size: int | None = 64,
    download: bool = False,
) -> "Picture":
    """What a representation computes of images, drawn for the eye, (b, 3, rows, columns).

    The methods are those of `imrep.visualisation.METHODS`:

    - "code", the default, is the picture of the code; with a channel, that map over the image.
    - "filters" are those of a network's first layer, beside their responses to the image.
    - "gradient", "deconvnet" and "guided-backpropagation" carry a channel's strongest activation
      back to pixels, or all maps without a channel; shown beside the image.
    - "grad-cam" shows what speaks for a class, over the image.
    - "patches", the default for a folder, are the nine of its images that excite a channel most,
      beside what in each excites it.

    Args:
        image: (b, 1|3, height, width), values in [0, 1]; for the patches, data that `embed` takes.
        representation: A spec, or a representation.
        method: One of these names.
        channel: Of the code's maps, from 0.
        label: The class that grad-cam explains, by name or number; None for the most probable.
        size: Side in pixels of the central square that images of a folder are read at, unless the
            representation has its own; None keeps each at its own size.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        BadImage: The representation refuses the images.
        BadData: The folder holds no images.
        UnknownName: A spec names nothing.
        BadParameter: A parameter is wrong, or the representation does not have the method.
    """
    from imrep import visualisation

    rep = adapters.resolve(representation, "picture", download=download).eval()
    if method == "patches" or (method is None and isinstance(image, str | Path | Sequence)):
        return _sheet(image, rep, visualisation.check_patches(channel, label), size)
    images: Any = image  # anything but a tensor is refused
    return visualisation.picture(rep, images, method or "code", channel=channel, label=label)


def _sheet(data: Any, rep: Representation, channel: int, size: int | None) -> "Picture":
    """The patches of a data set that excite a channel most."""
    from imrep.visualisation import patches

    return patches.sheet(
        patches.strongest_patches(rep, _items(data), channel, _settings(rep, size))
    )


def _items(data: Any) -> "Sequence[Item]":
    """The images of what `embed` takes."""
    from imrep import datasets, images
    from imrep.api.data import source

    origin = source(data, images.DEFAULT_READING, "picture")
    return (origin if isinstance(origin, datasets.Dataset) else datasets.find(origin)).items


def _settings(rep: Representation, size: int | None) -> "Settings":
    """How the images of a data set are read."""
    from imrep import images
    from imrep.embedding import vector_file

    return vector_file.Settings(
        size=rep.canvas or size, threads=1, reading=rep.framed(images.DEFAULT_READING)
    )


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
