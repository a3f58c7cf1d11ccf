"""Effective dimensions of vectors and the similarity of representations (CKA), without labels.

None of them ranks: their relation to accuracy depends on the data set.

References:
    P. Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement", bioRxiv
    2017. doi:10.1101/214262 (participation ratio)
    S. Kornblith, M. Norouzi, H. Lee and G. Hinton, "Similarity of neural network representations
    revisited", ICML 2019. arXiv:1905.00414 (linear CKA)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.comparison.diagnostics.leading_directions import leading_directions
from imrep.comparison.probes.gram import Gram

_LEADING = 10


class Shape(NamedTuple):
    """Distribution of vectors around their mean; zeros where they are constant.

    Attributes:
        dimensions: Participation ratio (Σe)² / Σe² of the covariance's eigenvalues e: the number
            of directions if all were equally used.
        share_1: Share of the variance in the first direction.
        share_10: Share of the variance in the first ten.
    """

    dimensions: float
    share_1: float
    share_10: float


def is_constant(gram: Gram) -> bool:
    """Whether all vectors are equal, up to round-off."""
    return bool(gram.products.trace() <= 1e-12 * gram.energy.sum())


def describe(gram: Gram) -> Shape:
    """Effective dimensions and the shares of the leading directions."""
    products = _centred(gram)
    total = float(np.trace(products))
    if total <= 1e-12 * gram.energy.sum():
        return Shape(0.0, 0.0, 0.0)
    # the Gram matrix and the covariance have the same nonzero eigenvalues
    scaled = (products / total).astype(np.float32)
    leading, _ = leading_directions(scaled, _LEADING)
    return Shape(
        float(total**2 / np.vdot(products, products)),
        float(leading[-1].clip(0, 1)),
        float(leading.clip(0).sum().clip(0, 1)),
    )


def cka(grams: Sequence[Gram]) -> Float[Array, "r r"]:
    """Linear centred kernel alignment of every two representations of the same images.

    1 where vectors differ by a rotation and a scale only, 0 where they share no linear structure or
    one is constant.
    """
    # CKA is the cosine of the centred Gram matrices as vectors; infinity makes a constant zero
    flat = []
    for gram in grams:
        products = _centred(gram).ravel()
        norm = float(np.linalg.norm(products))
        flat.append((products / (np.inf if is_constant(gram) else norm)).astype(np.float32))
    similarity = np.zeros((len(flat), len(flat)))
    for a, first in enumerate(flat):
        for b, second in enumerate(flat[: a + 1]):
            similarity[a, b] = similarity[b, a] = float(np.clip(np.dot(first, second), 0, 1))
    return similarity


def _centred(gram: Gram) -> Float[Array, "n n"]:
    """Inner products around the mean of these images, which may be a subset of a data set."""
    row = gram.products.mean(0)
    return gram.products - (row[:, None] + (row - row.mean()))
