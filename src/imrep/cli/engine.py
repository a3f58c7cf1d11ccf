"""The start of every command that computes: threads, seed, device, downloads, the image."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imrep.errors import BadParameter

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.images import Reading

_OFFLINE = "HF_HUB_OFFLINE"


def start(*, threads: int | None = None, seed: int = 0) -> int:
    """Import torch, set its threads and seed, and return the number of threads."""
    import torch

    count = threads or cores()
    torch.set_num_threads(count)
    torch.manual_seed(seed)
    return count


@contextmanager
def downloads(allowed: bool) -> Iterator[None]:
    """A context in which published weights may be downloaded only if `allowed`."""
    from imrep import weights

    if allowed:
        with weights.allow_download():
            yield
        return
    before = os.environ.get(_OFFLINE)
    os.environ[_OFFLINE] = "1"  # read by the library of the hub when it is first imported
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_OFFLINE, None)
        else:
            os.environ[_OFFLINE] = before


def cores() -> int:
    """Number of cores of this process, or OMP_NUM_THREADS if set."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    if setting.isdigit() and int(setting):
        return int(setting)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device(choice: str) -> str:
    """The device that `--device` selects on this machine.

    Raises:
        BadParameter: If it is not available.
    """
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if choice == "auto":
        return next(name for name, is_available in available.items() if is_available)
    if not available[choice]:
        names = ", ".join(name for name in available if available[name])
        raise BadParameter(f"--device needs one that torch can use ({names}), got {choice}.")
    return choice


def image(
    path: Path, size: int | None, *, reading: "Reading", longest: int | None = None
) -> "Tensor":
    """One image as a batch of one, (1, 3, height, width).

    Args:
        path: The image.
        size: Side of the central square to crop; None for the complete image.
        reading: Settings for reading.
        longest: Limit for the longer side of a complete image, px; None for no limit.
    """
    from imrep import images

    if size is not None:
        pixels, _ = images.square(path, size, **reading.canvas_keywords)
        return images.batch(pixels[None])
    return images.read(path, longest=longest, **reading.keywords)


def side(size: int | None, canvas: int | None) -> int | None:
    """The side of the crop: the requested size, else the representation's canvas, else None."""
    return canvas if size is None else (size or None)
