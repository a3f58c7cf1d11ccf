"""The soft nearest neighbour loss of a batch of vectors and their classes.

A point chooses a neighbour with a probability that falls with the distance. Its loss is minus the
log-probability that the neighbour is of its own class. Frosst, Papernot and Hinton, "Analyzing and
improving representations with the soft nearest neighbor loss", ICML 2019, arXiv:1902.01889.
"""

import math

import torch
from torch import Tensor

DISTANCES = ("cosine", "euclidean")


def neighbour_loss(
    x: Tensor,
    labels: Tensor,
    temperature: Tensor | float = 1.0,
    *,
    distance: str = "cosine",
    eps: float = 0.0,
) -> Tensor:
    """Mean over the points of minus the log-probability that a neighbour is of their class.

    Points without another of their class are left out of the mean; a batch of such points gives 0.
    The published programs add `eps` to the sum of weights and to the probability instead: such a
    point costs -log(eps), and the loss of distant points saturates.

    Args:
        x: Vectors (n, d); half precision is computed in single.
        labels: Class of each, (n,).
        temperature: Distance at which a neighbour's weight falls to 1/e; positive.
        distance: "cosine" (1 - cosine, of Agarap and Azcarraga) or "euclidean" (squared, of Frosst
            et al., here divided by d, so that one temperature serves layers of any width).
        eps: 0 for the loss itself, 1e-5 for that of the published programs.

    Returns:
        Scalar; finite, with a finite gradient.
    """
    x = x if x.dtype == torch.float64 else x.float()
    itself = torch.eye(len(x), dtype=torch.bool, device=x.device)
    same = (labels[:, None] == labels) & ~itself
    logits = -_distances(x, distance) / temperature
    if eps:
        weights = logits.exp().masked_fill(itself, 0)
        chosen = (weights * same).sum(1) / (eps + weights.sum(1))
        return -(eps + chosen).log().mean() if len(x) else x.sum()
    rows = same.any(1)
    if not rows.any():
        return x.sum() * 0
    logits, same, itself = logits[rows], same[rows], itself[rows]
    total = logits.masked_fill(itself, -math.inf).logsumexp(1)
    return (total - logits.masked_fill(~same, -math.inf).logsumexp(1)).mean()


def _distances(x: Tensor, distance: str) -> Tensor:
    """Distances (n, n) between all pairs."""
    if distance == "cosine":
        directions = unit(x)
        return 1 - directions @ directions.T
    # |a|² + |b|² - 2ab would leave round-off in place of small distances.
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square() / x.shape[1]


def unit(x: Tensor) -> Tensor:
    """Vectors (n, d) divided by their lengths; zero stays zero, with a gradient of zero."""
    largest = x.detach().abs().amax(1, keepdim=True)
    # Squares of numbers below 1e-19 would vanish.
    scaled = x / largest.where(largest > 0, torch.ones_like(largest))
    lengths = scaled.square().sum(1, keepdim=True)
    return scaled * lengths.where(largest > 0, torch.ones_like(lengths)).rsqrt() * (largest > 0)
