"""Near-copies: the same picture again, shifted, cropped, mirrored, darkened or compressed anew.

A copy that sits in the training part of a fold gives the answer away for its original in the test
part, so copies share a fold. Thumbnails of equal cosine are not enough (they find 4 % of copies):
candidates come from three descriptors with different blind spots and are then laid over each
other. How alike fine detail must be depends on each picture's own neighbourhood, since digits are
more alike than photographs and one folder may hold both.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imrep.comparison.data import candidate_pairs, template_matching
from imrep.comparison.data.candidate_pairs import Pictures
from imrep.comparison.data.template_matching import Floats, Index
from imrep.errors import BadParameter

Progress = Callable[[float], object]

_PAIRS = 512  # laid over each other at a time
_LOWEST, _HIGHEST = 0.80, 0.95  # between which lies what the fine detail of copies must reach
_SIMILAR = (0.65, 0.80)  # between which a picture resembles another and is no copy of it
_BELIEVED = 10  # images of a group that is believed without nearly equal detail


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
    `flat` (N,) marks images too plain to check.
    """

    edges: tuple[Edge, ...]
    component: NDArray[np.int64]
    flat: NDArray[np.bool_]

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
    pixels' digests, each distinct picture once. Nor does it depend on unlike images beside them:
    every limit is that of a picture and of those that resemble it.

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
    _, first, picture = np.unique(np.array(pixels, str), return_index=True, return_inverse=True)
    pictures = candidate_pairs.prepare(images[k] for k in first)
    aligned = _Aligned(pictures)
    aligned.add(candidate_pairs.candidates(pictures), lambda share: tell(0.2 + 0.6 * share))
    highest = _highest(images.shape[1])
    good = _copies(aligned, highest, lambda share: tell(0.8 + 0.2 * share))
    edges = _edges(aligned, good, first) | _repeats(pixels) | _repeats(digests or ())
    kept = _without_chains([edges[pair] for pair in sorted(edges)], len(images), highest)
    tell(1.0)
    return Copies(tuple(kept), _components(kept, len(images)), pictures.flat[picture])


@dataclass
class _Aligned:
    """Pairs of pictures laid over each other that fit, and how well.

    Attributes:
        keys: Number of each pair as `candidate_pairs.pair_keys` has it.
        v: Correlation of the better placing.
        hn: The same of its fine detail.
        bn: Median of the same over blocks.
        asked: Numbers of all pairs that were tried.
    """

    pictures: Pictures
    keys: Index = field(default_factory=lambda: np.zeros(0, np.int64))
    v: Floats = field(default_factory=lambda: np.zeros(0))
    hn: Floats = field(default_factory=lambda: np.zeros(0))
    bn: Floats = field(default_factory=lambda: np.zeros(0))
    asked: Index = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        self.thumbs = template_matching.prepare(self.pictures.thumbnails)

    @property
    def pairs(self) -> tuple[Index, Index, NDArray[np.bool_]]:
        """The pictures of each pair, i < j, and whether the second is mirrored."""
        return candidate_pairs.split_keys(self.keys, len(self.pictures.flat))

    def add(self, keys: Index, tell: Progress) -> None:
        """Lay further pairs over each other, put behind those that are there already."""
        new = np.setdiff1d(keys, self.asked)
        i, j, mirrored = candidate_pairs.split_keys(new, len(self.pictures.flat))
        found, scores = [self.keys], [np.stack([self.v, self.hn, self.bn])]
        done = 0
        for orientation in (False, True):
            pairs = np.flatnonzero(mirrored == orientation)
            for start in range(0, len(pairs), _PAIRS):
                block = pairs[start : start + _PAIRS]
                second = self.thumbs.pick(j[block])
                second = second.mirrored() if orientation else second
                v, p, q = template_matching.align(self.thumbs.pick(i[block]), second)
                fits = v >= template_matching.HOPELESS
                p, q = p[fits], q[fits]
                scores.append(
                    np.stack(
                        [v[fits], template_matching.fine(p, q), template_matching.blockwise(p, q)]
                    )
                )
                found.append(new[block[fits]])
                done += len(block)
                tell(done / len(new))
        self.keys = np.concatenate(found)
        self.v, self.hn, self.bn = np.concatenate(scores, axis=1)
        self.asked = np.union1d(self.asked, new)

    def passing(self, threshold: Floats | float) -> NDArray[np.bool_]:
        """Pairs that are copies where fine detail must agree so well."""
        whole = (self.v >= 0.90) & (self.hn >= threshold)
        blocks = self.bn >= np.maximum(0.985, threshold)
        return whole | ((self.v >= 0.75) & blocks & (self.hn >= 0.6))


def _highest(side: int) -> float:
    """The highest threshold: of images smaller than a thumbnail there is less detail to agree."""
    return 1 - (1 - _HIGHEST) * min(1.0, side / template_matching.THUMBNAIL_PX) ** 2


def _copies(aligned: _Aligned, highest: float, tell: Progress) -> Index:
    """Places of the pairs that are copies.

    Every further look-alike raises a threshold or leaves it. So they are sought only of pictures
    with a copy by the candidates alone, and not of copies that no threshold parts.
    """
    candidates = len(aligned.keys)
    good = _passing(aligned, highest)
    doubtful = good[~aligned.passing(highest)[good]]
    if len(doubtful):
        i, j, _ = aligned.pairs
        asked = np.unique(np.append(i[doubtful], j[doubtful]))
        aligned.add(candidate_pairs.look_alikes(aligned.pictures, asked), tell)
    good = _passing(aligned, highest)
    return good[good < candidates]


def _passing(aligned: _Aligned, highest: float) -> Index:
    """Places of the pairs that pass the stricter threshold of their two pictures."""
    i, j, _ = aligned.pairs
    own = _thresholds(i, j, aligned.hn, len(aligned.pictures.flat), highest)
    return np.flatnonzero(aligned.passing(np.maximum(own[i], own[j])))


def _thresholds(i: Index, j: Index, detail: Floats, n: int, highest: float) -> Floats:
    """How well the fine detail of each picture and its copies must agree, (n,).

    A picture whose neighbours are copies of it or nothing like it has none that merely resemble
    it. Where there are such neighbours (digits, faces, stripes), a copy must be nearer than the
    third neighbour by more than half of what separates that one.

    Args:
        i: One picture of each pair that fits.
        j: The other.
        detail: How well the fine detail of the pair agrees.
        n: Number of pictures.
        highest: What is asked at most.
    """
    one, other, detail = np.append(i, j), np.append(j, i), np.append(detail, detail)
    better = np.lexsort((-detail, other, one))  # a pair may fit in either orientation
    one, other, detail = one[better], other[better], detail[better]
    again = np.zeros(len(one), bool)
    again[1:] = (one[1:] == one[:-1]) & (other[1:] == other[:-1])
    one, detail = one[~again], detail[~again]
    ranked = np.lexsort((-detail, one))
    one, detail = one[ranked], detail[ranked]
    third, similar = np.zeros(n), np.zeros(n, bool)
    at_third = np.arange(len(one)) - np.searchsorted(one, one) == 2
    third[one[at_third]] = detail[at_third]
    similar[one[(detail > _SIMILAR[0]) & (detail < _SIMILAR[1])]] = True
    return np.where(similar, np.clip(1 - 0.4 * (1 - third), _LOWEST, highest), _LOWEST)


def _edges(aligned: _Aligned, good: Index, first: Index) -> dict[tuple[int, int], Edge]:
    """Edges between the images of these pairs, each in the better of its two orientations."""
    i, j, mirrored = aligned.pairs
    edges = {}
    for k in good[np.argsort(aligned.hn[good], kind="stable")]:
        a, b = sorted((int(first[i[k]]), int(first[j[k]])))
        scores = float(aligned.v[k]), float(aligned.hn[k])
        edges[a, b] = Edge(a, b, *scores, bool(mirrored[k]), False)
    return edges


def _repeats(keys: Sequence[str]) -> dict[tuple[int, int], Edge]:
    """Edges from the first image with a key to the others with it; "" is no key."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(key, image), image) for image, key in enumerate(keys) if key]
    return {(i, j): Edge(i, j, 1.0, 1.0, False, True) for i, j in pairs if i < j}


def _without_chains(edges: list[Edge], n: int, highest: float = _HIGHEST) -> list[Edge]:
    """Edges without the weaker ones of groups too large to be believed.

    MNIST would chain 69 ones into one group. What stays large with nearly equal detail is a burst.
    The limit is no share of the folder: other pictures beside a group say nothing about it.
    """
    for floor in (highest, max(highest, 0.97)):
        component = _components(edges, n)
        large = np.bincount(component, minlength=1) > _BELIEVED
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
