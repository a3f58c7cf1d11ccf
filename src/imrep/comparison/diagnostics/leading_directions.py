"""The largest eigenvalues of a symmetric matrix."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.linalg import LinAlgError, eigh


def leading_directions(
    matrix: Float[Array, "n n"], count: int
) -> tuple[Float[Array, " k"], Float[Array, "n k"]]:
    """The `count` largest eigenvalues, ascending, and their eigenvectors; all if there are fewer.

    Only these are computed, unless that method fails, as it may where many eigenvalues are equal.
    """
    n = len(matrix)
    try:
        return eigh(matrix, subset_by_index=(max(0, n - count), n - 1), check_finite=False)
    except LinAlgError:
        values, vectors = eigh(matrix.astype(np.float64), driver="evd", check_finite=False)
        return values[-count:], vectors[:, -count:]
