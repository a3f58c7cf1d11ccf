"""Checkpoints of a run: the last state and the best, each one file that appears complete."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from imrep.base import Learned
from imrep.errors import BadData
from imrep.io.files import replacing
from imrep.training_record import MODEL

_FILE = "checkpoint.ckpt"  # of Lightning: weights, optimiser, loops, callbacks


class Checkpoints:
    """`last/`, `best/` and `model/` in a run's folder.

    Args:
        folder: Of the run.
        keeps_best: Whether `best` and `model` are those of the best held-out loss.
    """

    def __init__(self, folder: Path, keeps_best: bool) -> None:
        self.folder, self._keeps_best = folder, keeps_best
        self.last, self.best = folder / "last" / _FILE, folder / "best" / _FILE

    def save_last(self, trainer: pl.Trainer) -> None:
        """Keep the present state."""
        _save(trainer, self.last)

    def save_best(self, trainer: pl.Trainer, rep: Learned) -> None:
        """Keep the present state, and the representation, as the best so far."""
        if self._keeps_best:
            _save(trainer, self.best)
            if trainer.is_global_zero:
                rep.save(self.folder / MODEL)

    def step(self) -> int:
        """Steps before the last checkpoint; 0 where there is none.

        Raises:
            BadData: It cannot be read.
        """
        return int(_read(self.last)["global_step"]) if self.last.is_file() else 0

    def restore_best(self, rep: Learned) -> None:
        """Give a representation the weights of the best checkpoint; of the last without one."""
        path = self.best if self._keeps_best and self.best.is_file() else self.last
        state = _read(path)["state_dict"]
        prefix = "rep."
        rep.load_state_dict({key.removeprefix(prefix): value for key, value in state.items()})


def _save(trainer: pl.Trainer, path: Path) -> None:
    if not trainer.is_global_zero:
        trainer.save_checkpoint(path)  # takes part, and writes nothing
        return
    with replacing(path) as draft:
        trainer.save_checkpoint(draft)


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return content
    except Exception as error:  # arbitrary, on a damaged file
        reason = " ".join(str(error).split())[:200]
        raise BadData(
            f"train cannot resume from {path}: {reason}. Use another -o, or remove that file to "
            "start over."
        ) from error
