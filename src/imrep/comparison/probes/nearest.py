"""Weighted vote of the nearest training images.

References:
    Z. Wu, Y. Xiong, S. X. Yu and D. Lin, "Unsupervised feature learning via non-parametric
    instance discrimination", CVPR 2018. doi:10.1109/CVPR.2018.00393
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

_NEIGHBOURS, _TEMPERATURE = 20, 0.07
_DECIMALS = 5  # of cosines: equal vectors differ by round-off, which hangs on the order of files


def neighbour_votes(
    cosines: Float[Array, "q t"], classes: Int[Array, " t"], count: int
) -> Float[Array, "q c"]:
    """Votes of the 20 nearest training images, exp(cosine / 0.07) each.

    Images as near as the last of the 20 share what is left of the 20 votes. The votes for a class
    are divided by its number of training images.

    Args:
        cosines: Of the queries with the training images.
        classes: Class of each training image.
        count: Number of classes.
    """
    k = max(1, min(_NEIGHBOURS, len(classes) // 2))
    cosines = cosines.astype(np.float64).round(_DECIMALS)
    last = -np.partition(-cosines, k - 1, axis=1)[:, k - 1 : k]
    nearer, level = cosines > last, cosines == last
    share = (k - nearer.sum(1)) / level.sum(1)
    query, image = np.nonzero(nearer | level)
    votes = np.exp(cosines[query, image] / _TEMPERATURE)
    votes *= np.where(level[query, image], share[query], 1)
    # one bincount over (query, class) cells adds all votes
    cell = query * count + classes[image]
    total = np.bincount(cell, votes, len(cosines) * count).reshape(-1, count)
    return total / np.maximum(np.bincount(classes, minlength=count), 1)
