"""A vector of a feature map: its mean, greatest or root mean square values, or weighted means.

With several cells, each part of a grid over the map has its own. A weighted mean counts the cells
by their weights, so that the mean over the cells is that of the map.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.ops.pooling import means
from imrep.types import Vectors

METHODS = ("mean", "max", "l2", "centre", "attention")
_WIDTH = 0.5  # standard deviation of the weights around the centre, in half sides of the map
_EPSILON = 1e-12  # keeps the gradient of the square root finite where a channel is zero


class Attention(nn.Module):
    """Weights of the positions of a map or of tokens: how each agrees with the mean of all.

    A softmax over positions of q·k / √d, where q is the mean and k the position's numbers, both
    normalised over the d channels: SimPool without its projections. `direction` is added to q. It
    is zero, so that nothing is learned, until it is trained.

    References:
        B. Psomas et al., "Keep it SimPool: who said supervised transformers suffer from attention
        deficit?", ICCV 2023. arXiv:2309.06891
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.zeros(channels))

    def forward(self, tokens: Tensor) -> Tensor:
        """Weights (batch, position) that sum to one, of tokens (batch, position, channel)."""
        return attention(tokens, self.direction)


def attention(tokens: Tensor, direction: Tensor | None = None) -> Tensor:
    """As `Attention`: weights (batch, position) of tokens (batch, position, channel)."""
    channels = tokens.shape[2:]
    query = F.layer_norm(tokens.mean(1, keepdim=True), channels)
    query = query if direction is None else query + direction
    scores = (F.layer_norm(tokens, channels) * query).sum(2)
    return (scores / math.sqrt(tokens.shape[2])).softmax(1)


def centred(height: int, width: int, like: Tensor) -> Tensor:
    """Weights (height, width) that sum to one and fall with the distance from the centre.

    A Gaussian whose standard deviation is a quarter of either side.
    """
    rows, columns = (_offsets(count, like) for count in (height, width))
    weights = (-(rows[:, None].square() + columns.square()) / (2 * _WIDTH**2)).exp()
    return weights / weights.sum()


def pool(
    values: Tensor, method: str = "mean", cells: int = 1, direction: Tensor | None = None
) -> Vectors:
    """Vectors (batch, channel * cells²) of maps (batch, channel, height, width).

    Args:
        values: The maps.
        method: One of `METHODS`. "l2" is the root of the mean square.
        cells: Cells per side, as `ops.pooling.means` divides the map.
        direction: Of a trained `Attention`, (channel,).
    """
    if method == "mean":
        return values.mean((2, 3)) if cells == 1 else means(values, cells)
    if method == "max":
        return F.adaptive_max_pool2d(values, cells).flatten(1)
    if method == "l2":
        return (means(values.square(), cells) + _EPSILON).sqrt()
    height, width = values.shape[2:]
    weights = centred(height, width, values)
    if method == "attention":
        weights = attention(values.flatten(2).mT, direction).unflatten(1, (1, height, width))
    return means(values * weights * (height * width), cells)


def _offsets(count: int, like: Tensor) -> Tensor:
    """Of each position from the centre, in halves of the side: -1 to 1 from edge to edge."""
    positions = torch.arange(count, dtype=like.dtype, device=like.device)
    return (2 * positions + 1) / count - 1
