"""Many descriptors of one image gathered into one vector: VLAD and Fisher vectors.

Both say how an image's descriptors differ from what a codebook expects, not only how many fall to
each word, so that few words are enough. Descriptors come reduced by principal components, and the
vector is power- and length-normalised.

References:
    H. Jégou et al., "Aggregating local image descriptors into compact codes", IEEE Trans. PAMI
    34(9), 2012. doi:10.1109/TPAMI.2011.235
    F. Perronnin, J. Sánchez and T. Mensink, "Improving the Fisher kernel for large-scale image
    classification", ECCV 2010. doi:10.1007/978-3-642-15561-1_11
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops import differentiable
from imrep.ops.kmeans import kmeans

_ROUNDS = 10
_LEAST_VARIANCE = 1e-2  # of the rows' mean variance: no Gaussian closes in on a few rows
_LEAST_SHARE = 1e-4  # a Gaussian without rows has no say, and no infinite one


class Mixture(NamedTuple):
    """Gaussians with diagonal covariances: shares (k,), means (k, d), variances (k, d)."""

    shares: Tensor
    means: Tensor
    variances: Tensor

    def belongs(self, rows: Tensor) -> Tensor:
        """The probability that a row comes from each Gaussian, (n, k)."""
        precise = 1 / self.variances
        distance = rows.square() @ precise.T - 2 * rows @ (self.means * precise).T
        constant = (self.means.square() * precise + self.variances.log()).sum(1)
        return (self.shares.log() - (distance + constant) / 2).softmax(1)


def principal(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean (d,) and the first `count` principal axes (count, d) of rows (n, d).

    Each axis points where its largest entry is positive, so that there is one answer.
    """
    mean = rows.double().mean(0)
    centred = rows.double() - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors.flip(1).T[:count]
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return mean.to(rows), (axes * largest.sign()).to(rows)


def codebook(rows: Tensor, count: int) -> Tensor:
    """Centres (count, d) by k-means; of fewer rows than that some repeat."""
    rows = rows.repeat(math.ceil(count / len(rows)), 1) if len(rows) < count else rows
    return kmeans(rows, count)[0]


def mixture(rows: Tensor, count: int) -> Mixture:
    """Gaussians fitted by expectation and maximisation, begun at the centres of k-means."""
    rows = rows.double()
    means = codebook(rows, count)
    overall = rows.var(0, correction=0)
    least = (_LEAST_VARIANCE * overall.mean()).clamp_min(1e-12)
    variances = overall.clamp_min(least).expand(count, -1) / 2
    found = Mixture(rows.new_full((count,), 1 / count), means, variances)
    for _ in range(_ROUNDS):
        belongs = found.belongs(rows)
        size = belongs.sum(0)[:, None]
        some = size.clamp_min(1e-9)
        means = torch.where(size > 1e-9, belongs.T @ rows / some, found.means)
        variances = (belongs.T @ rows.square() / some - means.square()).clamp_min(least)
        shares = (size[:, 0] / len(rows)).clamp_min(_LEAST_SHARE)
        found = Mixture(shares / shares.sum(), means, variances)
    return found


def vlad(rows: Tensor, weights: Tensor, centres: Tensor) -> Tensor:
    """Weighted sums of what each centre's rows differ from it, (cells, k * d).

    Args:
        rows: Descriptors (n, d).
        weights: What each counts in each cell, (cells, n).
        centres: Codebook (k, d).
    """
    scores = rows.detach() @ centres.T - centres.square().sum(1) / 2
    counts = weights[:, None] * F.one_hot(scores.argmax(1), len(centres)).to(rows).T
    return _normalised(counts @ rows - counts.sum(2, keepdim=True) * centres)


def fisher(rows: Tensor, weights: Tensor, model: Mixture) -> Tensor:
    """How the means and the deviations of a mixture should move for its rows, (cells, 2 k d).

    Args:
        rows: Descriptors (n, d).
        weights: What each counts in each cell, (cells, n).
        model: Gaussians of all images' descriptors.
    """
    counts = weights[:, None] * model.belongs(rows).T
    zeroth = counts.sum(2, keepdim=True)
    first, second = counts @ rows, counts @ rows.square()
    deviation, share = model.variances.sqrt(), model.shares[:, None]
    means = (first - zeroth * model.means) / (deviation * share.sqrt())
    spread = second - 2 * first * model.means + zeroth * (model.means.square() - model.variances)
    deviations = spread / (model.variances * (2 * share).sqrt())
    return _normalised(torch.cat([means, deviations], dim=1))


def _normalised(sums: Tensor) -> Tensor:
    """Roots that keep their sign, then length one in each cell; zero stays zero."""
    flat = sums.flatten(1)
    return F.normalize(flat.sign() * differentiable.sqrt(flat.abs()), dim=1)
