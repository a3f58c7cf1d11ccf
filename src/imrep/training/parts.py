"""The parts of the data: what is trained on, and what is held out, in complete groups."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData

Rows = NDArray[np.int64]


def split(
    rows: Rows, labels: NDArray[np.int64], groups: NDArray[np.int64], share: float, seed: int
) -> tuple[Rows, Rows]:
    """Rows to train on and rows to hold out, each class in proportion, no group in both.

    Args:
        rows: The rows to divide, ascending.
        labels: Class of each image of the data; -1 for none.
        groups: Group of each image of the data.
        share: Of the rows to hold out, in (0, 1); at least one group is.
        seed: Another seed is another division.

    Returns:
        Both parts, ascending.

    Raises:
        BadData: There are fewer than two groups.
    """
    members: dict[int, list[int]] = {}
    for row in rows.tolist():
        members.setdefault(int(groups[row]), []).append(row)
    if len(members) < 2:
        raise BadData(
            f"train needs two images that are no near-duplicates, to hold one out, got "
            f"{len(rows)} in one group. Add images."
        )
    order = [*members]
    np.random.default_rng(seed).shuffle(order)
    quota = {label: share * n for label, n in Counter(labels[rows].tolist()).items()}
    selected = [group for group in order if _fits(members[group], labels, quota)]
    selected = selected[: len(members) - 1] or [min(order, key=lambda group: len(members[group]))]
    is_held_out = np.isin(groups[rows], selected)
    return rows[~is_held_out], rows[is_held_out]


def _fits(group: list[int], labels: NDArray[np.int64], quota: dict[int, float]) -> bool:
    """Whether at least half of a group fits into what its class has left, which then shrinks."""
    label = Counter(labels[group].tolist()).most_common(1)[0][0]
    if quota[label] < len(group) / 2:
        return False
    quota[label] -= len(group)
    return True
