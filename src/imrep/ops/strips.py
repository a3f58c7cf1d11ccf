"""Large images a strip of rows at a time: temporaries that stay in the cache, and little memory."""

from collections.abc import Iterator

from torch import Tensor

_AT_ONCE = 2**17  # numbers of a strip
_AT_ONCE_DEVICE = 2**23  # where there is no such cache, and each call costs


def strips(image: Tensor) -> Iterator[slice]:
    """Rows of (batch, channel, height, width) from top to bottom, at least one at a time."""
    batch, channels, height, width = image.shape
    numbers = _AT_ONCE if image.device.type == "cpu" else _AT_ONCE_DEVICE
    step = max(1, numbers // (batch * channels * width))
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))
