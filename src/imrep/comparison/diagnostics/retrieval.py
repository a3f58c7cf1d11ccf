"""Retrieval of images of the same object: mean average precision, without classes.

For every image of a group all others are ranked by cosine; average precision is the mean, over the
other members of its group, of the share of members among the images ranked up to there.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imrep import datasets
from imrep.comparison.settings import Groups
from imrep.datasets import Item
from imrep.errors import BadData

_QUERY_BATCH = 512  # queries ranked together: memory stays linear in the images


class Objects(NamedTuple):
    """Which images show the same object.

    Attributes:
        groups: Object of each image; -1 for images in no group or alone in theirs.
        names: Names of the objects.
    """

    groups: np.ndarray
    names: tuple[str, ...]

    @property
    def queries(self) -> np.ndarray:
        """Object of each image that has another image of its object."""
        return self.groups[self.groups >= 0]


def find_objects(items: Sequence[Item], groups: Groups, left_out: Sequence[int] = ()) -> Objects:
    """The objects with two images or more.

    Args:
        items: The images.
        groups: A csv with path,group; or the group of each path.
        left_out: Rows of images that are neither queries nor matches.

    Raises:
        BadData: No two images are of one group.
    """
    if isinstance(groups, Path):
        by_path, source = datasets.groups(items, groups, "--same-object")[0], groups.name
    else:
        by_path, source = dict(groups), "same_object"
    item_groups = [
        None if row in left_out else by_path.get(item.path) for row, item in enumerate(items)
    ]
    count = Counter(name for name in item_groups if name is not None)
    names = tuple(sorted(name for name, members in count.items() if members > 1))
    if not names:
        raise BadData(
            f"{source} needs two images of one group among these, got none. Check its paths."
        )
    number = {name: i for i, name in enumerate(names)}
    groups_of = [-1 if name is None else number.get(name, -1) for name in item_groups]
    return Objects(np.array(groups_of), names)


def average_precision(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Average precision of each image in a group, in [0, 1], all other images ranked by cosine."""
    unit = vectors - vectors.mean(0, dtype=np.float64).astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    queries = np.flatnonzero(groups >= 0)
    scores = []
    for start in range(0, len(queries), _QUERY_BATCH):
        batch = queries[start : start + _QUERY_BATCH]
        cosines = unit[batch] @ unit.T
        cosines[np.arange(len(batch)), batch] = -np.inf  # the query itself ranks last: left out
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :-1]
        hits = groups[order] == groups[batch][:, None]
        precision = hits.cumsum(1) / np.arange(1, order.shape[1] + 1)
        scores.append((precision * hits).sum(1) / hits.sum(1))
    return np.concatenate(scores)


def chance(groups: np.ndarray) -> float:
    """Expected mean average precision of a random order, over the queries.

    With n others, of which m are members, it is ((m - 1) / (n - 1) · (n - H) + H) / n, where H is
    the harmonic number 1 + 1/2 + … + 1/n.
    """
    others = len(groups) - 1
    size = np.bincount(groups[groups >= 0])[groups[groups >= 0]] - 1
    harmonic = float((1 / np.arange(1, others + 1)).sum())
    expected = (size - 1) / max(others - 1, 1) * (others - harmonic) + harmonic
    return float((expected / others).mean())
