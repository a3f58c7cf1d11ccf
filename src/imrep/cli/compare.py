"""`imrep compare`: which representation serves these images best?"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import engine, options, screen
from imrep.errors import BadData
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import Comparison
    from imrep.images import Reading

_FOLDER = options.Output(file_okay=False)
_SHORT = 8  # characters of the column of names where all are longer than a line has room for
_SMALLEST = 8  # pixels a side
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class _Sizes(click.ParamType):
    """Sides in pixels with commas between them."""

    name = "sizes"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[int, ...]:
        """(32, 64, 128) from "32,64,128"."""
        try:
            sides = sorted({int(side) for side in value.split(",")})
        except ValueError:
            self.fail(f"sizes are whole numbers with commas, got {value!r}.", param, context)
        if not _SMALLEST <= sides[0] <= sides[-1] <= options.LARGEST_SIDE:
            self.fail(
                f"sizes are from {_SMALLEST} to {options.LARGEST_SIDE} pixels, got {value!r}.",
                param,
                context,
            )
        return tuple(sides)


@click.command(
    epilog="""\b
Examples:
  imrep compare                                  the built-in photographs
  imrep compare photos/                          every representation that can run here
  imrep compare photos/ -r hog -r hog+histogram  just these; a plus puts two side by side
  imrep compare photos/ --sizes 32,64,128        does a larger image help?"""
)
@click.argument("data", required=False)
@click.option(
    "-r",
    "--representation",
    "specs",
    multiple=True,
    type=options.SPEC,
    metavar="SPEC",
    help="One to compare; give it again for more.  [default: all that can run here]",
)
@click.option(
    "-o",
    "--output",
    "out",
    type=_FOLDER,
    default=Path("report"),
    show_default=True,
    help="Folder for index.html, results.jsonl and skipped.csv.",
)
@click.option(
    "--size",
    type=click.IntRange(_SMALLEST, options.LARGEST_SIDE),
    default=64,
    show_default=True,
    help="Side in pixels of the square that each image is read at.",
)
@click.option("--sizes", type=_Sizes(), help="Compare at these sizes too: 32,64,128.")
@click.option(
    "--margin",
    type=options.Number(0, 100),
    default=2.0,
    show_default=True,
    help="Points of accuracy that may be given up for a cheaper representation.",
)
@click.option("--groups", type=_FILE, help="csv with path,group: images that never part.")
@click.option("--same-object", type=_FILE, help="csv with path,group: score retrieval of members.")
@click.option("--max", "most", type=click.IntRange(2), help="At most so many images, by class.")
@options.reading
@options.download
@options.seed
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Threads that compute; files are read on all cores. One makes costs comparable.",
)
@options.device
@options.strict
@options.as_json
@options.quiet
def command(
    as_json: bool, quiet: bool, strict: bool, device: str, reading: "Reading", **given: Any
) -> None:
    """Which representation serves these images best?

    DATA is a folder of class folders, a split.csv, a zip, a parquet or a glob; without it, patches
    of ten photographs that come with the installation. Without labels everything is reported that
    needs none. The same command again goes on where it was stopped.
    """  # fmt: skip
    from imrep import api, images

    threads = engine.start(threads=given["threads"], seed=given["seed"])
    chosen = {name: value for name, value in given.items() if value is not None}
    chosen |= {"threads": threads, "device": engine.device(device)}
    chosen |= {"max_pixels": reading.max_pixels, "data_range": reading.data_range}
    allowed, out = chosen.pop("download"), chosen.pop("out")
    data, specs = chosen.pop("data", None), chosen.pop("specs")
    before = _reported(out)
    with (
        screen.writing(out, resumable=True),
        screen.Meter(quiet) as meter,
        engine.downloads(allowed),
        images.noting(),  # the verdict says it
    ):
        found = api.compare(data, specs or None, out, progress=meter, **chosen)
    if before not in ("", _reported(out)):
        screen.remark(f"{printable(out)} held a report on {before}, which this one replaces", quiet)
    if as_json:
        options.write_json({"report": str(found.report), "verdict": found.verdict,
                            "pick": found.pick, "table": found.table()})  # fmt: skip
    else:
        _say(found, quiet)
    if strict and found.skipped:
        raise SystemExit(3)


def _reported(out: Path) -> str:
    """What the report in a folder is on, "" where there is none that can be read."""
    from imrep import results

    try:
        return next((row.data_name for row in results.read(out / results.FILENAME)), "")
    except (BadData, OSError, UnicodeDecodeError):
        return ""


def _say(found: "Comparison", quiet: bool) -> None:
    """The sentence, the table, where the report is."""
    text = found.verdict["text"]
    for i, part in enumerate(text.split("**")):
        click.secho(part, bold=bool(i % 2), nl=False)
    click.echo()
    for said in found.verdict["warnings"]:
        click.secho(said["text"], fg="yellow")
    if not quiet:
        for said in found.verdict["notes"]:
            click.secho(said["text"], dim=True)
        for reason in found.absent.values():
            click.secho(f"Left out: {reason}", dim=True)
    if found.skipped:
        listed = printable(found.folder / "skipped.csv")
        said = f"{several(found.skipped, 'file')} could not be read; {listed} says why."
        click.secho(said, fg="yellow")
    click.echo()
    _table(found)
    click.echo(f"\n{printable(found.report)}")


def _table(found: "Comparison") -> None:
    """Best first; the pick and its equals marked."""
    lines, equals = found.table(), found.verdict["equals"]
    columns = [column for column in _COLUMNS if any(column[0] in line for line in lines)]
    heads = "".join(f"  {head:>{wide}}" for _, head, wide, _ in columns)
    names = [len(line["spec"]) for line in lines]
    width = max(names)
    if sys.stdout.isatty():  # a longer name has a line of its own
        room = shutil.get_terminal_size().columns - len(heads) - 2
        width = max([name for name in names if name <= room], default=_SHORT)
    click.secho(f"  {'':{width}}{heads}", dim=True)
    marks = {spec: "○" for spec in equals if found.pick} | {found.pick: "●"}
    for line in lines:
        mark = marks.get(line["spec"], " ")
        own_line = len(line["spec"]) > width
        name = line["spec"] + f"\n  {'':{width}}" if own_line else f"{line['spec']:{width}}"
        click.secho(f"{mark} {name}", nl=False, bold=mark == "●")
        cells = (show(line) if key in line else "-" for key, _, _, show in columns)
        wide = (column[2] for column in columns)
        click.echo("".join(f"  {cell:>{w}}" for cell, w in zip(cells, wide, strict=True)))
    shown = {marks.get(line["spec"], "") for line in lines}
    legend = [
        ("●", "the only one" if len(lines) == 1 else "recommended"),
        ("○", "tied with the best"),
    ]
    click.secho("   ".join(f"{mark} {means}" for mark, means in legend if mark in shown), dim=True)


def _ends(low: str, high: str) -> Callable[[dict[str, Any]], str]:
    return lambda line: f"{100 * line[low]:.0f}-{100 * line[high]:.0f}"


_COLUMNS: tuple[tuple[str, str, int, Callable[[dict[str, Any]], str]], ...] = (
    ("accuracy", "accuracy", 8, lambda line: f"{100 * line['accuracy']:.1f}%"),
    ("lo", "95 %", 7, _ends("lo", "hi")),
    ("knn", "kNN", 5, lambda line: f"{100 * line['knn']:.0f}%"),
    ("object", "same object", 11, lambda line: f"{100 * line['object']:.1f}%"),
    ("object_lo", "95 %", 7, _ends("object_lo", "object_hi")),
    ("kept", "kept", 5, lambda line: f"{100 * line['kept']:.0f}%"),
    ("moves", "moves", 5, lambda line: f"{line['moves']:.2f}"),
    ("ms", "ms", 8, lambda line: f"{line['ms']:.3f}"),
    ("bytes", "bytes", 7, lambda line: f"{line['bytes']:.0f}"),
)
