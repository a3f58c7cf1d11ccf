"""Images as a network reads them, and whether several threads may call it."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from imrep.ops.colour import luminance
from imrep.ops.resize import square
from imrep.types import Image

PRECISIONS = ("float32", "bfloat16")
_serial_lock = threading.Lock()


def normalised(
    image: Image,
    *,
    side: int | None,
    gray: bool,
    mean: Sequence[float],
    std: Sequence[float],
    dtype: torch.dtype,
) -> Tensor:
    """Images resized to a square, less the mean of each channel, over its standard deviation.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        side: Of the square, in pixels; None for the image's own size.
        gray: Whether the network reads one channel, the luminance; else it reads three.
        mean: Of each channel.
        std: Of each channel.
        dtype: Of the network's weights.
    """
    # Resizing has no half precision on the CPU.
    x = image if image.dtype == torch.float64 else image.float()
    x = luminance(x) if gray else x.expand(-1, 3, -1, -1)
    x = (square(x, side) if side else x).to(dtype)
    shift, scale = (x.new_tensor(values)[:, None, None] for values in (mean, std))
    return (x - shift) / scale


def half_precision(
    network: nn.Module, precision: str, image: Tensor
) -> AbstractContextManager[object]:
    """A context in which products are computed in `precision`, unless weights are being trained.

    Args:
        network: That computes.
        precision: One of `PRECISIONS`.
        image: What it reads.
    """
    trained = torch.is_grad_enabled() and any(w.requires_grad for w in network.parameters())
    half = precision == "bfloat16" and not trained
    return torch.autocast(image.device.type, torch.bfloat16, enabled=half)


def exclusive(serial: bool) -> AbstractContextManager[object]:
    """A context for a call; networks that hold state during one are called one at a time."""
    return _serial_lock if serial else nullcontext()
