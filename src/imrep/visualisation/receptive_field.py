"""The part of an image on which a position of a map depends, by the support of a gradient.

Rectifiers let every gradient through, and a maximum counts as a mean: what matters is which pixels
could change the value, not which do at this image.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from imrep.base import Representation
from imrep.types import Image
from imrep.visualisation.maps import differentiable_maps
from imrep.visualisation.rectifiers import is_rectifier

_POOLS = {F.max_pool2d: F.avg_pool2d, torch.max_pool2d: F.avg_pool2d}


class Box(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of an image, the last ones excluded."""

    top: int
    left: int
    bottom: int
    right: int

    def crop(self, image: Image) -> Image:
        """The pixels within."""
        return image[..., self.top : self.bottom, self.left : self.right]


class _Open(TorchFunctionMode):
    """Within this context no gradient ends at a rectifier or at what a maximum leaves out."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The function's value, with the gradient of an identity or a mean."""
        kwargs = kwargs or {}
        if is_rectifier(func, args, kwargs):
            x = args[0]
            return x + (func(x.detach().clone(), *args[1:], **kwargs) - x.detach())
        if func in _POOLS:
            return _averaged(func, args, kwargs)
        return func(*args, **kwargs)


def receptive_field(rep: Representation, image: Image, row: int, column: int) -> Box:
    """The pixels of one image that a position of its maps depends on.

    Args:
        rep: A representation whose gradient reaches the image.
        image: (1, 1|3, height, width).
        row: Of the maps, from 0.
        column: Of the maps, from 0.

    Raises:
        BadParameter: If no gradient reaches the image, or the code has no maps.
    """
    with _Open():
        leaf, values = differentiable_maps(rep, image)
    start = torch.zeros_like(values)
    start[:, :, row, column] = 1
    (gradient,) = torch.autograd.grad(values, leaf, start)
    support = gradient[0].abs().amax(0) > 0
    rows, columns = support.any(1).nonzero(), support.any(0).nonzero()
    if not len(rows):  # constant maps depend on nothing
        return Box(0, 0, *image.shape[2:])
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _averaged(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """The maximum, with the gradient of the mean over a window of its extent."""
    x, kernel, stride, padding, dilation, ceil, *_ = _options(*args, **kwargs)
    # Dilation skips rows that the mean includes: the support's extent is the same.
    extent = tuple(d * (k - 1) + 1 for k, d in zip(_pair(kernel), _pair(dilation), strict=True))
    padded = tuple(n for pad in reversed(_pair(padding)) for n in (pad, pad))
    mean = F.avg_pool2d(F.pad(x, padded), extent, stride or kernel, 0, ceil)
    maximum = func(x.detach(), *args[1:], **kwargs)
    values = maximum[0] if isinstance(maximum, tuple) else maximum
    return mean + (values - mean.detach())


def _options(  # the arguments of F.max_pool2d
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, ...]:
    return input, kernel_size, stride, padding, dilation, ceil_mode, return_indices


def _pair(n: Any) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else tuple(n)
