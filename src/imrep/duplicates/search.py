"""Near-duplicates: the same image shifted, cropped, mirrored, darkened or recompressed.

A duplicate in the training part of a fold reveals the class of its original in the test part, so
duplicates share a fold. The cosine of thumbnails misses most of them: candidate pairs come from
three descriptors, each insensitive to other changes, and are then aligned by template matching. The
threshold on fine detail depends on the neighbourhood of each image, since digits resemble each
other more than photographs do and one data set may hold both.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imrep.duplicates import candidate_pairs
from imrep.duplicates.aligned_pairs import AlignedPairs, Progress
from imrep.duplicates.template_matching import THUMBNAIL_PX, Floats, Index
from imrep.errors import BadParameter
from imrep.io.digests import digest

SEARCH = "4"  # raised when the edges, or what they state, change: it is part of the cache's key
_MIN_THRESHOLD, _MAX_THRESHOLD = 0.80, 0.95  # on the correlation of fine detail
_SIMILAR = (0.65, 0.80)  # correlation of images that resemble each other and are no duplicates
_MAX_GROUP = 10  # images; larger groups need nearly equal detail


@dataclass(frozen=True)
class Edge:
    """Two near-duplicate images.

    Attributes:
        i: The first image.
        j: The second image, i < j.
        v: Correlation of the better alignment, at most 1.
        hn: The same of its fine detail.
        mirrored: Whether one is the mirror image of the other.
        identical: Whether their bytes or pixels are equal.
        same_file: Whether their bytes are.
        shift: From the content of i to that of j, or of j mirrored, right and down, as shares of
            the side; multiples of 1/32.
        zoom: Size of the content in j relative to i: 1, or 0.875 or 1.14 where one is cropped.
        brightness: Mean luminance of j relative to i.
    """

    i: int
    j: int
    v: float
    hn: float
    mirrored: bool
    identical: bool
    same_file: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    brightness: float = 1.0


@dataclass(frozen=True)
class Duplicates:
    """The near-duplicates among N images.

    Attributes:
        edges: The pairs.
        component: Group of each image (N,), numbered from 0 in order of their first image, single
            images included.
        flat: Images too uniform to compare (N,).
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
        """Size of the largest group; 1 without duplicates, 0 without images."""
        return max(Counter(self.component.tolist()).values(), default=0)

    @property
    def images(self) -> int:
        """Number of images with a duplicate."""
        return sum(map(len, self.groups()))

    def across(self, labels: Sequence[object]) -> tuple[Edge, ...]:
        """Edges between images with different labels: one image in two classes."""
        return tuple(edge for edge in self.edges if labels[edge.i] != labels[edge.j])


def find(
    images: NDArray[np.uint8],
    digests: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """The near-duplicates among images.

    The result does not depend on the order of the images: each distinct image is compared once, in
    the order of the digests of the pixels. Nor does it depend on the presence of unrelated images:
    every threshold is that of an image and of those that resemble it.

    Args:
        images: (N, S, S, 3), uint8 sRGB.
        digests: Digest of each image's file; files with equal digests are duplicates.
        progress: Called with the finished share, in [0, 1].

    Raises:
        BadParameter: The number of digests is not that of the images.
    """
    if digests is not None and len(digests) != len(images):
        raise BadParameter(
            f"duplicates needs one digest for each of {len(images)} images, got {len(digests)}."
        )
    report = progress or (lambda share: None)
    pixels = [digest(np.ascontiguousarray(image).data) for image in images]
    _, first, number = np.unique(np.array(pixels, str), return_index=True, return_inverse=True)
    thumbnails = candidate_pairs.prepare(images[k] for k in first)
    aligned = AlignedPairs(thumbnails)
    aligned.add(candidate_pairs.candidates(thumbnails), lambda share: report(0.2 + 0.6 * share))
    ceiling = _ceiling(images.shape[1])
    selected = _duplicate_pairs(aligned, ceiling, lambda share: report(0.8 + 0.2 * share))
    # identical images override the alignment
    edges = _edges(aligned, selected, first) | _repeats(pixels)
    edges |= _repeats(digests or (), same_file=True)
    edge_list = _without_chains([edges[pair] for pair in sorted(edges)], len(images), ceiling)
    report(1.0)
    return Duplicates(
        tuple(edge_list), _components(edge_list, len(images)), thumbnails.flat[number]
    )


def _ceiling(side: int) -> float:
    """Largest threshold; higher for images below thumbnail size, which have less detail."""
    return 1 - (1 - _MAX_THRESHOLD) * min(1.0, side / THUMBNAIL_PX) ** 2


def _duplicate_pairs(aligned: AlignedPairs, ceiling: float, progress: Progress) -> Index:
    """Indices of the pairs that are duplicates.

    A further similar image can only raise a threshold. So similar images are searched only for
    images with a duplicate among the candidates, and not for pairs that pass every threshold.
    """
    candidates = len(aligned.keys)
    passing = _passing(aligned, ceiling)
    doubtful = passing[~aligned.passing(ceiling)[passing]]
    if len(doubtful):
        i, j, _ = aligned.pairs
        rows = np.unique(np.append(i[doubtful], j[doubtful]))
        aligned.add(candidate_pairs.similar_pairs(aligned.thumbnails, rows), progress)
    passing = _passing(aligned, ceiling)
    return passing[passing < candidates]


def _passing(aligned: AlignedPairs, ceiling: float) -> Index:
    """Indices of the pairs that pass the stricter threshold of their two images."""
    i, j, _ = aligned.pairs
    own = _thresholds(i, j, aligned.hn, len(aligned.thumbnails.flat), ceiling)
    return np.flatnonzero(aligned.passing(np.maximum(own[i], own[j])))


def _thresholds(i: Index, j: Index, detail: Floats, n: int, ceiling: float) -> Floats:
    """Threshold on the fine detail of each image and its duplicates, (n,).

    An image with only duplicates or unrelated images around it has the lowest threshold. Where
    there are merely similar images (digits, faces, stripes), with detail t of the third neighbour
    it is 1 - 0.4 (1 - t): a duplicate must be clearly nearer than the third neighbour.

    Args:
        i: First image of each plausible pair.
        j: Second image.
        detail: Correlation of the fine detail of the pair.
        n: Number of images.
        ceiling: Largest threshold.
    """
    image, neighbour, detail = np.append(i, j), np.append(j, i), np.append(detail, detail)
    # a pair may occur in both orientations: only the better one counts
    better = np.lexsort((-detail, neighbour, image))
    image, neighbour, detail = image[better], neighbour[better], detail[better]
    repeated = np.zeros(len(image), bool)
    repeated[1:] = (image[1:] == image[:-1]) & (neighbour[1:] == neighbour[:-1])
    image, detail = image[~repeated], detail[~repeated]
    # sorted by image, then by falling detail: the third of each run is the third neighbour
    ranked = np.lexsort((-detail, image))
    image, detail = image[ranked], detail[ranked]
    third, similar = np.zeros(n), np.zeros(n, bool)
    at_third = np.arange(len(image)) - np.searchsorted(image, image) == 2
    third[image[at_third]] = detail[at_third]
    similar[image[(detail > _SIMILAR[0]) & (detail < _SIMILAR[1])]] = True
    adapted = np.clip(1 - 0.4 * (1 - third), _MIN_THRESHOLD, ceiling)
    return np.where(similar, adapted, _MIN_THRESHOLD)


def _edges(aligned: AlignedPairs, selected: Index, first: Index) -> dict[tuple[int, int], Edge]:
    """Edges between the images of these pairs, each in the better of its two orientations."""
    # in rising order of detail, so that the better orientation is written last
    selected = selected[np.argsort(aligned.hn[selected], kind="stable")]
    i, j, mirrored = (each[selected] for each in aligned.pairs)
    v, hn, _, right, down, zoom = aligned.scores[:, selected]
    brightness = aligned.thumbnails.brightness[j] / aligned.thumbnails.brightness[i]
    # told from the earlier image to the later; a mirror exchanges left and right once more
    reverse = np.where(first[i] > first[j], -1, 1)
    shift = np.stack([right * np.where(mirrored, 1, reverse), down * reverse], 1) / THUMBNAIL_PX
    ends = np.sort(np.stack([first[i], first[j]], 1), axis=1)
    columns = (v, hn, mirrored, shift, zoom**reverse, brightness**reverse)
    return {
        (a, b): Edge(a, b, v, hn, mirrored, False, False, (right, down), zoom, brightness)
        for (a, b), v, hn, mirrored, (right, down), zoom, brightness in zip(
            ends.tolist(), *(column.tolist() for column in columns), strict=True
        )
    }


def _repeats(keys: Sequence[str], same_file: bool = False) -> dict[tuple[int, int], Edge]:
    """Edges from the first image with a key to all later ones; "" is no key."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(key, image), image) for image, key in enumerate(keys) if key]
    return {(i, j): Edge(i, j, 1.0, 1.0, False, True, same_file) for i, j in pairs if i < j}


def _without_chains(edges: list[Edge], n: int, ceiling: float = _MAX_THRESHOLD) -> list[Edge]:
    """Edges without the weaker ones of groups of more than ten images.

    Similar images, such as handwritten ones, would chain into large groups. A large group with
    nearly equal detail is a burst and remains. The limit does not depend on the number of images.
    """
    for threshold in (ceiling, max(ceiling, 0.97)):
        component = _components(edges, n)
        large = np.bincount(component, minlength=1) > _MAX_GROUP
        edges = [edge for edge in edges if edge.hn >= threshold or not large[component[edge.i]]]
    return edges


def _components(edges: Sequence[Edge], n: int) -> NDArray[np.int64]:
    """Connected components of n images, numbered in the order of their first image."""
    i, j = (np.array([getattr(edge, end) for edge in edges], int) for end in "ij")
    graph = coo_array((np.ones(len(edges)), (i, j)), shape=(n, n))
    _, first, component = np.unique(
        connected_components(graph, directed=False)[1], return_index=True, return_inverse=True
    )
    return np.argsort(np.argsort(first))[component]  # rank of each component's first image
