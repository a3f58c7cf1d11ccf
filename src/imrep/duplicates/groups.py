"""Groups of images that belong together: near-duplicates, and what the user declares.

A fold, or a held-out part, consists of complete groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_MIN_GROUPS = 5  # of a class that may lose groups to doubtful duplicates
_CERTAIN = 0.97  # agreement of fine detail of a nearly certain duplicate


@dataclass(frozen=True)
class Merged:
    """Groups that must share a fold.

    Attributes:
        groups: Group of each image, numbered 0 … G-1.
        relaxed: Classes in which only nearly certain duplicates are joined (across the user's
            groups, where there are any): joining all would have left fewer than five groups of
            five or more.
    """

    groups: Int[Array, " n"]
    relaxed: tuple[int, ...]


def merge(
    labels: Int[Array, " n"],
    pairs: Int[Array, "e 2"],
    similarity: Float[Array, " e"],
    user_groups: Int[Array, " n"] | None = None,
) -> Merged:
    """Connected components of near-duplicates and of the user's groups.

    Args:
        labels: Class of each image, negative where it has none.
        pairs: Images that are near-duplicates of one another.
        similarity: Agreement of the fine detail of each pair, the `hn` of the duplicate search; 1
            for equal files.
        user_groups: The user's groups; an image in no group has a number of its own.
    """
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    own_groups = np.arange(len(labels)) if user_groups is None else user_groups
    # the first image of each user group: an edge to it joins the group
    _, first, number = np.unique(own_groups, return_index=True, return_inverse=True)
    chained = np.stack([np.arange(len(labels)), first[number]], 1)
    groups = _components(len(labels), np.concatenate([chained, pairs]))
    before, after = groups_per_class(labels, own_groups), groups_per_class(labels, groups)
    # classes that the duplicates would leave with too few groups to test
    scarce = np.flatnonzero((after < _MIN_GROUPS) & (before >= _MIN_GROUPS))
    # their pairs that are not nearly certain, and that the user has not grouped
    doubtful = np.isin(labels[pairs], scarce).any(1) & (np.asarray(similarity) < _CERTAIN)
    doubtful &= own_groups[pairs[:, 0]] != own_groups[pairs[:, 1]]
    if doubtful.any():
        groups = _components(len(labels), np.concatenate([chained, pairs[~doubtful]]))
    relaxed = np.intersect1d(scarce, labels[pairs[doubtful]])
    return Merged(groups, tuple(relaxed.tolist()))


def user_groups(groups: Sequence[str | None]) -> np.ndarray | None:
    """The user's groups as numbers; an image in no group has a number of its own."""
    if all(group is None for group in groups):
        return None
    number = {group: i for i, group in enumerate(dict.fromkeys(g for g in groups if g is not None))}
    singles = len(number)
    return np.array(
        [singles + i if group is None else number[group] for i, group in enumerate(groups)],
        np.int64,
    )


def groups_per_class(labels: Int[Array, " n"], groups: Int[Array, " n"]) -> Int[Array, " c"]:
    """Number of groups of each class; negative labels are of none."""
    pairs = np.unique(np.stack([labels, groups], 1)[labels >= 0], axis=0)
    return np.bincount(pairs[:, 0])


def _components(n: int, pairs: Int[Array, "e 2"]) -> Int[Array, " n"]:
    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(edges, directed=False)[1].astype(np.int64)
