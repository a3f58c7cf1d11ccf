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
    """Import torch, settle what its numbers depend on, and say how many threads there are."""
    import torch

    count = threads or cores()
    torch.set_num_threads(count)
    torch.manual_seed(seed)
    return count


@contextmanager
def downloads(allowed: bool) -> Iterator[None]:
    """Within it, published weights may be fetched, if `allowed`; else the hubs stay offline."""
    from imrep import weights

    if allowed:
        with weights.allow_download():
            yield
        return
    before = os.environ.get(_OFFLINE)
    os.environ[_OFFLINE] = "1"  # the library that hosts them reads it when it is first imported
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_OFFLINE, None)
        else:
            os.environ[_OFFLINE] = before


def cores() -> int:
    """Cores this process may use, or OMP_NUM_THREADS where that is set."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device(choice: str) -> str:
    """The device that `--device` means on this machine.

    Raises:
        BadParameter: If it is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if choice == "auto":
        return next(name for name, found in there.items() if found)
    if not there[choice]:
        found = ", ".join(name for name in there if there[name])
        raise BadParameter(f"--device {choice} needs one that torch can use, got {found} only.")
    return choice


def image(
    path: Path, size: int | None, *, reading: "Reading", longest: int | None = None
) -> "Tensor":
    """One image as a batch of one, (1, 3, height, width).

    Args:
        path: The image.
        size: Side of the centre square it is cut to; None keeps the whole image.
        reading: How it is read.
        longest: Most pixels along the longer side of a whole image; None leaves it as it is.
    """
    from imrep import images

    if size is not None:
        pixels, _ = images.square(path, size, **reading.keywords)
        return images.batch(pixels[None])
    return images.read(path, longest=longest, **reading.keywords)


def side(size: int | None, canvas: int | None) -> int | None:
    """The square to cut: the one asked for, else the one the representation wants, else none."""
    return canvas if size is None else (size or None)
