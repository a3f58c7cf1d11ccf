"""The photographs that everything is shown on, and the processes that draw."""

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
_WIDEST = 900  # pixels of a picture; wider ones are made smaller


@dataclass(frozen=True)
class Effort:
    """How large the photographs are, and how long searches and the clock may go on."""

    side: int
    iterations: int
    timing: float  # seconds for which encoding is repeated

    @classmethod
    def wanted(cls) -> "Effort":
        """Little under IMREP_DOCS=quick, which the tests set; else two minutes of two cores."""
        quick = os.environ.get("IMREP_DOCS") == "quick"
        return cls(48, 2, 0.0) if quick else cls(160, 100, 0.2)


def together(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """What the jobs return, in as many processes as there are cores, one thread each."""
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn"), _alone) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def square(name: str, side: int) -> "Tensor":
    """A photograph as a batch of one, cropped to its middle."""
    import torch

    from imrep import images

    found = find_spec("skimage")
    assert found is not None and found.origin is not None
    pixels, _ = images.square(Path(found.origin).parent / "data" / f"{name}.png", side)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def jpeg(image: "Tensor") -> bytes:
    """A file that keeps the colour of single pixels."""
    from PIL import Image

    pixels = image[0].detach().clamp(0, 1).mul(255).round().byte().expand(3, -1, -1)
    drawn = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    drawn.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    file = BytesIO()
    drawn.save(file, "JPEG", quality=90, subsampling=0)
    return file.getvalue()


def _alone() -> None:
    """One thread a process."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
