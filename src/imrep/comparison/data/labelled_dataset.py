"""What is known of a folder before any representation looks at it: classes, groups, folds."""

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from imrep.comparison.data import duplicates, folds
from imrep.comparison.data.duplicates import Copies, Edge
from imrep.datasets import Dataset
from imrep.embedding import cache
from imrep.embedding.decoded_images import Decoded, Progress
from imrep.results import PROTOCOL

FEW = 1500  # images that CKA, the label-free numbers and the decoder look at


@dataclass(frozen=True, eq=False)  # the same object or another: it is a key of caches
class Folder:
    """Images with their classes and the groups that never part.

    Args:
        decoded: The images at the comparison's size.
        copies: Which of them are near-copies.
        labels: Class of each image, an index into `names`; -1 without one.
        names: Names of the classes, sorted.
        groups: Group of each image.
        relaxed: Classes in which only sure copies were joined across the user's groups.
        left_out: Classes that cannot be tested, since all their images are one group.
        folds: Of the scored images; None where nothing can be scored.
        seed: Of the folds.
    """

    decoded: Decoded
    copies: Copies
    labels: np.ndarray
    names: tuple[str, ...]
    groups: np.ndarray
    relaxed: tuple[int, ...]
    left_out: tuple[int, ...]
    folds: folds.Folds | None
    seed: int

    @cached_property
    def scored(self) -> np.ndarray:
        """Rows of the images that take part in the scores, ascending."""
        if self.folds is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero((self.labels >= 0) & ~np.isin(self.labels, self.left_out))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the scored classes; their order numbers `truth`."""
        present = np.unique(self.labels[self.scored])
        return tuple(self.names[label] for label in present)

    @cached_property
    def truth(self) -> np.ndarray:
        """Class of each scored image, 0 … C - 1."""
        return np.unique(self.labels[self.scored], return_inverse=True)[1]

    @cached_property
    def scored_groups(self) -> np.ndarray:
        """Group of each scored image."""
        return self.groups[self.scored]

    @cached_property
    def few(self) -> np.ndarray:
        """Rows of at most 1,500 images, classes in proportion, for what needs no labels."""
        return folds.stratified(self.labels, FEW, self.seed)

    @property
    def labelled(self) -> int:
        """Images with a label."""
        return int((self.labels >= 0).sum())


def survey(data: Dataset, decoded: Decoded, seed: int, progress: Progress) -> Folder:
    """Find near-copies, merge them with the groups given, and draw the folds."""
    copies = _copies(decoded, progress)
    items = decoded.items
    known = [item.label for item in items] if data.labelled else [None] * len(items)
    names = tuple(sorted({label for label in known if label is not None}))
    labels = np.array([-1 if label is None else names.index(label) for label in known], np.int64)
    edges = () if data.builtin else copies.edges  # its tiles look alike but never overlap
    merged = folds.merge(
        labels,
        np.array([(edge.i, edge.j) for edge in edges], np.int64).reshape(-1, 2),
        np.array([edge.hn for edge in edges]),
        _given([item.group for item in items]),
    )
    testable, left_out = folds.scored(labels, merged.groups)
    drawn = None
    if len(np.unique(labels[testable])) >= 2:
        drawn = folds.split(labels[testable], merged.groups[testable], seed)
    return Folder(
        decoded=decoded,
        copies=copies,
        labels=labels,
        names=names,
        groups=merged.groups,
        relaxed=merged.relaxed,
        left_out=left_out,
        folds=drawn,
        seed=seed,
    )


def sizes(folder: Folder) -> dict[str, int]:
    """Images of every class, left-out ones too."""
    return dict(Counter(folder.names[label] for label in folder.labels if label >= 0))


def _given(groups: list[str | None]) -> np.ndarray | None:
    """The user's groups as numbers; images in none have a number of their own."""
    if all(group is None for group in groups):
        return None
    number = {group: i for i, group in enumerate(dict.fromkeys(g for g in groups if g is not None))}
    alone = len(number)
    return np.array(
        [alone + i if group is None else number[group] for i, group in enumerate(groups)], np.int64
    )


def _copies(decoded: Decoded, progress: Progress) -> Copies:
    """The near-copies, from the cache where they are there."""
    path = cache.folder("copies", cache.key(decoded.key, PROTOCOL)) / "copies.json"
    stored = cache.read_json(path)
    if stored is None:
        found = duplicates.find(
            decoded.squares,
            decoded.digests,
            lambda share: progress("looking for near-copies", round(100 * share), 100),
        )
        stored = {
            "edges": [asdict(edge) for edge in found.edges],
            "component": found.component.tolist(),
            "flat": found.flat.tolist(),
        }
        cache.write_json(path, stored)
    return Copies(
        edges=tuple(Edge(**edge) for edge in stored["edges"]),
        component=np.array(stored["component"], np.int64),
        flat=np.array(stored["flat"], bool),
    )
