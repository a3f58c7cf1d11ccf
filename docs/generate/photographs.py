"""The photographs of all examples, and the processes that compute them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PHOTOGRAPHS = {"chelsea": "a cat", "coffee": "a cup", "brick": "a wall"}  # of scikit-image
_MAX_WIDTH = 900  # px of an image; wider ones are reduced


@dataclass(frozen=True)
class Effort:
    """Size of the photographs, iterations of searches, duration of timing."""

    side: int
    iterations: int
    timing: float  # seconds for which encoding is repeated

    @classmethod
    def from_environment(cls) -> "Effort":
        """Little with IMREP_DOCS=quick, which the tests set; else for publication."""
        quick = os.environ.get("IMREP_DOCS") == "quick"
        return cls(48, 2, 0.0) if quick else cls(160, 100, 0.2)


def in_parallel(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """The results of the jobs, in one process per core, with one thread each."""
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn"), _single_thread) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def square(name: str, side: int) -> "Tensor":
    """A photograph as a batch of one, cropped to its middle."""
    import torch

    from imrep import images

    package = find_spec("skimage")
    assert package is not None and package.origin is not None
    pixels, _ = images.square(Path(package.origin).parent / "data" / f"{name}.png", side)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def jpeg(image: "Tensor") -> bytes:
    """A JPEG file without chroma subsampling."""
    from PIL import Image

    pixels = image[0].detach().clamp(0, 1).mul(255).round().byte().expand(3, -1, -1)
    picture = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    picture.thumbnail((_MAX_WIDTH, _MAX_WIDTH), Image.Resampling.LANCZOS)
    file = BytesIO()
    picture.save(file, "JPEG", quality=90, subsampling=0)
    return file.getvalue()


def _single_thread() -> None:
    """One thread a process."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
