"""The filters of the first convolution, and its response to each image."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from imrep.base import Representation
from imrep.drawing import beside, diverging, enlarge, montage
from imrep.errors import BadParameter
from imrep.types import Image, Picture

_MAX_FILTERS = 64
_EPSILON = 1e-12


class _FirstConvolution(TorchFunctionMode):
    """Records the weights and the output of the first convolution within this context."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: Tensor | None = None
        self.response: Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The function's value."""
        output = func(*args, **(kwargs or {}))
        if self.weights is None and func in (F.conv2d, torch.conv2d):
            weights = args[1] if len(args) > 1 else (kwargs or {})["weight"]
            self.weights, self.response = weights.detach(), output.detach()
        return output


def first_filters(rep: Representation, image: Image) -> tuple[Tensor, Tensor]:
    """Weights (n, 1|3, rows, columns) of the first convolution, and its output (b, n, h, w).

    Raises:
        BadParameter: If the representation does not convolve the colours of an image first.
    """
    with _FirstConvolution() as first, torch.enable_grad():
        # With a gradient, since without one a network may run a folded or tiled copy.
        rep.encode(image.detach().clone().requires_grad_())
    if first.weights is None or first.response is None or first.weights.shape[1] not in (1, 3):
        raise BadParameter(
            f"picture needs a network whose first layer is a convolution for method=filters, got "
            f"{rep.spec}. Use method=code."
        )
    return first.weights, first.response


def picture(
    rep: Representation, image: Image, channel: object = None, label: object = None
) -> Picture:
    """The first-layer filters, at most 64, beside the maps they give of the image, in one order.

    Gray is zero in both; every filter and every map has its own contrast.
    """
    weights, response = first_filters(rep, image)
    maps = [diverging(plane) for plane in response[:, :_MAX_FILTERS].split(1, dim=1)]
    right = enlarge(montage(maps))
    tile = right.shape[2] / math.ceil(math.sqrt(len(maps)))
    factor = max(1, round(tile / weights.shape[2]))
    filters = [_drawn_filter(weight[None], factor) for weight in weights[:_MAX_FILTERS]]
    return beside(montage(filters).expand(len(image), -1, -1, -1).to(right), right)


def _drawn_filter(weight: Tensor, factor: int) -> Picture:
    """A filter of three colours in these colours, of one in blue and orange; enlarged."""
    extreme = weight.abs().amax().clamp_min(_EPSILON)
    colours = 0.5 + 0.5 * weight / extreme if weight.shape[1] == 3 else diverging(weight)
    return colours.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
