"""Intervals of predicted numbers from the errors of predictions for left-out images.

References:
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman, "Distribution-free predictive
    inference for regression", JASA 113(523), 2018. doi:10.1080/01621459.2017.1307116
"""

import math

from jaxtyping import Float
from numpy import ndarray as Array

from imrep.errors import BadParameter


def half_width(
    errors: Float[Array, "n t"], coverage: float, caller: str = "Regressor"
) -> Float[Array, " t"]:
    """Half the width of the interval that has this coverage, of each target.

    The ⌈coverage · (n + 1)⌉-th smallest of n left-out errors, the largest where there are too few.

    Args:
        errors: Absolute errors, each column ascending.
        coverage: Share of new images whose number it should contain.
        caller: The name that an error message starts with.

    Raises:
        BadParameter: The coverage is out of its range.
    """
    if not 0 <= coverage <= 1:
        raise BadParameter(f"{caller} needs coverage from 0 to 1, got {coverage}. Try 0.9.")
    rank = max(1, min(len(errors), math.ceil(coverage * (len(errors) + 1))))
    return errors[rank - 1]
