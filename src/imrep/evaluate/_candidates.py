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

from imrep.evaluate import _ncc
from imrep.evaluate._ncc import Floats, Index

NEAREST = 4  # candidates of a picture by each descriptor and orientation
_PLAIN = 2.5  # gray levels of spread, below which only equal files or pixels are the same picture
_FLOORS = {"layout": 0.70, "edges": 0.70, "spectrum": 0.75, "detail": 0.30}
_TINT = 10.0  # levels of mean difference in Cr or Cb that no copy shows
_ROWS = 1024  # pictures compared with all others at a time: memory stays linear
_RIM = 2  # pixels of a thumbnail's border where the blur has nothing to go by
_HALF = _ncc.SIDE // 2 - _RIM


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

    def tints_agree(self, i: Index, j: Index, mirrored: bool) -> NDArray[np.bool_]:
        """Whether the colours of each pair could be those of a copy."""
        other = self.tint[j][..., ::-1] if mirrored else self.tint[j]
        return (np.abs(self.tint[i] - other).mean((2, 3)) <= _TINT).all(1)


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
            cosines, line = self._cosines(rows), np.arange(len(rows))
            for _ in range(NEAREST):
                best = cosines.argmax(1)
                alike = cosines[line, best] > _FLOORS[self.descriptor]
                yield rows[alike], best[alike]
                cosines[line, best] = -1

    def ranked(self, rows: Index, count: int) -> tuple[Index, Index, Index]:
        """Up to `count` others above the floor of some queries: query, other and its rank.

        The pairs of a query follow one another, the nearest first.
        """
        found = [np.zeros((3, 0), np.int64)]
        count = min(count, len(self.others))
        for start in range(0, len(rows), _ROWS):
            block = rows[start : start + _ROWS]
            cosines = self._cosines(block)
            top = np.sort(np.argpartition(-cosines, count - 1, axis=1)[:, :count], axis=1)
            alike = np.take_along_axis(cosines, top, 1)
            order = np.argsort(-alike, axis=1, kind="stable")
            line, rank = np.nonzero(np.take_along_axis(alike, order, 1) > _FLOORS[self.descriptor])
            found.append(np.stack([block[line], top[line, order[line, rank]], rank]))
        query, other, rank = np.concatenate(found, axis=1)
        return query, other, rank

    def _cosines(self, rows: Index) -> Floats:
        """Of these queries with all others; no picture is its own copy, or its own mirror image."""
        cosines = self.queries[rows] @ self.others.T
        cosines[np.arange(len(rows)), rows] = -1
        return cosines


def prepare(images: Iterable[NDArray[np.uint8]]) -> Pictures:
    """What is compared of squares uint8 (S, S, 3)."""
    thumbs, tints = [], []
    for image in images:
        ycc = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        luminance = np.asarray(ycc[..., 0], np.float32)
        small = cv2.resize(luminance, (_ncc.SIDE, _ncc.SIDE), interpolation=cv2.INTER_AREA)
        thumbs.append(cv2.GaussianBlur(small, (3, 3), 0.7))
        tints.append(cv2.resize(ycc, (4, 4), interpolation=cv2.INTER_AREA)[..., 1:])
    stacked = np.array(thumbs, np.float32).reshape(-1, _ncc.SIDE, _ncc.SIDE)
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
        "detail": np.array([_detail(thumb) for thumb in thumbs]).reshape(-1, _HALF, _HALF),
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
    return maps.reshape(len(maps), 8, _ncc.SIDE // 8, 8, _ncc.SIDE // 8).mean((2, 4))


def _gradient(thumb: Floats) -> Floats:
    smooth = cv2.GaussianBlur(thumb, (0, 0), 1)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _detail(thumb: Floats) -> Floats:
    """What lies between two blurs, at half the size, which forgives a shift of a pixel.

    Its cosine is about 0 between unlike pictures, so that they take no copy's place.
    """
    band = cv2.GaussianBlur(thumb, (0, 0), 0.8) - cv2.GaussianBlur(thumb, (0, 0), 3)
    inner = np.ascontiguousarray(band[_RIM:-_RIM, _RIM:-_RIM])
    return np.asarray(cv2.resize(inner, (_HALF, _HALF), interpolation=cv2.INTER_AREA))
