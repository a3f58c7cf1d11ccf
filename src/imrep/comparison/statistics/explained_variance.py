"""The share of a number's variance that predictions explain, and what every image adds to it.

R² is a ratio of two means over the images. Its influence function stands where accuracy has hits,
so that the same intervals and tests hold; with the plain share of each image the spread of the
denominator would widen the interval of a ratio near 0 many times.

References:
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993, chapter
    21 (the influence function)
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array


def explained(errors: Float[Array, "r n"], guess: Float[Array, " n"]) -> Float[Array, " r"]:
    """R² of every candidate: 1 less its squared error over that of guessing.

    Args:
        errors: True less predicted number, a row a candidate.
        guess: True number less that of guessing, which has seen as little of the image; not all 0.
    """
    return 1 - np.square(errors).mean(-1) / np.square(guess).mean()


def influence(errors: Float[Array, "r n"], guess: Float[Array, " n"]) -> Float[Array, "r n"]:
    """A number for each image; their mean is R², and they vary as R² does with the sample.

    Args:
        errors: True less predicted number, a row a candidate.
        guess: True number less that of guessing; not all 0.
    """
    unexplained = np.square(errors) / np.square(guess).mean()
    share = explained(errors, guess)[..., None]
    return share + (1 - share) * np.square(guess) / np.square(guess).mean() - unexplained


def reductions(errors: Float[Array, "r n"], guess: Float[Array, " n"]) -> Float[Array, "r n"]:
    """What every image takes from R²; two equal candidates are swapped by the sign of the gap.

    Args:
        errors: True less predicted number, a row a candidate.
        guess: True number less that of guessing; not all 0.
    """
    return -np.square(errors) / np.square(guess).mean()
