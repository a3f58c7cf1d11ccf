"""`imrep evaluate SPEC DATA --task zeroshot`: the usual figures, each with its interval."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, screen
from imrep.io.names import printable

if TYPE_CHECKING:
    from imrep.api import Figures
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_TASKS = ("zeroshot", "retrieval", "probe", "caption")  # as in `api`, which imports torch


@click.command(
    epilog=options.example(
        "imrep evaluate clip photos/ --task zeroshot",
        "imrep evaluate clip captions.csv --task retrieval",
        "imrep evaluate hog photos/ --task probe --json",
    )
)
@click.argument("spec", type=options.SPEC)
@click.argument("data")
@click.option(
    "--task",
    type=click.Choice(_TASKS),
    required=True,
    help="zeroshot: classes by their names. retrieval: captions of images, images of captions. "
    "probe: a linear classifier on frozen vectors. caption: what it writes against captions.",
)
@click.option(
    "--templates",
    multiple=True,
    metavar="TEXT",
    help="Of zeroshot: a sentence with {} where the class goes, a file of them, openai or simple; "
    "repeatable.",
)
@click.option(
    "-o", "--out", type=options.Output(dir_okay=False), help="csv of the figures to write."
)
@options.square_size
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    spec: str,
    data: str,
    task: str,
    templates: tuple[str, ...],
    out: Path | None,
    size: int | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Measure a representation of images and text by a task.

    DATA has classes, several labels, or captions, as the task needs. Every figure has a 95 %
    interval over images, and what guessing would give. Vectors are cached.
    """
    from imrep import api
    from imrep.cli import engine
    from imrep.io.files import check_writable, write_text

    if out is not None:
        with screen.writing(out):
            check_writable(out)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download), screen.Meter(machine.quiet) as meter:
        figures = api.evaluate(
            spec,
            data,
            task=task,  # type: ignore[arg-type]  # one of `_TASKS`
            templates=templates or None,
            size=64 if size is None else size or None,
            seed=machine.seed,
            threads=threads,
            device=engine.device(machine.device),
            download=machine.download,
            max_pixels=reading.max_pixels,
            data_range=reading.data_range,
            progress=meter,
        )
    screen.notes(figures.notes, machine.quiet)
    if out is not None:
        with screen.writing(out):
            write_text(out, _csv(figures))
    if as_json:
        options.write_json(_facts(figures))
    else:
        _print(figures)
    for path, reason in figures.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and figures.skipped:
        raise SystemExit(_SKIPPED)


def _print(figures: "Figures") -> None:
    """A line for each figure, and for each of the first captions."""
    width = max(len(row.name) for row in figures.rows)
    click.secho(f"{figures.spec} on {figures.data}, {figures.rows[0].n:,} images", dim=True)
    for row in figures.rows:
        click.echo(f"{row.name:{width}}  {row.text}")


def _csv(figures: "Figures") -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["task", "spec", "name", "value", "lo", "hi", "n", "chance"])
    for row in figures.rows:
        numbers = (row.value, row.lo, row.hi)
        chance = "" if row.chance is None else f"{row.chance:.6g}"
        cells = [f"{number:.6g}" for number in numbers]
        table.writerow([figures.task, figures.spec, row.name, *cells, row.n, chance])
    return text.getvalue()


def _facts(figures: "Figures") -> dict[str, object]:
    return {
        "task": figures.task,
        "spec": figures.spec,
        "data": figures.data,
        "figures": [vars(row) for row in figures.rows],
        "captions": [{"path": path, "caption": text} for path, text in figures.captions],
        "skipped": [{"path": path, "reason": reason} for path, reason in figures.skipped],
        "notes": list(figures.notes),
    }
