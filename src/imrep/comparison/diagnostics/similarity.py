"""Numbers that describe codes without labels.

None of them ranks: how they relate to accuracy depends on the folder.

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
from scipy.linalg import eigvalsh

from imrep.comparison.probes.kernel_matrix import Gram

_LEADING = 10


class Shape(NamedTuple):
    """How the codes of a folder lie around their mean; zeros where they are all the same.

    Attributes:
        dimensions: Participation ratio (Σe)² / Σe² of the covariance's eigenvalues e: the number
            of directions if all were equally used.
        share_1: Share of the variance in the first direction.
        share_10: Share of the variance in the first ten.
    """

    dimensions: float
    share_1: float
    share_10: float


def describe(gram: Gram) -> Shape:
    """Effective dimensions and the shares of the leading directions."""
    products = _centred(gram)
    total = float(np.trace(products))
    if total <= 1e-12 * gram.energy.sum():
        return Shape(0.0, 0.0, 0.0)
    n = len(products)
    scaled = (products / total).astype(np.float32)
    leading = eigvalsh(scaled, subset_by_index=(max(0, n - _LEADING), n - 1), check_finite=False)
    return Shape(
        float(total**2 / np.vdot(products, products)),
        float(leading[-1].clip(0, 1)),
        float(leading.clip(0).sum().clip(0, 1)),
    )


def cka(grams: Sequence[Gram]) -> Float[Array, "r r"]:
    """Linear centred kernel alignment of every two representations of the same images.

    1 where codes differ by a rotation and a scale only, 0 where one tells nothing linear about
    the other, or is constant.
    """
    flat = []
    for gram in grams:
        products = _centred(gram).ravel()
        norm = float(np.linalg.norm(products))
        constant = gram.products.trace() <= 1e-12 * gram.energy.sum()
        flat.append((products / (np.inf if constant else norm)).astype(np.float32))
    alike = np.zeros((len(flat), len(flat)))
    for a, one in enumerate(flat):
        for b, other in enumerate(flat[: a + 1]):
            alike[a, b] = alike[b, a] = float(np.clip(np.dot(one, other), 0, 1))
    return alike


def _centred(gram: Gram) -> Float[Array, "n n"]:
    """Inner products around the mean of just these images, which may be some of a folder."""
    row = gram.products.mean(0)
    return gram.products - (row[:, None] + (row - row.mean()))
