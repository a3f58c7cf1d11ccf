"""The progress of a training run on stderr: loss, learning rate, images a second, time left."""

import math
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from imrep.cli import screen

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from imrep.training_record import Line


class StepMeter:
    """A bar on a terminal, called with (line of the log, number of steps).

    Elsewhere there is a line for each evaluation of the held-out images, and nothing under `-q`.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._held_out = ""
        self._loss = math.nan

    def __enter__(self) -> "StepMeter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, line: "Line", steps: int) -> None:
        if line.held_out is not None:
            self._held_out = f"held out {line.held_out:.4g}"
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._update(line, steps)
        elif line.held_out is not None:
            screen.remark(f"step {line.step:,}/{steps:,}  {self._figures(line)}")

    def _update(self, line: "Line", steps: int) -> None:
        if self._bar is None or self._task is None:
            self._bar = _bar()
            self._task = self._bar.add_task("", total=steps, completed=line.step)
        self._bar.update(self._task, completed=line.step, description=self._figures(line))

    def _figures(self, line: "Line") -> str:
        self._loss = self._loss if line.loss is None else line.loss
        figures = [] if math.isnan(self._loss) else [f"loss {self._loss:.4g}"]
        figures += [self._held_out] if self._held_out else []
        if line.learning_rate is not None:
            figures.append(f"learning rate {line.learning_rate:.2g}")
        if line.images_per_second is not None:
            figures.append(f"{line.images_per_second:,.0f} images/s")
        return "  ".join(figures)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None, complete_style="cyan"),
        MofNCompleteColumn(),
        Remaining(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    bar.start()
    return bar
