"""Weighted vote of the nearest training images.

References:
    Z. Wu, Y. Xiong, S. X. Yu and D. Lin, "Unsupervised feature learning via non-parametric
    instance discrimination", CVPR 2018. doi:10.1109/CVPR.2018.00393
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

_NEIGHBOURS, _TEMPERATURE = 20, 0.07


def neighbour_votes(
    cosines: Float[Array, "q t"], classes: Int[Array, " t"], count: int
) -> Float[Array, "q c"]:
    """Votes of the 20 nearest training images, exp(cosine / 0.07) each.

    The votes for a class are divided by its number of training images.

    Args:
        cosines: Of the queries with the training images.
        classes: Class of each training image.
        count: Number of classes.
    """
    k = max(1, min(_NEIGHBOURS, len(classes) // 2))
    nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    votes = np.exp(np.take_along_axis(cosines, nearest, 1) / _TEMPERATURE)
    # one bincount over (query, class) cells adds all votes
    cell = np.arange(len(cosines))[:, None] * count + classes[nearest]
    total = np.bincount(cell.ravel(), votes.ravel(), len(cosines) * count).reshape(-1, count)
    return total / np.maximum(np.bincount(classes, minlength=count), 1)
