"""What a training run writes beside its weights: run.json and log.jsonl, read without torch."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imrep.errors import BadData
from imrep.io.files import write_text

__all__ = [
    "HELD_OUT",
    "LOG",
    "MODEL",
    "PICTURES",
    "REPORT",
    "RUN",
    "Line",
    "Run",
    "append",
    "read_log",
    "read_run",
    "shorten",
    "write_run",
]

RUN, LOG, REPORT = "run.json", "log.jsonl", "report.html"
MODEL, HELD_OUT, PICTURES = "model", "held_out.csv", "examples.png"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the log.

    Args:
        step: Steps that were taken before.
        epoch: The same in epochs.
        loss: Mean of the steps since the line before; None before the first.
        held_out: Mean loss of the held-out images; None where it was not computed.
        learning_rate: Of the last step.
        gradient: Norm of the last gradient.
        images_per_second: Running mean over the last steps.
        seconds: Of training, over all sittings.
    """

    step: int
    epoch: float
    loss: float | None = None
    held_out: float | None = None
    learning_rate: float | None = None
    gradient: float | None = None
    images_per_second: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run is, and what came of it.

    Args:
        identity: Everything that decides the weights; a run resumes only where it is equal.
        facts: Numbers and names for people: images, parameters, versions, command …
        result: Of a finished run: best step, losses, seconds; empty before.
        captions: Of the columns of the pictures.
        choices: Of `--choose`: a row for each setting that was tried.
    """

    identity: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    captions: tuple[str, ...] = ()
    choices: tuple[dict[str, Any], ...] = ()


def write_run(folder: Path, run: Run) -> None:
    """Write run.json, complete or not at all."""
    write_text(folder / RUN, json.dumps(asdict(run), indent=2, ensure_ascii=False) + "\n")


def read_run(folder: Path) -> Run | None:
    """The run of a folder; None where there is none.

    Raises:
        BadData: The file cannot be read.
    """
    path = folder / RUN
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        tuples = {name: tuple(stored[name]) for name in ("captions", "choices")}
        return Run(**stored | tuples)
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError) as error:
        raise BadData(f"{path} needs to be a file that train wrote, got {error}.") from error


def append(folder: Path, line: Line) -> None:
    """Add a line to the log."""
    with (folder / LOG).open("a", encoding="utf-8") as file:
        file.write(_text(line))


def read_log(folder: Path) -> list[Line]:
    """The lines of the log, without one that a killed run left half."""
    return [*_lines(folder / LOG)]


def shorten(folder: Path, step: int) -> None:
    """Remove the lines after a step, which a resumed run writes again."""
    lines = [line for line in _lines(folder / LOG) if line.step <= step]
    write_text(folder / LOG, "".join(map(_text, lines)))


def _text(line: Line) -> str:
    """JSON has no infinite numbers: they are left out, as what was not measured."""
    values = {
        name: value
        for name, value in asdict(line).items()
        if value is not None and math.isfinite(value)
    }
    return json.dumps(values) + "\n"


def _lines(path: Path) -> Iterator[Line]:
    texts: Iterable[str] = ()
    if path.is_file():
        texts = path.read_text(encoding="utf-8").splitlines()
    for text in texts:
        try:
            yield Line(**json.loads(text))
        except (ValueError, TypeError):
            return
