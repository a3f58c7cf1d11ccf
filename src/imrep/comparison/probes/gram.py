"""Inner products of vectors, from which the diagnostics are computed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from numpy import ndarray as Array

from imrep.estimators.kernels import check_finite

_BLOCK = 1 << 23  # numbers held in float64 at a time


@dataclass(frozen=True)
class Gram:
    """Inner products of centred vectors.

    Attributes:
        products: Of every two images, after the mean of all vectors was removed.
        energy: Squared length of each vector before that.
    """

    products: Float64[Array, "n n"]
    energy: Float64[Array, " n"]

    def take(self, images: Int[Array, " m"]) -> "Gram":
        """The same for a subset of the images."""
        return Gram(self.products[np.ix_(images, images)], self.energy[images])


def gram(vectors: Float[Array, "n d"], spec: str) -> Gram:
    """Inner products of the vectors without their mean, summed in double precision.

    Args:
        vectors: One row an image.
        spec: Representation named in errors.

    Raises:
        BadData: A vector holds NaN or infinity.
    """
    n = len(vectors)
    products, energy = np.zeros((n, n)), np.zeros(n)
    columns = max(1, _BLOCK // max(n, 1))
    for start in range(0, vectors.shape[1], columns):
        part = np.asarray(vectors[:, start : start + columns], np.float64)
        check_finite(part, spec, 0)
        energy += np.einsum("nd,nd->n", part, part)
        part -= part.mean(0)
        products += part @ part.T  # in blocks of columns: only a block is in float64
    return Gram(products, energy)
