"""Which pairs of pictures are worth laying over each other: nearest neighbours by descriptors.

Each descriptor is blind to something else that a copy may differ in: small shifts, brightness,
crops. All of them are taken of thumbnails, so that a block of rows is one matrix product.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from imrep.comparison.data.template_matching import THUMBNAIL_PX, Floats, Index

NEAREST = 4  # candidates of a picture by each descriptor and orientation
_LOOK_ALIKES = 16  # pictures that may have a say in how alike copies must be, by orientation
_PLAIN = 2.5  # gray levels of spread, below which only equal files or pixels are the same picture
_FLOORS = {"layout": 0.70, "edges": 0.70, "spectrum": 0.75}
_DETAIL = 0.30  # correlation of slid detail that unlike pictures do not reach
_TINT = 10.0  # levels of mean difference in Cr or Cb that no copy shows
_NEUTRAL = 128  # Cr and Cb of gray
_DARKENED = 1.6  # times that a copy may be brighter with its colours following
_AS_MUCH = 0.1  # difference in the logarithms of two factors that are the same but for rounding
_ROWS = 1024  # pictures compared with all others at a time: memory stays linear
_HALF = THUMBNAIL_PX // 2
_RIM, _SLIDE = 3, 2  # pixels at half size left out of a border, and slid to each side


@dataclass(frozen=True)
class Pictures:
    """What is compared of each of n distinct pictures.

    Attributes:
        thumbnails: Luminance (n, 32, 32), 0 to 255, slightly blurred.
        tint: Cr and Cb, (n, 2, 4, 4).
        flat: Pictures too plain to be compared, (n,).
    """

    thumbnails: Floats
    tint: Floats
    flat: NDArray[np.bool_]

    @cached_property
    def rows(self) -> Index:
        """Those that are not flat, ascending."""
        return np.flatnonzero(~self.flat)

    @cached_property
    def lists(self) -> tuple["Neighbours", ...]:
        """Every descriptor of the rows, each as it is and mirrored."""
        return tuple(
            Neighbours(name, mirrored, unit(view), unit(mirror(name, view) if mirrored else view))
            for name, view in describe(self.thumbnails[self.rows]).items()
            for mirrored in (False, True)
        )

    @cached_property
    def luminance(self) -> Floats:
        """Mean and spread of each thumbnail, (n, 2)."""
        return np.stack([self.thumbnails.mean((1, 2)), self.thumbnails.std((1, 2))], axis=1)

    def tints_agree(self, i: Index, j: Index, mirrored: bool) -> NDArray[np.bool_]:
        """Whether the colours of each pair could be those of a copy, or of a darkened copy.

        Darkening multiplies colours, mean and spread of a picture alike.
        """
        first, second = self.tint[i] - _NEUTRAL, self.tint[j] - _NEUTRAL
        second = second[..., ::-1] if mirrored else second
        brighter, wider = np.maximum(self.luminance[i], 1e-6).T / self.luminance[j].clip(1e-6).T
        darkened = np.abs(np.log(brighter / wider)) < _AS_MUCH
        up, down = (np.clip(r, 1, _DARKENED)[:, None, None, None] for r in (1 / brighter, brighter))
        return _same_tint(first, second) | (darkened & _same_tint(first * up, second * down))


@dataclass(frozen=True)
class Neighbours:
    """The other pictures by how near they are in one descriptor; unit vectors (rows, d)."""

    descriptor: str
    mirrored: bool
    queries: Floats
    others: Floats

    def nearest(self) -> Iterator[tuple[Index, Index]]:
        """For blocks of queries, the most alike above the floor: (query, other)."""
        for start in range(0, len(self.queries), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(self.queries)))
            cosines, line = self.queries[rows] @ self.others.T, np.arange(len(rows))
            cosines[line, rows] = -1  # no picture is its own copy, or its own mirror image
            for _ in range(NEAREST):
                best = cosines.argmax(1)
                alike = cosines[line, best] > _FLOORS[self.descriptor]
                yield rows[alike], best[alike]
                cosines[line, best] = -1

    def near(self, rows: Index) -> NDArray[np.bool_]:
        """Whether each other picture is above the floor for these queries."""
        return np.asarray(self.queries[rows] @ self.others.T > _FLOORS[self.descriptor])


def prepare(images: Iterable[NDArray[np.uint8]]) -> Pictures:
    """What is compared of squares uint8 (S, S, 3)."""
    thumbs, tints = [], []
    for image in images:
        ycc = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        luminance = np.asarray(ycc[..., 0], np.float32)
        small = cv2.resize(
            luminance,
            (THUMBNAIL_PX, THUMBNAIL_PX),
            interpolation=cv2.INTER_AREA,
        )
        thumbs.append(cv2.GaussianBlur(small, (3, 3), 0.7))
        tints.append(cv2.resize(ycc, (4, 4), interpolation=cv2.INTER_AREA)[..., 1:])
    stacked = np.array(thumbs, np.float32).reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    tint = np.array(tints, np.float32).reshape(-1, 4, 4, 2).transpose(0, 3, 1, 2)
    return Pictures(stacked, tint, stacked.std((1, 2)) < _PLAIN)


def candidates(pictures: Pictures) -> Index:
    """Pairs worth laying over each other, as numbers of `pair_keys`, each once, ascending."""
    rows = pictures.rows
    keys = [np.zeros(0, np.int64)]
    for neighbours in pictures.lists:
        for query, other in neighbours.nearest():
            keys.append(pair_keys(pictures, rows[query], rows[other], neighbours.mirrored))
    return np.unique(np.concatenate(keys))


def look_alikes(pictures: Pictures, asked: Index) -> Index:
    """Pairs of these pictures and those most like them, numbered as candidates are.

    Unlike the lists that candidates come from, this one has no room for what is near in a rough
    descriptor only: the detail of unlike pictures correlates with nothing, wherever it is slid.
    So what else lies beside a picture and its look-alikes changes nothing here.
    """
    keys = [np.zeros(0, np.int64)]
    detail = np.array([_detail(thumb) for thumb in pictures.thumbnails[pictures.rows]])
    detail = detail.reshape(-1, _HALF, _HALF)
    places = np.searchsorted(pictures.rows, asked)
    for start in range(0, len(places), _ROWS):
        block = places[start : start + _ROWS]
        for mirrored in (False, True):
            lists = [one for one in pictures.lists if one.mirrored == mirrored]
            near = np.logical_or.reduce([one.near(block) for one in lists])
            near[np.arange(len(block)), block] = False
            alike = np.where(near, _slid(detail, block, mirrored), -1)
            line, other = np.nonzero(alike > _DETAIL)
            i, j = pictures.rows[block[line]], pictures.rows[other]
            close = pictures.tints_agree(np.minimum(i, j), np.maximum(i, j), mirrored)
            line, other, i, j = line[close], other[close], i[close], j[close]
            first = _first_of_each(line, alike[line, other], _LOOK_ALIKES)
            keys.append(pair_keys(pictures, i[first], j[first], mirrored))
    return np.unique(np.concatenate(keys))


def pair_keys(pictures: Pictures, i: Index, j: Index, mirrored: bool) -> Index:
    """A number for each pair of pictures whose colours agree, the same for (i, j) and (j, i)."""
    low, high = np.minimum(i, j), np.maximum(i, j)
    close = pictures.tints_agree(low, high, mirrored)
    return 2 * (len(pictures.flat) * low + high)[close] + mirrored


def split_keys(keys: Index, n: int) -> tuple[Index, Index, NDArray[np.bool_]]:
    """The pairs of these numbers: i, j, mirrored."""
    pairs, mirrored = np.divmod(keys, 2)
    return *np.divmod(pairs, n), mirrored.astype(bool)


def describe(thumbs: Floats) -> dict[str, Floats]:
    """The descriptors of thumbnails (n, 32, 32), before they are brought to unit length."""
    spectrum = np.log1p(np.abs(scipy.fft.rfft2(thumbs)))[:, :, :9]
    return {
        "layout": _eighths(thumbs),
        "edges": _eighths(np.array([_gradient(thumb) for thumb in thumbs]).reshape(thumbs.shape)),
        "spectrum": spectrum[:, [*range(9), *range(-8, 0)]],  # blind to shifts
    }


def mirror(name: str, view: Floats) -> Floats:
    """The descriptor of the mirrored thumbnails."""
    if name == "spectrum":  # |F(v, -u)| = |F(-v, u)|: rows 0, 1 … 8, -8 … -1 change sign
        return np.roll(view[:, ::-1], 1, axis=1)
    return view[:, :, ::-1]


def unit(view: Floats) -> Floats:
    """Rows (n, d), their mean removed, of length one."""
    flat = view.reshape(len(view), math.prod(view.shape[1:]))
    centred = flat - flat.mean(1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def _eighths(maps: Floats) -> Floats:
    return maps.reshape(len(maps), 8, THUMBNAIL_PX // 8, 8, THUMBNAIL_PX // 8).mean((2, 4))


def _gradient(thumb: Floats) -> Floats:
    smooth = cv2.GaussianBlur(thumb, (0, 0), 1)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _detail(thumb: Floats) -> Floats:
    """What lies between two blurs, at half the size."""
    band = cv2.GaussianBlur(thumb, (0, 0), 0.8) - cv2.GaussianBlur(thumb, (0, 0), 3)
    return np.asarray(cv2.resize(band, (_HALF, _HALF), interpolation=cv2.INTER_AREA))


def _slid(detail: Floats, rows: Index, mirrored: bool) -> Floats:
    """The best cosine of the centres of some with any window of all others, (rows, n)."""
    others = detail[..., ::-1] if mirrored else detail
    end, best = _HALF - _RIM, np.full((len(rows), len(detail)), -1, np.float32)
    centres = unit(detail[rows, _RIM:end, _RIM:end])
    for y in range(-_SLIDE, _SLIDE + 1):
        for x in range(-_SLIDE, _SLIDE + 1):
            window = unit(others[:, _RIM + y : end + y, _RIM + x : end + x])
            np.maximum(best, centres @ window.T, out=best)
    return best


def _first_of_each(line: Index, alike: Floats, count: int) -> Index:
    """Places of the `count` largest numbers of each line; of equal ones, the first."""
    order = np.lexsort((-alike, line))
    begin = np.searchsorted(line[order], line[order])
    return order[np.arange(len(order)) - begin < count]


def _same_tint(first: Floats, second: Floats) -> NDArray[np.bool_]:
    return (np.abs(first - second).mean((2, 3)) <= _TINT).all(1)
