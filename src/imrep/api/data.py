"""The data that `compare` and `embed` take: paths, or images in memory."""

from typing import Any

from imrep import images
from imrep.datasets import Dataset, in_memory


def source(
    data: Any, reading: images.Reading, caller: str
) -> "str | tuple[str, ...] | Dataset | None":
    """A path or several as text, None for the built-in photographs, or images as a data set.

    Raises:
        BadData: `data` is neither a path, nor images, nor (images, labels).
    """
    pair = in_memory.pair(data, caller)
    if pair is not None:
        return in_memory.dataset(*pair, reading=reading, caller=caller)
    if isinstance(data, list | tuple):
        return tuple(map(str, data))
    return None if data is None else str(data)
