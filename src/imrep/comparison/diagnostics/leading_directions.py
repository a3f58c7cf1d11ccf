"""The largest eigenvalues of a symmetric matrix.

References:
    R. Lehoucq, D. Sorensen and C. Yang, "ARPACK Users' Guide", SIAM 1998.
    doi:10.1137/1.9780898719628 (the restarted Lanczos method of large matrices)
"""

from contextlib import suppress

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.linalg import LinAlgError, eigh
from scipy.sparse.linalg import ArpackError, eigsh

_MAX_DENSE = 800  # rows; of more, only products with the matrix are computed


def leading_directions(
    matrix: Float[Array, "n n"], count: int
) -> tuple[Float[Array, " k"], Float[Array, "n k"]]:
    """The `count` largest eigenvalues, ascending, and their eigenvectors; all if there are fewer.

    Only these are computed, unless that method fails, as it may where many eigenvalues are equal.
    """
    n = len(matrix)
    if n > max(_MAX_DENSE, 4 * count):
        with suppress(ArpackError):  # many equal eigenvalues
            return _iterated(matrix, count)
    try:
        return eigh(matrix, subset_by_index=(max(0, n - count), n - 1), check_finite=False)
    except LinAlgError:
        values, vectors = eigh(matrix.astype(np.float64), driver="evd", check_finite=False)
        return values[-count:], vectors[:, -count:]


def _iterated(
    matrix: Float[Array, "n n"], count: int
) -> tuple[Float[Array, " k"], Float[Array, "n k"]]:
    start = np.random.default_rng(0).standard_normal(len(matrix)).astype(matrix.dtype)
    values, vectors = eigsh(matrix, count, which="LA", v0=start)
    order = np.argsort(values)
    return values[order], vectors[:, order]
