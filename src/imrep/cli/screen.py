"""Output on stderr: progress bars, notes, and errors of writing."""

import errno
import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from imrep.errors import BadFile, ImrepError

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DELAY = 2.0  # seconds before a bar appears


class Meter:
    """A progress bar, called with (name of the stage, number done, total).

    There is none under `-q`, if stderr is not a terminal, or within the first two seconds. A total
    of zero announces what takes long: a line of its own, unless `-q`. A text of its own, which may
    change, stands in place of the name; so does what follows ` · ` in the name.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._enabled = not quiet and sys.stderr.isatty()
        self._started = time.monotonic()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, what: str, done: int, total: int, text: str = "") -> None:
        if not total:
            self._announce(what)
            return
        if not self._enabled or time.monotonic() - self._started < _DELAY:
            return
        if self._bars is None:
            self._bars = _bars()
        text, what = text or what, what.partition(" · ")[0]
        if what not in self._tasks:
            for finished in self._tasks.values():
                self._bars.remove_task(finished)
            self._tasks = {what: self._bars.add_task(what, total=total)}
        self._bars.update(self._tasks[what], completed=done, total=total, description=text)

    def _announce(self, what: str) -> None:
        if self._bars is not None:
            self._bars.console.print(what, style="dim", highlight=False)
        else:
            remark(what, self._quiet)


def remark(text: str, quiet: bool = False) -> None:
    """A line on stderr that is not a result."""
    if not quiet:
        click.secho(text, dim=True, err=True)


def notes(texts: Iterable[str], quiet: bool = False) -> None:
    """The notes on a data set, one per line."""
    for text in texts:
        remark(text, quiet)


@contextmanager
def warnings_remarked(quiet: bool) -> Iterator[None]:
    """Distinct warnings as remarks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        remark(text, quiet)


@contextmanager
def writing(
    out: Path, *, resumable: bool = False, again: str = "repeat the command; it resumes"
) -> Iterator[None]:
    """A context that turns an error of the system into one line.

    Args:
        out: The output.
        resumable: Whether the finished work is kept.
        again: What then to do after freeing space.
    """
    try:
        yield
    except ImrepError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        remedy = ""
        if error.errno in _FULL:
            remedy = " Free space there"
            remedy += f" and {again}." if resumable else "."
        raise BadFile(f"{_refused(out, error)} cannot be written: {reason}.{remedy}") from error


def _refused(out: Path, error: OSError) -> object:
    """The output, or the file elsewhere (in the cache, say) that the error names."""
    if not isinstance(error.filename, str):
        return out
    file, folder = Path(error.filename).absolute(), out.absolute().parent
    is_beside = file.is_relative_to(folder) or folder.is_relative_to(file)
    return out if is_beside else error.filename


def _bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining
    from rich.text import Text

    class Speed(ProgressColumn):
        """How many a second."""

        def render(self, task: "Task") -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if not speed else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s")

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None, complete_style="cyan"),
        MofNCompleteColumn(),
        Speed(),
        Remaining(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    bars.start()
    return bars
