"""Images that look odd: dark, bright, blurred, nearly uniform, of another size, shape or colour.

What many images share is how a folder, or a class of it, looks, and no defect of each: it is one
`Trait`. The limits are absolute where a defect is one anywhere (a black image), and relative to the
folder where it is not (a size).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep.images import Facts

Floats = NDArray[np.float64]

ISSUES = ("dark", "bright", "blurred", "uniform", "size", "aspect", "gray")
DARK = 0.30  # of white: every channel of 95 % of the pixels of a dark image is below
_DARKER = 2.0  # and that below the lower quartile of the folder's by this factor
BRIGHT = 0.85  # of white: every channel of 95 % of the pixels of a bright image is above
BLURRED = 0.70  # sharpness, `images.sharpness`
UNIFORM = 5.0  # of 255: standard deviation of every channel of a nearly uniform image
ASPECT = 3.5  # long side over short side: of more, the central square holds less than 29 %
GRAY = 3.0  # of 255: difference of the channels in 95 % of the pixels of a gray image
SIZE = 2.5  # factor beyond the quartiles, at least
_FENCE = 1.5  # Tukey's factor of the distance of the quartiles
_TRAIT_SHARE = 1 / 3  # more of a folder or class share a trait,
_TRAIT_COUNT = 5  # and at least so many images
_BATCH = 256  # images

Range = tuple[float, float]  # values below the first or above the second are odd
FIXED: Mapping[str, Range] = {
    "dark": (DARK, np.inf),
    "bright": (-np.inf, BRIGHT),
    "blurred": (BLURRED, np.inf),
    "uniform": (UNIFORM, np.inf),
    "aspect": (-np.inf, ASPECT),
    "gray": (GRAY, np.inf),
}


@dataclass(frozen=True)
class Odd:
    """One issue of one image.

    Attributes:
        row: The image.
        issue: One of `ISSUES`.
        value: What was measured.
        limit: The limit that it is beyond.
    """

    row: int
    issue: str
    value: float
    limit: float


@dataclass(frozen=True)
class Trait:
    """An issue that more than a third of the images of a folder or a class share.

    Attributes:
        issue: One of `ISSUES`.
        count: Images with it.
        total: Images of the folder or class.
        label: The class; None for the folder.
    """

    issue: str
    count: int
    total: int
    label: str | None = None


@dataclass(frozen=True)
class Quality:
    """What is odd about the images of a folder.

    Attributes:
        odd: By row, then in the order of `ISSUES`.
        traits: In the order of `ISSUES`.
        ranges: Those of each issue, of the size in pixels.
    """

    odd: tuple[Odd, ...]
    traits: tuple[Trait, ...]
    ranges: Mapping[str, Range]


def find(
    squares: NDArray[np.uint8], facts: Sequence[Facts], labels: Sequence[str | None]
) -> Quality:
    """What is odd about images.

    Args:
        squares: (N, S, S, 3), uint8 sRGB.
        facts: Of each file.
        labels: Of each image, None without one.
    """
    values = measure(squares, facts)
    ranges = _ranges(values)
    odd: list[Odd] = []
    traits: list[Trait] = []
    for issue in ISSUES:
        value = values[issue]
        shared = list(_traits(issue, _outside(value, FIXED.get(issue, ranges[issue])), labels))
        traits += shared
        low, high = ranges[issue]
        # what is beyond a stricter limit of the folder's own is odd in spite of a trait
        is_fixed = FIXED.get(issue, ranges[issue]) == ranges[issue]
        common = {trait.label for trait in shared if is_fixed}
        odd += (
            Odd(row, issue, float(value[row]), low if value[row] < low else high)
            for row in np.flatnonzero(_outside(value, ranges[issue])).tolist()
            if None not in common and labels[row] not in common
        )
    odd.sort(key=lambda each: (each.row, ISSUES.index(each.issue)))
    return Quality(tuple(odd), tuple(traits), ranges)


def measure(squares: NDArray[np.uint8], facts: Sequence[Facts]) -> dict[str, Floats]:
    """The number behind each issue (N,).

    dark: The 95th percentile over the pixels of their greatest channel, a share of white; so a
    saturated blue is not dark. bright: the 5th percentile of their least channel. uniform: standard
    deviation of the most varied channel, of 255. gray: 95th percentile of the difference of the
    greatest and the least channel, of 255. blurred: the sharpness. size: square root of the area in
    pixels. aspect: long side over short side. Of a nearly uniform image neither the sharpness nor
    the colour says anything: NaN.
    """
    starts = range(0, len(squares), _BATCH)
    parts = [_of_pixels(squares[start : start + _BATCH]) for start in starts]
    dark, bright, uniform, gray = np.concatenate(parts, axis=1) if parts else np.empty((4, 0))
    sharp = np.array([f.sharpness for f in facts], float)  # None becomes NaN
    sides = np.array([(f.width, f.height) for f in facts], float).reshape(-1, 2)
    return {
        "dark": dark,
        "bright": bright,
        "blurred": np.where(uniform < UNIFORM, np.nan, sharp),
        "uniform": uniform,
        "size": np.sqrt(sides.prod(axis=1)),
        "aspect": sides.max(axis=1) / sides.min(axis=1),
        "gray": np.where(uniform < UNIFORM, np.nan, gray),
    }


def size_range(sizes: Floats) -> Range:
    """Sizes of a folder that are not odd: Tukey's fences on a logarithmic scale.

    From the lower quartile over a factor to the upper quartile times it. The factor is the ratio of
    the quartiles to the power 1.5, and at least 2.5: where most images have one size, others may
    still have half or twice its side.
    """
    if not len(sizes):
        return 0.0, np.inf
    low, high = np.quantile(sizes, (0.25, 0.75))
    factor = max(SIZE, (high / low) ** _FENCE)
    return float(low / factor), float(high * factor)


def _ranges(values: Mapping[str, Floats]) -> dict[str, Range]:
    """Those of a folder: a size that is usual in it, and a darkness that is unusual in it too."""
    dark = values["dark"]
    usual = float(np.quantile(dark, 0.25)) if len(dark) else np.inf
    return {
        **FIXED,
        "dark": (min(DARK, usual / _DARKER), np.inf),
        "size": size_range(values["size"]),
    }


def _outside(values: Floats, limits: Range) -> NDArray[np.bool_]:
    low, high = limits
    return (values < low) | (values > high)


def _of_pixels(squares: NDArray[np.uint8]) -> Floats:
    """(4, n): the numbers of darkness, brightness, uniformity and grayness."""
    pixels = squares.reshape(len(squares), -1, 3)
    red, green, blue = (np.ascontiguousarray(pixels[..., channel]) for channel in range(3))
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    deviation = np.max([_deviation(channel) for channel in (red, green, blue)], axis=0)
    dark, bright = _quantile(high, 0.95) / 255, _quantile(low, 0.05) / 255
    return np.stack([dark, bright, deviation, _quantile(high - low, 0.95)])


def _quantile(values: NDArray[np.uint8], share: float) -> Floats:
    """Of each row, as an element of it."""
    rank = round(share * (values.shape[1] - 1))
    return np.partition(values, rank, axis=1)[:, rank].astype(np.float64)


def _deviation(values: NDArray[np.uint8]) -> Floats:
    """Standard deviation of each row."""
    return values.std(axis=1, dtype=np.float32).astype(np.float64)


def _traits(
    issue: str, flagged: NDArray[np.bool_], labels: Sequence[str | None]
) -> Iterator[Trait]:
    """That of the folder, else those of its classes."""
    count, total = int(flagged.sum()), len(flagged)
    if _is_shared(count, total):
        yield Trait(issue, count, total)
        return
    names = np.array(["" if label is None else label for label in labels], str)
    for label in sorted(
        {labels[row] for row in np.flatnonzero(flagged).tolist()} - {None}, key=str
    ):
        members = flagged[names == label]
        if _is_shared(int(members.sum()), len(members)):
            yield Trait(issue, int(members.sum()), len(members), label)


def _is_shared(count: int, total: int) -> bool:
    """Whether so many of a total are a trait; all images of a tiny folder are one too."""
    return count > _TRAIT_SHARE * total and (count >= _TRAIT_COUNT or count == total > 1)
