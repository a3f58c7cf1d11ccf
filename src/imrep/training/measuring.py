"""Ten measured steps of a copy: how long a step takes, and how much memory."""

import sys
import time
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch

from imrep.training.fitting import fit
from imrep.training.module import Module
from imrep.training.settings import Settings
from imrep.types import Progress

WARM_UP, STEPS = 3, 10
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, kilobytes elsewhere


@dataclass(frozen=True)
class Measured:
    """What ten steps took.

    Args:
        seconds: Mean of a step, with the loading of its images.
        peak: Bytes: of the accelerator where there is one, else of this process; 0 where the
            system does not tell.
    """

    seconds: float
    peak: int


class _Clock(pl.Callback):
    def __init__(self, progress: Progress) -> None:
        self.times: list[float] = []
        self._progress = progress

    def on_train_batch_end(self, trainer: pl.Trainer, *batch: Any) -> None:
        if trainer.global_step > len(self.times):  # not within an accumulated step
            self.times.append(time.monotonic())
            self._progress("measuring a step", len(self.times), WARM_UP + STEPS)


def measure(module: Module, settings: Settings, progress: Progress) -> Measured:
    """Train a module, a copy of the one to train, for thirteen steps; nothing is written."""
    clock = _Clock(progress)
    if settings.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    fit(module, clock, settings, WARM_UP + STEPS, None)
    return Measured((clock.times[-1] - clock.times[WARM_UP - 1]) / STEPS, _peak(settings.device))


def _peak(device: str) -> int:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
