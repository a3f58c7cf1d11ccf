"""What `train` was asked to do."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imrep import checks
from imrep.base import Recipe
from imrep.errors import BadParameter
from imrep.images import Reading

PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}  # Lightning's names
_MAX_PROCESSES = 4096


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a run besides its representation and data.

    Args:
        out: Folder of the run.
        recipe: Numbers of the training.
        epochs: Length of the run in epochs, in place of the recipe's steps.
        minutes: Length in minutes, which ten measured steps turn into steps.
        held_out: Share of the images that is held out, in (0, 1).
        seed: Of the order, augmentation, noise and division of the data.
        threads: Threads that compute; a second and more also load images.
        device: "cpu", "cuda" or "mps".
        precision: "32", "bf16" or "16".
        accumulate: Parts of a step that are computed one after the other, to save memory.
        devices: Processes on this machine, each with a device of its own.
        nodes: Machines, each running this command.
        deterministic: Whether to refuse operations whose result varies from run to run.
        resume: Whether to go on with the run of `out`.
        selects_best: Whether the model is that of the best held-out loss, not the last.
        reading: How files are read.
        logger: Of Lightning, or False.

    Raises:
        BadParameter: Naming the value.
    """

    out: Path
    recipe: Recipe = field(default_factory=Recipe)
    epochs: float | None = None
    minutes: float | None = None
    held_out: float = 0.1
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    precision: str = "32"
    accumulate: int = 1
    devices: int = 1
    nodes: int = 1
    deterministic: bool = False
    resume: bool = False
    selects_best: bool = True
    reading: Reading = field(default_factory=Reading)
    logger: Any = False

    def __post_init__(self) -> None:
        checks.one_of(self.precision, [*PRECISIONS], "train", "precision")
        checks.integer(self.threads, 1, 256, "train", "threads")
        for name in ("accumulate", "devices", "nodes"):
            checks.integer(getattr(self, name), 1, _MAX_PROCESSES, "train", name)
        for name in ("epochs", "minutes"):
            if (value := getattr(self, name)) is not None:
                checks.between(value, 1e-3, 1e9, "train", name)
        if not 0 < self.held_out < 1:
            raise BadParameter(f"train needs held_out between 0 and 1, got {self.held_out}.")
        parts = self.accumulate * self.processes
        if self.recipe.batch % parts:
            raise BadParameter(
                f"train needs a batch that {parts} parts divide (accumulate × devices × nodes), "
                f"got {self.recipe.batch}. Try {parts * max(1, self.recipe.batch // parts)}."
            )
        if self.minutes is not None and self.processes > 1:
            raise BadParameter(
                "train measures minutes on one process, got several. Give steps or epochs."
            )

    @property
    def processes(self) -> int:
        """Processes on all machines."""
        return self.devices * self.nodes


def rank() -> int:
    """The number of this process among those of the run, as its launcher states it."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if (value := os.environ.get(name, "")).isdigit():
            return int(value)
    return 0
