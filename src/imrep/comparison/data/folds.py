"""Which images are tested together: groups that never part, folds made of whole groups.

Near-copies, and images that the user says belong together, form groups. Accuracy is measured
across groups, so that no picture is recognised by its own copy.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imrep.errors import BadData

_MOST_FOLDS = 5
_FEW_GROUPS = 5  # below this a class is too poor to lose groups to doubtful copies
_SURE_COPY = 0.97
_REDRAWS = 20


@dataclass(frozen=True)
class Merged:
    """Groups that must share a fold.

    Attributes:
        groups: Group of each image, numbered 0 … G-1.
        relaxed: Classes in which only nearly certain copies are joined (across the user's groups,
            where there are any), since all copies would have left fewer than five groups of five
            or more, or one group of several.
    """

    groups: Int[Array, " n"]
    relaxed: tuple[int, ...]


@dataclass(frozen=True)
class Folds:
    """A partition of the images in which a group never spans two parts.

    Attributes:
        assignment: Fold in which each image is tested, 0 … k-1.
        k: Number of folds.
        together: Classes that lie wholly in one fold after every redraw; where they are tested,
            the probe has never seen them.
    """

    assignment: Int[Array, " n"]
    k: int
    together: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[Int[Array, " train"], Int[Array, " test"]]]:
        """Indices of training and test images, fold by fold."""
        for fold in range(self.k):
            here = self.assignment == fold
            yield np.flatnonzero(~here), np.flatnonzero(here)

    @property
    def largest_train(self) -> int:
        """Images in the largest training part; it decides between Gram matrix and coordinates."""
        return len(self.assignment) - int(np.bincount(self.assignment, minlength=self.k).min())


def merge(
    labels: Int[Array, " n"],
    pairs: Int[Array, "e 2"],
    alike: Float[Array, " e"],
    given: Int[Array, " n"] | None = None,
) -> Merged:
    """Connected components of near-copies and of the user's groups.

    Args:
        labels: Class of each image, negative where it has none.
        pairs: Images that are near-copies of one another.
        alike: Agreement of the fine detail of each pair, the `hn` of the duplicate search; 1 for
            equal files.
        given: The user's groups; images in no group have a number of their own.
    """
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    given = np.arange(len(labels)) if given is None else given
    first = np.unique(given, return_index=True)[1][np.unique(given, return_inverse=True)[1]]
    chained = np.stack([np.arange(len(labels)), first], 1)
    groups = _components(len(labels), np.concatenate([chained, pairs]))
    before, after = _groups_per_class(labels, given), _groups_per_class(labels, groups)
    poor = (after < _FEW_GROUPS) & (before >= _FEW_GROUPS)
    scarce = np.flatnonzero(poor | ((after == 1) & (before > 1)))
    doubtful = np.isin(labels[pairs], scarce).any(1) & (np.asarray(alike) < _SURE_COPY)
    doubtful &= given[pairs[:, 0]] != given[pairs[:, 1]]
    if doubtful.any():
        groups = _components(len(labels), np.concatenate([chained, pairs[~doubtful]]))
    relaxed = np.intersect1d(scarce, labels[pairs[doubtful]])
    return Merged(groups, tuple(relaxed.tolist()))


def scored(
    labels: Int[Array, " n"], groups: Int[Array, " n"]
) -> tuple[Bool[Array, " n"], tuple[int, ...]]:
    """Images that can be tested, and the classes left out because they have a single group.

    Args:
        labels: Class of each image, negative where it has none.
        groups: Group of each image.
    """
    alone = np.flatnonzero(_groups_per_class(labels, groups) == 1)
    return (labels >= 0) & ~np.isin(labels, alone), tuple(alone.tolist())


def split(labels: Int[Array, " n"], groups: Int[Array, " n"], seed: int = 0) -> Folds:
    """Up to five folds, each with its share of every class, made of whole groups.

    A class of two to four groups is tested in two to four of the folds: to take their number from
    the rarest class would cost all the others training images. A draw that puts a whole class
    into one fold is repeated, twenty times at most.

    Args:
        labels: Class of each image, at least two groups in each.
        groups: Group of each image.
        seed: Another seed is another partition.

    Raises:
        BadData: if a class has fewer than two groups.
    """
    counts = _groups_per_class(labels, groups)
    if labels.min() < 0 or counts[counts > 0].min() < 2:
        raise BadData("folds need two groups in every class, got a class with fewer. See scored().")
    k = min(_MOST_FOLDS, int(counts.max()))
    for draw in range(_REDRAWS + 1):
        assignment = _draw(labels, groups, k, seed + 1000 * draw)
        in_folds = _groups_per_class(labels, assignment)
        together = np.flatnonzero(in_folds == 1)
        if not len(together):
            break
    return Folds(assignment, k, tuple(together.tolist()))


def stratified(
    labels: Int[Array, " n"], size: int, seed: int = 0, at_least: int = 0
) -> Int[Array, " m"]:
    """Indices, in order, of about `size` images drawn with every class in proportion.

    Args:
        labels: Class of each image.
        size: Images wanted; all of them if there are no more.
        seed: Seed of the draw.
        at_least: Images to keep of each class that has them, even beyond `size`.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    classes, counts = np.unique(labels, return_counts=True)
    share = size * counts / len(labels)
    quota = np.floor(share).astype(int)
    quota[np.argsort(quota - share, kind="stable")[: size - quota.sum()]] += 1
    quota = np.maximum(quota, np.minimum(at_least, counts))
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(np.flatnonzero(labels == c), q, replace=False)
        for c, q in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _components(n: int, pairs: Int[Array, "e 2"]) -> Int[Array, " n"]:
    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(edges, directed=False)[1].astype(np.int64)


def _groups_per_class(labels: Int[Array, " n"], groups: Int[Array, " n"]) -> Int[Array, " c"]:
    seen = np.unique(np.stack([labels, groups], 1)[labels >= 0], axis=0)
    return np.bincount(seen[:, 0])


def _draw(
    labels: Int[Array, " n"], groups: Int[Array, " n"], k: int, seed: int
) -> Int[Array, " n"]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    single = len(np.unique(groups)) == len(groups)
    kind, whole = (StratifiedKFold, None) if single else (StratifiedGroupKFold, groups)
    assignment = np.empty(len(labels), np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # k is meant to exceed it
        splits = kind(k, shuffle=True, random_state=seed).split(labels, labels, whole)
        for fold, (_, test) in enumerate(splits):
            assignment[test] = fold
    return assignment
