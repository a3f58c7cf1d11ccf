"""`imrep duplicates DATA`: groups of near-duplicates, and which image of each to keep."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.errors import BadData, BadParameter
from imrep.io.names import printable

if TYPE_CHECKING:
    from imrep.duplicates.review import DuplicateGroups
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_LISTED = 20  # groups on the terminal


@click.command(
    epilog=options.example(
        "imrep duplicates photos/",
        "imrep duplicates photos/ -o duplicates.csv --sheet duplicates.png",
        "imrep duplicates photos/ --json",
    )
)
@click.argument("data")
@click.option("-o", "--out", type=options.OUTPUT, help="List to write, a CSV: a row per image.")
@click.option("--sheet", type=options.OUTPUT, help="Contact sheet to write, a PNG.")
@options.reading
@options.strict
@options.threads
@options.as_json
@options.quiet
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    out: Path | None,
    sheet: Path | None,
    strict: bool,
    threads: int | None,
    as_json: bool,
    quiet: bool,
    reading: "Reading",
) -> None:
    """List near-duplicates in groups, and which image of each to keep.

    DATA is images as imrep --help lists them, or a .lance store. Near-duplicates are the same image
    shifted, cropped, mirrored, darkened or recompressed, by the test that compare has: thumbnails
    are aligned, no vectors are needed. Nothing is deleted.
    """
    from imrep import api, images
    from imrep.cli import engine
    from imrep.io.files import write_text

    mark = outputs.mark("duplicates", data)
    if out is not None:
        _check_list(out)
    if sheet is not None:
        sheet = outputs.ready(sheet, sheet, mark, data)
    engine.start(threads=threads, seed=0)
    with screen.Meter(quiet) as meter:
        result = api.find_duplicates(
            data,
            threads=threads,
            max_pixels=reading.max_pixels,
            data_range=reading.data_range,
            progress=meter,
        )
    screen.notes(result.notes, quiet)
    if out is not None:
        with screen.writing(out):
            write_text(out, result.csv())
    if sheet is not None:
        with screen.writing(sheet):
            images.write(sheet, api.duplicates_sheet(result, reading), mark=mark)
    files = {"out": out, "sheet": sheet}
    if as_json:
        options.write_json(_facts(result, files))
    else:
        _print(result, files)
    for path, reason in result.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and result.skipped:
        raise SystemExit(_SKIPPED)


def _check_list(out: Path) -> None:
    """Refuse, before the work, a list that cannot be written or would replace another file.

    Raises:
        BadParameter: The name does not end in .csv.
        BadData: It is another file.
    """
    from imrep.duplicates.review import COLUMNS
    from imrep.io.files import check_writable

    if out.suffix.lower() != ".csv":
        raise BadParameter(
            f"duplicates needs a name ending in .csv, got {out.name!r}. Try {out.stem}.csv; "
            "a contact sheet is --sheet."
        )
    with screen.writing(out):
        check_writable(out)
    if out.is_file():
        with out.open(newline="", errors="replace") as file:
            if next(csv.reader(file), None) != [*COLUMNS]:
                raise BadData(
                    f"{out} needs to be a list that imrep duplicates wrote, got another file. "
                    "Move it away or use another -o."
                )


def _print(result: "DuplicateGroups", files: dict[str, Path | None]) -> None:
    """The sentence, the groups, the paths of what was written."""
    click.secho(printable(result.sentence), bold=True)
    for number, group in enumerate(result.groups[:_LISTED], 1):
        conflict = "  labels differ" if group.labels_differ else ""
        click.secho(
            f"group {number}{conflict}", dim=not conflict, fg="yellow" if conflict else None
        )
        width = max(len(printable(copy.path)) for copy in group.copies)
        for copy in group.copies:
            word = "keep" if copy.keep else ""
            click.echo(f"  {word:4}  {printable(copy.path):{width}}  {copy.why}")
    more = len(result) - _LISTED
    if more > 0:
        click.echo(f"and {more:,} more; -o FILE.csv lists them all")
    for name, path in files.items():
        if path is not None:
            click.echo(f"{printable(path)}  {'contact sheet' if name == 'sheet' else 'list'}")


def _facts(result: "DuplicateGroups", files: dict[str, Path | None]) -> dict[str, object]:
    fields = (
        *("path", "keep", "why", "label", "width", "height", "bytes", "type"),
        *("copy_of", "agreement", "correlation", "mirrored", "equal"),
    )
    return {
        "sentence": result.sentence,
        "images": result.images,
        "surplus": result.surplus,
        "uniform": result.uniform,
        "groups": [
            {
                "labels_differ": group.labels_differ,
                "images": [{name: getattr(copy, name) for name in fields} for copy in group.copies],
            }
            for group in result.groups
        ],
        "skipped": [{"path": path, "reason": reason} for path, reason in result.skipped],
        "notes": list(result.notes),
        **{name: str(path) for name, path in files.items() if path is not None},
    }
