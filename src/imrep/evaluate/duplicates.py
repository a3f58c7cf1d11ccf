"""Near-copies: the same picture again, shifted, cropped, mirrored, darkened or compressed anew.

A copy that sits in the training part of a fold gives the answer away for its original in the test
part, so copies share a fold. Thumbnails of equal cosine are not enough (they find 4 % of copies):
candidates come from three descriptors with different blind spots and are then laid over each
other, and how alike fine detail must be is learned from the folder, since digits are more alike
than photographs.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imrep.errors import BadParameter
from imrep.evaluate import _ncc
from imrep.evaluate._ncc import Floats

Progress = Callable[[float], object]

_PLAIN = 2.5  # grey levels of spread, below which only equal files or pixels are the same picture
_COUSINS = 4  # candidates of an image per descriptor and orientation
_FLOORS = {"layout": 0.70, "edges": 0.70, "spectrum": 0.75}
_TINT = 10.0  # levels of mean difference in Cr or Cb that no copy shows
_ROWS = 1024  # images compared with all others at a time: memory stays linear
_PAIRS = 512  # laid over each other at a time


@dataclass(frozen=True)
class Edge:
    """Two images that are the same picture.

    `v` is the correlation of the better placing and `hn` that of its fine detail, both at most 1;
    `identical` means equal bytes or equal pixels.
    """

    i: int
    j: int
    v: float
    hn: float
    mirrored: bool
    identical: bool


@dataclass(frozen=True)
class Copies:
    """Which of N images are near-copies of one another.

    `component` (N,) numbers the groups from 0 in order of their first image, singles included;
    `flat` (N,) marks images too plain to check; `threshold` is the fine detail's that was learned.
    """

    edges: tuple[Edge, ...]
    component: NDArray[np.int64]
    flat: NDArray[np.bool_]
    threshold: float

    def groups(self) -> list[list[int]]:
        """Groups of two images or more, each ascending, ordered by their first."""
        members: dict[int, list[int]] = {}
        for image, group in enumerate(self.component.tolist()):
            members.setdefault(group, []).append(image)
        return [group for group in members.values() if len(group) > 1]

    @property
    def largest(self) -> int:
        """Images in the largest group; 1 where nothing is copied, 0 where there is nothing."""
        return max(Counter(self.component.tolist()).values(), default=0)

    @property
    def counts(self) -> dict[str, int]:
        """Images with a copy, groups of them, the largest group, images too plain to check."""
        groups = self.groups()
        return {
            "images": sum(map(len, groups)),
            "groups": len(groups),
            "largest": self.largest,
            "flat": int(self.flat.sum()),
        }

    def across(self, labels: Sequence[object]) -> tuple[Edge, ...]:
        """Edges whose ends carry different labels: the same picture in two classes."""
        return tuple(edge for edge in self.edges if labels[edge.i] != labels[edge.j])


def find(
    images: NDArray[np.uint8],
    digests: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Copies:
    """The near-copies among images.

    The answer does not depend on the order of the images: they are compared in the order of their
    pixels' digests, each distinct picture once.

    Args:
        images: (N, S, S, 3), uint8 sRGB.
        digests: Digest of each image's file; equal ones are copies without a look.
        progress: Told the finished share, in [0, 1], now and then.

    Raises:
        BadParameter: if there is not one digest for each image.
    """
    if digests is not None and len(digests) != len(images):
        raise BadParameter(
            f"duplicates needs one digest for each of {len(images)} images, got {len(digests)}."
        )
    tell = progress or (lambda share: None)
    pixels = [
        blake2b(np.ascontiguousarray(image).data, digest_size=16).hexdigest() for image in images
    ]
    _, first, picture, times = np.unique(
        np.array(pixels, str), return_index=True, return_inverse=True, return_counts=True
    )
    seen = _see(images[k] for k in first)
    pairs = _compare(seen, tell)
    threshold = _threshold(pairs, (times > 1) & ~seen.flat, picture)
    edges = _near(pairs, threshold, first) | _repeats(pixels) | _repeats(digests or ())
    kept = _without_chains([edges[pair] for pair in sorted(edges)], len(images))
    tell(1.0)
    return Copies(tuple(kept), _components(kept, len(images)), seen.flat[picture], threshold)


@dataclass(frozen=True)
class _Seen:
    """What is compared of each distinct picture."""

    thumbs: Floats  # (n, 32, 32), 0 to 255, slightly blurred
    tint: Floats  # (n, 2, 4, 4), Cr and Cb
    flat: NDArray[np.bool_]  # (n,)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of pictures i < j that were laid over each other, and how well each fits."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    v: Floats
    hn: Floats
    bn: Floats


def _see(images: Iterable[NDArray[np.uint8]]) -> _Seen:
    thumbs, tints = [], []
    for image in images:
        ycc = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        luminance = np.asarray(ycc[..., 0], np.float32)
        small = cv2.resize(luminance, (_ncc.SIDE, _ncc.SIDE), interpolation=cv2.INTER_AREA)
        thumbs.append(cv2.GaussianBlur(small, (3, 3), 0.7))
        tints.append(cv2.resize(ycc, (4, 4), interpolation=cv2.INTER_AREA)[..., 1:])
    stacked = np.array(thumbs, np.float32).reshape(-1, _ncc.SIDE, _ncc.SIDE)
    tint = np.array(tints, np.float32).reshape(-1, 4, 4, 2).transpose(0, 3, 1, 2)
    return _Seen(stacked, tint, stacked.std((1, 2)) < _PLAIN)


def _describe(thumbs: Floats) -> dict[str, Floats]:
    """Three views of each thumbnail, mirrored by `_mirror`."""
    spectrum = np.log1p(np.abs(scipy.fft.rfft2(thumbs)))[:, :, :9]
    return {
        "layout": _eighths(thumbs),
        "edges": _eighths(np.array([_gradient(thumb) for thumb in thumbs]).reshape(thumbs.shape)),
        "spectrum": spectrum[:, [*range(9), *range(-8, 0)]],  # blind to shifts
    }


def _eighths(maps: Floats) -> Floats:
    return maps.reshape(len(maps), 8, _ncc.SIDE // 8, 8, _ncc.SIDE // 8).mean((2, 4))


def _gradient(thumb: Floats) -> Floats:
    smooth = cv2.GaussianBlur(thumb, (0, 0), 1)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _mirror(name: str, view: Floats) -> Floats:
    """The view of the mirrored thumbnails."""
    if name == "spectrum":  # |F(v, -u)| = |F(-v, u)|: rows 0, 1 … 8, -8 … -1 change sign
        return np.roll(view[:, ::-1], 1, axis=1)
    return view[:, :, ::-1]


def _unit(view: Floats) -> Floats:
    flat = view.reshape(len(view), math.prod(view.shape[1:]))
    centred = flat - flat.mean(1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def _candidates(seen: _Seen) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs worth laying over each other: i, j, mirrored; i < j, each once, in order."""
    alive, n = np.flatnonzero(~seen.flat), len(seen.flat)
    keys = [np.zeros(0, np.int64)]
    for name, view in _describe(seen.thumbs[alive]).items():
        for mirrored in (False, True):
            others = _unit(_mirror(name, view) if mirrored else view)
            for a, b in _cousins(_unit(view), others, _FLOORS[name]):
                i, j = np.minimum(alive[a], alive[b]), np.maximum(alive[a], alive[b])
                close = _tints_agree(seen.tint, i, j, mirrored)
                keys.append(2 * (n * i + j)[close] + mirrored)
    pairs, mirrored_too = np.divmod(np.unique(np.concatenate(keys)), 2)
    return *np.divmod(pairs, n), mirrored_too.astype(bool)


def _cousins(
    queries: Floats, others: Floats, floor: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For blocks of queries, the other images most like each: (query, other) above the floor."""
    for start in range(0, len(queries), _ROWS):
        cosines = queries[start : start + _ROWS] @ others.T
        rows = np.arange(len(cosines))
        cosines[rows, rows + start] = -1  # no image is its own copy, or its own mirror image
        for _ in range(_COUSINS):
            best = cosines.argmax(1)
            alike = cosines[rows, best] > floor
            yield rows[alike] + start, best[alike]
            cosines[rows, best] = -1


def _tints_agree(
    tint: Floats, i: NDArray[np.int64], j: NDArray[np.int64], mirrored: bool
) -> NDArray[np.bool_]:
    other = tint[j][..., ::-1] if mirrored else tint[j]
    return (np.abs(tint[i] - other).mean((2, 3)) <= _TINT).all(1)


def _compare(seen: _Seen, tell: Progress) -> _Pairs:
    """Candidates laid over each other; those that do not fit at all are left out."""
    i, j, mirrored = _candidates(seen)
    thumbs, kept, scores = _ncc.prepare(seen.thumbs), [np.zeros(0, int)], [np.zeros((3, 0))]
    for orientation in (False, True):
        pairs = np.flatnonzero(mirrored == orientation)
        for start in range(0, len(pairs), _PAIRS):
            block = pairs[start : start + _PAIRS]
            second = thumbs.pick(j[block])
            v, p, q = _ncc.align(
                thumbs.pick(i[block]), second.mirrored() if orientation else second
            )
            fits = v >= _ncc.HOPELESS
            scores.append(
                np.stack([v[fits], _ncc.fine(p[fits], q[fits]), _ncc.blockwise(p[fits], q[fits])])
            )
            kept.append(block[fits])
            tell(0.2 + 0.8 * (start + len(block)) / len(i))
    best = np.concatenate(kept)
    return _Pairs(i[best], j[best], mirrored[best], *np.concatenate(scores, axis=1))


def _threshold(pairs: _Pairs, copied: NDArray[np.bool_], picture: NDArray[np.int64]) -> float:
    """How alike fine detail must be: the more so the more alike the images of this folder are."""
    best = copied.astype(float)  # a picture that is there twice has a perfect match
    np.maximum.at(best, pairs.i, pairs.hn)
    np.maximum.at(best, pairs.j, pairs.hn)
    typical = np.median(best[picture]) if len(picture) else 0.0
    return float(np.clip(1 - 0.4 * (1 - typical), 0.80, 0.97))


def _repeats(keys: Sequence[str]) -> dict[tuple[int, int], Edge]:
    """Edges from the first image with a key to the others with it; "" is no key."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(key, image), image) for image, key in enumerate(keys) if key]
    return {(i, j): Edge(i, j, 1.0, 1.0, False, True) for i, j in pairs if i < j}


def _near(pairs: _Pairs, threshold: float, first: NDArray[np.int64]) -> dict[tuple[int, int], Edge]:
    """Edges between pictures that fit well enough, each in the better of its two orientations."""
    whole = (pairs.v >= 0.90) & (pairs.hn >= threshold)
    covered = (pairs.v >= 0.75) & (pairs.bn >= max(0.985, threshold)) & (pairs.hn >= 0.6)
    good = np.flatnonzero(whole | covered)
    edges = {}
    for k in good[np.argsort(pairs.hn[good], kind="stable")]:
        i, j = sorted((int(first[pairs.i[k]]), int(first[pairs.j[k]])))
        mirrored = bool(pairs.mirrored[k])
        edges[i, j] = Edge(i, j, float(pairs.v[k]), float(pairs.hn[k]), mirrored, False)
    return edges


def _without_chains(edges: list[Edge], n: int) -> list[Edge]:
    """Edges without the weaker ones of groups too large to be believed.

    MNIST would chain 69 ones into one group. What stays large with nearly equal detail is a burst.
    """
    for floor in (0.95, 0.97):
        component = _components(edges, n)
        large = np.bincount(component, minlength=1) > max(10, n / 100)
        edges = [edge for edge in edges if edge.hn >= floor or not large[component[edge.i]]]
    return edges


def _components(edges: Sequence[Edge], n: int) -> NDArray[np.int64]:
    """Connected components of n images, numbered in the order of their first image."""
    i, j = (np.array([getattr(edge, end) for edge in edges], int) for end in "ij")
    graph = coo_array((np.ones(len(edges)), (i, j)), shape=(n, n))
    _, first, component = np.unique(
        connected_components(graph, directed=False)[1], return_index=True, return_inverse=True
    )
    return np.argsort(np.argsort(first))[component]
