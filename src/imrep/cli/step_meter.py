"""The progress of a training run on stderr: loss, learning rate, images a second, time left."""

import math
import sys
from typing import TYPE_CHECKING

from imrep.cli import screen

if TYPE_CHECKING:
    from imrep.training_record import Line


class StepMeter:
    """A bar on a terminal, called with (line of the log, number of steps).

    Elsewhere there is a line for each evaluation of the held-out images, and nothing under `-q`.

    Args:
        meter: Where the bar is drawn: two displays on one terminal would overwrite each other.
        quiet: Whether to write no lines.
    """

    def __init__(self, meter: screen.Meter, quiet: bool = False) -> None:
        self._meter, self._quiet = meter, quiet
        self._held_out = ""
        self._loss = math.nan
        self._step, self._trainings = 0, 1

    def __call__(self, line: "Line", steps: int) -> None:
        if line.held_out is not None:
            self._held_out = f"held out {line.held_out:.4g}"
        figures = self._figures(line)
        self._trainings += line.step < self._step  # each has a bar, and a time left, of its own
        self._step = line.step
        self._meter(f"training {self._trainings}", line.step, steps, figures)
        if not (self._quiet or sys.stderr.isatty()) and line.held_out is not None:
            screen.remark(f"step {line.step:,}/{steps:,}  {figures}")

    def _figures(self, line: "Line") -> str:
        self._loss = self._loss if line.loss is None else line.loss
        figures = [] if math.isnan(self._loss) else [f"loss {self._loss:.4g}"]
        figures += [self._held_out] if self._held_out else []
        if line.learning_rate is not None:
            figures.append(f"learning rate {line.learning_rate:.2g}")
        if line.images_per_second is not None:
            figures.append(f"{line.images_per_second:,.0f} images/s")
        return "  ".join(figures)
