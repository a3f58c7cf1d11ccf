"""The soft nearest neighbour loss as the papers write it, point by point."""

import math

import numpy as np
from numpy.typing import NDArray


def distance(a: NDArray, b: NDArray, metric: str) -> float:
    """Between two vectors: 1 - cosine, or the mean squared difference."""
    if metric == "cosine":
        return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return float(((a - b) ** 2).mean())


def neighbour_loss(
    x: NDArray, labels: NDArray, temperature: float, metric: str, eps: float = 0.0
) -> float:
    """The loss of vectors (n, d) of classes (n,); float64."""
    losses = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        weights = {j: math.exp(-distance(x[i], x[j], metric) / temperature) for j in others}
        own = sum(weights[j] for j in others if labels[j] == labels[i])
        if eps:
            losses.append(-math.log(eps + own / (eps + sum(weights.values()))))
        elif any(labels[j] == labels[i] for j in others):
            losses.append(-math.log(own / sum(weights.values())))
    return sum(losses) / len(losses) if losses else 0.0
