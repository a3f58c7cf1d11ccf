"""Descriptors of one image aggregated into a vector: shares of words, VLAD, Fisher vectors.

The last two encode how an image's descriptors differ from the vocabulary, not only how many fall to
each word, so that few words are enough. Their descriptors are reduced by principal components, and
the vector is power- and length-normalised.

References:
    J. C. van Gemert et al., "Visual word ambiguity", IEEE Trans. PAMI 32(7), 2010.
    doi:10.1109/TPAMI.2009.132
    H. Jégou et al., "Aggregating local image descriptors into compact codes", IEEE Trans. PAMI
    34(9), 2012. doi:10.1109/TPAMI.2011.235
    F. Perronnin, J. Sánchez and T. Mensink, "Improving the Fisher kernel for large-scale image
    classification", ECCV 2010. doi:10.1007/978-3-642-15561-1_11
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops import differentiable
from imrep.represent.local.sift.vocabulary import Mixture

_SOFTNESS = 0.15  # distance at which a word's share falls to 1/e


def word_shares(rows: Tensor, weights: Tensor, words: Tensor) -> Tensor:
    """Square roots of the words' mean shares, exp(-(distance / 0.15)²) normalised, (cells, k).

    Args:
        rows: Descriptors (n, d).
        weights: Weight of each in each cell, (cells, n).
        words: Codebook (k, d).
    """
    # |x - c|² = |x|² - 2 x · c + |c|², and |x|² cancels in the softmax.
    bias = -words.square().sum(1) / _SOFTNESS**2
    slope = words.T * (2 / _SOFTNESS**2)
    return differentiable.sqrt(weights @ torch.addmm(bias, rows, slope).softmax(1))


def vlad(rows: Tensor, weights: Tensor, words: Tensor) -> Tensor:
    """Weighted sums of the differences of rows from their nearest word, (cells, k * d).

    Args:
        rows: Descriptors (n, d).
        weights: Weight of each in each cell, (cells, n).
        words: Codebook (k, d).
    """
    # The nearest word is a step function of the descriptor: no gradient passes through it.
    scores = rows.detach() @ words.T - words.square().sum(1) / 2  # greatest for the nearest
    counts = weights[:, None] * F.one_hot(scores.argmax(1), len(words)).to(rows).T
    return _normalised(counts @ rows - counts.sum(2, keepdim=True) * words)


def fisher(rows: Tensor, weights: Tensor, model: Mixture) -> Tensor:
    """Gradient of the log-likelihood by the mixture's means and deviations, (cells, 2 k d).

    Args:
        rows: Descriptors (n, d).
        weights: Weight of each in each cell, (cells, n).
        model: Gaussians of all images' descriptors.
    """
    counts = weights[:, None] * model.posterior(rows).T
    # Sums of 1, x and x² by posterior: the gradient depends on the rows only through these.
    zeroth = counts.sum(2, keepdim=True)
    first, second = counts @ rows, counts @ rows.square()
    deviation, weight = model.variances.sqrt(), model.weights[:, None]
    # Divided by the root of the Fisher information: w / σ² of a mean, 2 w / σ² of a deviation.
    means = (first - zeroth * model.means) / (deviation * weight.sqrt())
    spread = second - 2 * first * model.means + zeroth * (model.means.square() - model.variances)
    deviations = spread / (model.variances * (2 * weight).sqrt())
    return _normalised(torch.cat([means, deviations], dim=1))


def _normalised(sums: Tensor) -> Tensor:
    """Signed square roots, then unit length in each cell; zero stays zero."""
    flat = sums.flatten(1)
    return F.normalize(flat.sign() * differentiable.sqrt(flat.abs()), dim=1)
