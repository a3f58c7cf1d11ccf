"""Average precision of a ranking, and what it is without each group of images in turn."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

_BLOCK = 1 << 21  # cells of a table in memory


def average_precision(scores: Float[Array, " n"], positive: Bool[Array, " n"]) -> float:
    """Mean over the positives of the share of positives among images that score as much or more.

    Equal scores are one threshold. In a stable order they would be ranked by their position, so
    that the order of the files would leak the labels.

    Args:
        scores: The larger, the more likely positive.
        positive: Which images are; at least one.
    """
    own = scores[positive]
    return float((_at_least(own, own) / _at_least(own, scores)).mean())


def without_each(
    scores: Float[Array, " n"], positive: Bool[Array, " n"], blocks: Int[Array, " n"]
) -> Float[Array, " g"]:
    """Average precision without the images of each block, from the same scores.

    Without a block that has all positives there is nothing to rank; it counts as if it stayed.

    Args:
        scores: The larger, the more likely positive.
        positive: Which images are; at least one.
        blocks: Block of each image, 0 … G-1.
    """
    order = np.flatnonzero(positive)
    order = order[np.argsort(-scores[order], kind="stable")]
    thresholds, owner = scores[order], blocks[order]
    images, positives = _at_least(thresholds, scores), _at_least(thresholds, thresholds)
    # the first of the descending thresholds that an image reaches
    first = np.searchsorted(-thresholds, -scores)
    count, result = int(blocks.max()) + 1, []
    batch = max(1, _BLOCK // len(order))
    for start in range(0, count, batch):
        of_batch = (blocks >= start) & (blocks < start + batch)
        rows, shape = blocks[of_batch] - start, (min(batch, count - start), len(order))
        removed = _reached(rows, first[of_batch], shape)
        marked = positive[of_batch]
        removed_positives = _reached(rows[marked], first[of_batch][marked], shape)
        stays = owner != np.arange(start, start + shape[0])[:, None]
        # a threshold that is removed itself may have no image left above it
        shares = (positives - removed_positives) / np.maximum(images - removed, 1)
        remaining = stays.sum(1)
        total = np.einsum("gp,gp->g", shares, stays)
        result.append(np.where(remaining > 0, total / np.maximum(remaining, 1), np.nan))
    precisions = np.concatenate(result)
    complete = float((positives / images).mean())
    return np.where(np.isnan(precisions), complete, precisions)


def _at_least(thresholds: Float[Array, " p"], scores: Float[Array, " n"]) -> Int[Array, " p"]:
    """Number of scores that reach each threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds)


def _reached(
    rows: Int[Array, " m"], first: Int[Array, " m"], shape: tuple[int, int]
) -> Int[Array, "b p"]:
    """Number of images of each row that reach each threshold, from the first one they reach."""
    within = first < shape[1]
    cell = rows[within] * shape[1] + first[within]
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).cumsum(1)
