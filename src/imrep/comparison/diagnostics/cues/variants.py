"""Seven variants of an image, each without one property: colour, layout, fine detail and so on.

Each takes and returns an image uint8 (s, s, 3) and is relative to its side, so that it means the
same at any size. Borders mirror the image.

References:
    J. Canny, "A computational approach to edge detection", IEEE Trans. Pattern Analysis and
    Machine Intelligence 8(6), 1986. doi:10.1109/TPAMI.1986.4767851 (the outlines)
    R. Geirhos, P. Rubisch, C. Michaelis, M. Bethge, F. A. Wichmann and W. Brendel,
    "ImageNet-trained CNNs are biased towards texture; increasing shape bias improves accuracy and
    robustness", ICLR 2019. arXiv:1811.12231 (what a classifier loses without a cue)
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray as Array

ORIGINAL = "as it is"
"""The name of the images themselves."""
REVISION = 1
"""Raised when a variant changes its pixels."""

_Image = UInt8[Array, "s s 3"]
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_GRAY, _DEVIATION = 128, 50  # levels
_COARSE = 8  # pixels
_BLOCKS = 4  # along a side
_EXAMPLE = 128  # pixels
_CANNY = 60, 150  # gradients at which an edge ends and starts


def without_colour(image: _Image) -> _Image:
    """The luma in all three channels."""
    return np.repeat(_luma(image)[..., None], 3, 2)


def colour_only(image: _Image) -> _Image:
    """The same luma everywhere, so that only hue and saturation differ."""
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    planes[..., 0] = _GRAY
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB))


def coarse(image: _Image) -> _Image:
    """What 8 × 8 pixels hold, enlarged again."""
    small = cv2.resize(image, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def fine_detail(image: _Image) -> _Image:
    """What a Gaussian blur of a sixteenth of the side removes, around gray."""
    values = image.astype(np.float32)
    sigma = image.shape[0] / 16
    return _levels(values - cv2.GaussianBlur(values, (0, 0), sigma) + _GRAY)


def shuffled_blocks(image: _Image, rng: np.random.Generator) -> _Image:
    """Sixteen blocks in a random order; pixels beyond four times a quarter of the side stay."""
    side = image.shape[0] // _BLOCKS
    shuffled, inside = image.copy(), slice(side * _BLOCKS)
    blocks = image[inside, inside].reshape(_BLOCKS, side, _BLOCKS, side, 3).swapaxes(1, 2)
    order = rng.permutation(_BLOCKS**2)
    blocks = blocks.reshape(-1, side, side, 3)[order].reshape(_BLOCKS, _BLOCKS, side, side, 3)
    shuffled[inside, inside] = blocks.swapaxes(1, 2).reshape(side * _BLOCKS, side * _BLOCKS, 3)
    return shuffled


def outlines(image: _Image) -> _Image:
    """Canny edges of the luma, black on white."""
    edges = cv2.Canny(_luma(image), *_CANNY, apertureSize=3)
    return np.repeat(np.where(edges > 0, 0, 255).astype(np.uint8)[..., None], 3, 2)


def same_exposure(image: _Image) -> _Image:
    """Shifted and stretched to the same mean and standard deviation; a uniform image is gray."""
    values = image.astype(np.float64)
    deviation = values.std()
    contrast = _DEVIATION / deviation if deviation > 0 else 0.0
    return _levels((values - values.mean()) * contrast + _GRAY)


VARIANTS = (
    *("no colour", "colour only", "8 px only", "fine detail only"),
    *("blocks shuffled", "edges only", "same exposure"),
)
"""Names of the variants, in the order in which they are displayed."""


def variant(name: str, seed: int = 0) -> Callable[[_Image], _Image]:
    """A function that changes one image after another.

    Args:
        name: One of `VARIANTS`, or `ORIGINAL`.
        seed: Of the orders of the blocks, one for each image.
    """
    rng = np.random.default_rng(seed)
    changes: dict[str, Callable[[_Image], _Image]] = {
        ORIGINAL: lambda image: image,
        "no colour": without_colour,
        "colour only": colour_only,
        "8 px only": coarse,
        "fine detail only": fine_detail,
        "blocks shuffled": lambda image: shuffled_blocks(image, rng),
        "edges only": outlines,
        "same exposure": same_exposure,
    }
    return changes[name]


def example(
    squares: UInt8[Array, "n s s 3"], rows: Int[Array, " m"], seed: int = 0
) -> dict[str, _Image]:
    """The most colourful of some images as it is and in every variant, at most 128 pixels large."""
    image = squares[max(rows, key=lambda row: _colourfulness(squares[row]))]
    if len(image) > _EXAMPLE:
        image = cv2.resize(image, (_EXAMPLE, _EXAMPLE), interpolation=cv2.INTER_AREA)
    return {name: variant(name, seed)(image) for name in (ORIGINAL, *VARIANTS)}


def _colourfulness(image: _Image) -> float:
    """Spread of the difference between red and blue; 0 of a gray image."""
    return float((image[..., 0].astype(np.int16) - image[..., 2]).std())


def _luma(image: _Image) -> UInt8[Array, "s s"]:
    return _levels(image @ _LUMA)


def _levels(values: Float[Array, "..."]) -> UInt8[Array, "..."]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
