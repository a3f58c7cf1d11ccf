"""Pairs of images that may be near-duplicates: nearest neighbours by three descriptors.

Each descriptor is insensitive to another change of a duplicate: small shifts, brightness, crops.
All are computed from thumbnails, so that a block of rows is one matrix product.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from imrep.duplicates.template_matching import THUMBNAIL_PX, Floats, Index

NEAREST = 4  # candidates of an image by each descriptor and orientation
_MAX_SIMILAR = 8  # similar images, by orientation, that may raise the threshold of an image
_MIN_SPREAD = 2.5  # gray levels; below it only equal files or pixels are duplicates
_MIN_COSINE = {"layout": 0.70, "edges": 0.70, "spectrum": 0.75}
_MIN_DETAIL = 0.30  # correlation of shifted detail that unrelated images do not reach
_MAX_CHROMA = 10.0  # levels of mean difference in Cr or Cb between duplicates
_NEUTRAL = 128  # Cr and Cb of gray
_MAX_GAIN = 1.6  # of brightness and chroma between an image and its darkened duplicate
_ROW_BATCH = 1024  # images compared with all others together …
_MATRIX_ENTRIES = 8_000_000  # … or fewer: 32 MB, however many images there are
_COLOUR_BATCH = 64  # similar images whose colours are compared together
_HALF = THUMBNAIL_PX // 2
_RIM, _SHIFT = 3, 2  # pixels at half size: border left out, largest shift to each side


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of n distinct images.

    Attributes:
        luminance: (n, 32, 32), 0 to 255, slightly blurred.
        chroma: Cr and Cb, (n, 2, 4, 4).
        flat: Images too uniform to compare, (n,).
    """

    luminance: Floats
    chroma: Floats
    flat: NDArray[np.bool_]

    @cached_property
    def rows(self) -> Index:
        """Indices of those that are not flat, ascending."""
        return np.flatnonzero(~self.flat)

    @cached_property
    def neighbours(self) -> tuple["Neighbours", ...]:
        """Neighbours of the rows by every descriptor, each original and mirrored."""
        return tuple(
            Neighbours(name, mirrored, unit(view), unit(mirror(name, view) if mirrored else view))
            for name, view in describe(self.luminance[self.rows]).items()
            for mirrored in (False, True)
        )

    @cached_property
    def brightness(self) -> Floats:
        """Mean luminance of each thumbnail, (n,)."""
        return np.maximum(self.luminance.mean((1, 2)), 1e-6)

    def chroma_agrees(self, i: Index, j: Index, mirrored: bool) -> NDArray[np.bool_]:
        """Whether the colours of each pair may be those of a duplicate, or of a darkened one.

        Darkening multiplies chroma and luminance by the same gain; a darkened haze leaves chroma.
        """
        first, second = self.chroma[i] - _NEUTRAL, self.chroma[j] - _NEUTRAL
        second = second[..., ::-1] if mirrored else second
        ratio = self.brightness[i] / self.brightness[j]
        up, down = (np.clip(r, 1, _MAX_GAIN)[:, None, None, None] for r in (1 / ratio, ratio))
        return _same_chroma(first, second) | _same_chroma(first * up, second * down)


@dataclass(frozen=True)
class Neighbours:
    """Cosines between unit vectors (rows, d) of one descriptor."""

    descriptor: str
    mirrored: bool
    queries: Floats
    others: Floats

    def nearest(self) -> Iterator[tuple[Index, Index]]:
        """For blocks of queries, their nearest above the smallest cosine: (query, other)."""
        for rows in _blocks(np.arange(len(self.queries)), len(self.others)):
            cosines, line = self.queries[rows] @ self.others.T, np.arange(len(rows))
            cosines[line, rows] = -1  # no image is its own duplicate, or its own mirror image
            for _ in range(NEAREST):
                best = cosines.argmax(1)
                similar = cosines[line, best] > _MIN_COSINE[self.descriptor]
                yield rows[similar], best[similar]
                cosines[line, best] = -1

    def similar(self, rows: Index) -> NDArray[np.bool_]:
        """Whether each image is above the smallest cosine for these queries, (rows, n)."""
        return np.asarray(self.queries[rows] @ self.others.T > _MIN_COSINE[self.descriptor])


def prepare(images: Iterable[NDArray[np.uint8]]) -> Thumbnails:
    """Thumbnails of squares uint8 (S, S, 3)."""
    thumbs, chromas = [], []
    for image in images:
        ycc = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        luminance = np.asarray(ycc[..., 0], np.float32)
        small = cv2.resize(
            luminance,
            (THUMBNAIL_PX, THUMBNAIL_PX),
            interpolation=cv2.INTER_AREA,
        )
        thumbs.append(cv2.GaussianBlur(small, (3, 3), 0.7))
        chromas.append(cv2.resize(ycc, (4, 4), interpolation=cv2.INTER_AREA)[..., 1:])
    stacked = np.array(thumbs, np.float32).reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    chroma = np.array(chromas, np.float32).reshape(-1, 4, 4, 2).transpose(0, 3, 1, 2)
    return Thumbnails(stacked, chroma, stacked.std((1, 2)) < _MIN_SPREAD)


def candidates(thumbnails: Thumbnails) -> Index:
    """Keys of the pairs to align, from `pair_keys`, each once, ascending."""
    rows = thumbnails.rows
    keys = [np.zeros(0, np.int64)]
    for neighbours in thumbnails.neighbours:
        for query, neighbour in neighbours.nearest():
            keys.append(pair_keys(thumbnails, rows[query], rows[neighbour], neighbours.mirrored))
    return np.unique(np.concatenate(keys))


def similar_pairs(thumbnails: Thumbnails, subset: Index) -> Index:
    """Keys of the pairs of these images and those most similar to them.

    Candidates may be similar in a coarse descriptor only. Here the fine detail must correlate too:
    that of unrelated images correlates at no shift, so their presence does not change the result.
    """
    rows, keys = thumbnails.rows, [np.zeros(0, np.int64)]
    detail = np.array([_detail(thumb) for thumb in thumbnails.luminance[rows]])
    detail = detail.reshape(-1, _HALF, _HALF)
    for block in _blocks(np.searchsorted(rows, subset), len(rows)):
        for mirrored in (False, True):
            for row, scores in zip(
                block, _similarity(thumbnails, detail, block, mirrored), strict=True
            ):
                others = rows[np.flatnonzero(scores > _MIN_DETAIL)]
                ranked = others[np.argsort(-scores[scores > _MIN_DETAIL], kind="stable")]
                keys.append(_first_keys(thumbnails, rows[row], ranked, mirrored))
    return np.unique(np.concatenate(keys))


def _similarity(thumbnails: Thumbnails, detail: Floats, block: Index, mirrored: bool) -> Floats:
    """Correlation of the detail of a block with that of all images; -1 for dissimilar ones."""
    scores = _shifted_cosines(detail, block, mirrored)
    similar = np.zeros(scores.shape, bool)
    for view in thumbnails.neighbours:
        if view.mirrored == mirrored:
            similar |= view.similar(block)
    similar[np.arange(len(block)), block] = False
    scores[~similar] = -1
    return scores


def _first_keys(thumbnails: Thumbnails, image: int, ranked: Index, mirrored: bool) -> Index:
    """Keys of the pairs of an image and the first eight of these whose colours agree with its."""
    keys = np.zeros(0, np.int64)
    for start in range(0, len(ranked), _COLOUR_BATCH):
        others = ranked[start : start + _COLOUR_BATCH]
        more = pair_keys(thumbnails, np.full_like(others, image), others, mirrored)
        keys = np.append(keys, more)[:_MAX_SIMILAR]
        if len(keys) == _MAX_SIMILAR:
            break
    return keys


def _blocks(rows: Index, columns: int) -> Iterator[Index]:
    """These rows in blocks whose cosines with all columns take bounded memory."""
    size = max(1, min(_ROW_BATCH, _MATRIX_ENTRIES // max(1, columns)))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def pair_keys(thumbnails: Thumbnails, i: Index, j: Index, mirrored: bool) -> Index:
    """2 (n i + j) + mirrored for each pair whose colours agree, i < j."""
    low, high = np.minimum(i, j), np.maximum(i, j)
    close = thumbnails.chroma_agrees(low, high, mirrored)
    return 2 * (len(thumbnails.flat) * low + high)[close] + mirrored


def split_keys(keys: Index, n: int) -> tuple[Index, Index, NDArray[np.bool_]]:
    """The pairs of these keys: i, j, mirrored."""
    pairs, mirrored = np.divmod(keys, 2)
    return *np.divmod(pairs, n), mirrored.astype(bool)


def describe(thumbs: Floats) -> dict[str, Floats]:
    """The descriptors of thumbnails (n, 32, 32), before they are scaled to unit length."""
    # the lowest 17 × 9 frequencies of the half spectrum
    spectrum = np.log1p(np.abs(scipy.fft.rfft2(thumbs)))[:, :, :9]
    return {
        "layout": _eighths(thumbs),
        "edges": _eighths(np.array([_gradient(thumb) for thumb in thumbs]).reshape(thumbs.shape)),
        "spectrum": spectrum[:, [*range(9), *range(-8, 0)]],  # magnitudes do not change with shifts
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
    """Difference of two Gaussian blurs, at half the size."""
    band = cv2.GaussianBlur(thumb, (0, 0), 0.8) - cv2.GaussianBlur(thumb, (0, 0), 3)
    return np.asarray(cv2.resize(band, (_HALF, _HALF), interpolation=cv2.INTER_AREA))


def _shifted_cosines(detail: Floats, rows: Index, mirrored: bool) -> Floats:
    """Largest cosine, over shifts, of the centres of these rows with all images, (rows, n)."""
    others = detail[..., ::-1] if mirrored else detail
    end, best = _HALF - _RIM, np.full((len(rows), len(detail)), -1, np.float32)
    centres = unit(detail[rows, _RIM:end, _RIM:end])
    for y in range(-_SHIFT, _SHIFT + 1):
        for x in range(-_SHIFT, _SHIFT + 1):
            window = unit(others[:, _RIM + y : end + y, _RIM + x : end + x])
            np.maximum(best, centres @ window.T, out=best)
    return best


def _same_chroma(first: Floats, second: Floats) -> NDArray[np.bool_]:
    return (np.abs(first - second).mean((2, 3)) <= _MAX_CHROMA).all(1)
