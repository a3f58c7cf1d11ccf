"""Pictures that show what a classifier finds hard, typical and confusable."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_HARD, _MAX_HARD = 2, 24  # a class, and in all
_MAX_GAP = 0.5  # of the two probabilities; beyond it a picture is not hard but easy or mislabelled
_TYPICAL, _MAX_TYPICAL = 3, 36
_CONFUSED = 3  # pictures of each of the two classes


class Remarkable(NamedTuple):
    """Images, as indices into the scored ones.

    Attributes:
        hardest: Labels that are hardly more or less probable than another class, the closest first.
        typical: The most probable labels, class by class.
        pair: The two classes that are most often mistaken, the true one first; None without errors.
        confused: Images of either class of the pair that look most like the other.
    """

    hardest: list[int]
    typical: list[int]
    pair: tuple[int, int] | None
    confused: tuple[list[int], list[int]]


def select(
    table: np.ndarray,
    labels: np.ndarray,
    order: np.ndarray,
    copies: np.ndarray,
    eligible: np.ndarray,
) -> Remarkable:
    """The images to display.

    Args:
        table: Out-of-fold probability of each class, (n, C).
        labels: Class of each image.
        order: All images in the order that breaks ties.
        copies: Group of near-duplicates of each image; none is displayed twice.
        eligible: Images that may be displayed as hard or typical: their labels are not in doubt.
    """
    every, count = np.arange(len(labels)), table.shape[1]
    own, others = table[every, labels], table.copy()
    others[every, labels] = -1
    ordered = order[eligible[order]]

    def first(rank: np.ndarray) -> list[int]:
        return ordered[np.argsort(rank[ordered], kind="stable")].tolist()

    gap = np.abs(own - others.max(1))
    close = [image for image in first(gap) if gap[image] <= _MAX_GAP]
    hardest = _few(close, labels, copies, _HARD, _MAX_HARD)
    each = min(_TYPICAL, max(1, _MAX_TYPICAL // count))  # so that every class has a picture
    typical = _few(first(-own), labels, copies, each, _MAX_TYPICAL)
    typical.sort(key=lambda image: labels[image])
    pair = _most_confused(labels, table.argmax(1), count)
    return Remarkable(hardest, typical, pair, _alike(table, labels, order, pair))


def _few(
    images: Iterable[int], labels: np.ndarray, copies: np.ndarray, each: int, limit: int
) -> list[int]:
    """The first so many of each class, of a group of near-duplicates one."""
    taken: list[int] = []
    classes, groups = Counter[int](), set[int]()
    for image in images:
        label, group = int(labels[image]), int(copies[image])
        if classes[label] < each and group not in groups and len(taken) < limit:
            taken.append(image)
            classes[label] += 1
            groups.add(group)
    return taken


def _most_confused(labels: np.ndarray, predicted: np.ndarray, count: int) -> tuple[int, int] | None:
    """The largest cell off the diagonal of the confusion matrix."""
    cells = np.bincount(labels * count + predicted, minlength=count**2).reshape(count, count)
    np.fill_diagonal(cells, 0)
    if not cells.any():
        return None
    true, named = np.unravel_index(cells.argmax(), cells.shape)
    return int(true), int(named)


def _alike(
    table: np.ndarray, labels: np.ndarray, order: np.ndarray, pair: tuple[int, int] | None
) -> tuple[list[int], list[int]]:
    """Of each class of the pair the images with the highest probability of the other."""
    if pair is None:
        return [], []
    alike = []
    for own, other in (pair, pair[::-1]):
        members = order[labels[order] == own]
        ranked = members[np.argsort(-table[members, other], kind="stable")]
        alike.append(ranked[:_CONFUSED].tolist())
    return alike[0], alike[1]
