"""`imrep compare`: a comparison of representations on a set of images."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import engine, options, screen
from imrep.cli.size_lines import size_lines
from imrep.cli.suspect_lines import suspect_lines
from imrep.comparison.conclusions.phrases import amount, percent_range
from imrep.errors import BadData
from imrep.io.names import command_line, printable
from imrep.plural import several
from imrep.results import OUTSIDE

if TYPE_CHECKING:
    from imrep.api import Comparison
    from imrep.images import Reading

_FOLDER = options.Output(file_okay=False)
_NAME_WIDTH = 8  # characters of the column of names if no name fits beside the numbers
_MIN_SIDE = 8  # pixels
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class _Sizes(click.ParamType):
    """Sides in pixels, separated by commas."""

    name = "sizes"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[int, ...]:
        """(32, 64, 128) from "32,64,128"."""
        try:
            sides = sorted({int(side) for side in value.split(",")})
        except ValueError:
            self.fail(
                f"sizes are whole numbers separated by commas, got {value!r}.", param, context
            )
        if not _MIN_SIDE <= sides[0] <= sides[-1] <= options.LARGEST_SIDE:
            self.fail(
                f"sizes are from {_MIN_SIDE} to {options.LARGEST_SIDE} pixels, got {value!r}.",
                param,
                context,
            )
        return tuple(sides)


@click.command(
    epilog="""\b
Examples:
  imrep compare                                  the built-in photographs
  imrep compare photos/                          every representation that can run here
  imrep compare photos/ -r hog -r hog+histogram  these only; a plus concatenates two
  imrep compare photos/ --sizes 32,64,128        also at these image sizes
  imrep compare photos/ --vectors mine=clip.npz  also vectors made elsewhere
  imrep compare cars.csv --target price          numbers instead of classes
  imrep compare photos/ --save model/            and the classifier, for imrep predict""",
)
@click.argument("data", required=False)
@click.option(
    "-r",
    "--representation",
    "specs",
    multiple=True,
    type=options.SPEC,
    metavar="SPEC",
    help="A representation to compare; repeatable.  [default: all that can run here]",
)
@click.option(
    "-o",
    "--out",
    type=_FOLDER,
    default=Path("report"),
    show_default=True,
    help="Folder for index.html, the report in one file, and its data beside it.",
)
@click.option(
    "--size",
    type=click.IntRange(_MIN_SIDE, options.LARGEST_SIDE),
    default=64,
    show_default=True,
    help="Side in pixels of the square to which each image is scaled and cropped.",
)
@click.option("--sizes", type=_Sizes(), help="Compare at these sizes too, e.g. 32,64,128.")
@click.option(
    "--margin",
    type=options.Number(0, 100),
    default=2.0,
    show_default=True,
    help="Percentage points of accuracy to trade for a lower cost.",
)
@click.option(
    "--no-cues",
    is_flag=True,
    help="Leave out what the classes hang on: colour, layout, outlines. It takes half a minute.",
)
@click.option(
    "--log",
    is_flag=True,
    help="Compare numbers by their ratios, so that a few large ones do not decide.",
)
@click.option(
    "--groups", type=_FILE, help="csv with path,group: images of a group stay in one fold."
)
@click.option(
    "--same-object", type=_FILE, help="csv with path,group: score retrieval within groups."
)
@click.option(
    "--target",
    metavar="NAME",
    help="The column that holds what is predicted.  [default: label, value or labels]",
)
@click.option(
    "--as",
    "target_kind",
    type=click.Choice(["class", "value", "labels"]),
    help="What that column holds: classes, numbers, or labels separated by |.",
)
@options.vectors
@click.option(
    "--ms",
    multiple=True,
    type=options.Named("NAME=N", options.Number(0, 1e9)),
    metavar="NAME=N",
    callback=options.by_name,
    help="Milliseconds an image of such vectors, if you know them.",
)
@click.option(
    "--save",
    type=_FOLDER,
    metavar="MODEL",
    help="Folder for the model that was measured, fitted to all images (imrep predict).",
)
@click.option(
    "--save-which",
    metavar="SPEC|together",
    help="The model to save.  [default: the recommended one, if there is one]",
)
@click.option(
    "--max-images",
    type=click.IntRange(2),
    metavar="N",
    help="Limit for the images, sampled with the classes in proportion.",
)
@click.option(
    "--cache-limit",
    type=options.CACHE_LIMIT,
    metavar="SIZE",
    help="Size of the cache above which old entries are deleted at the end, such as 500MB, "
    "or none.  [default: IMREP_CACHE_LIMIT, or 5GB]",
)
@options.renamed("--max", "--max-images", click.IntRange(2))
@options.renamed("--output", "--out", _FOLDER)
@options.reading
@options.download
@options.seed
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Threads for computing.  [default: all cores] Costs are measured on one.",
)
@options.device
@options.strict
@options.as_json
@options.quiet
def command(
    as_json: bool, quiet: bool, strict: bool, device: str, reading: "Reading", **params: Any
) -> None:
    """Compare representations on a set of images.

    DATA is a folder of class folders, a split.csv, or images as imrep --help lists them. The
    default is patches of ten built-in photographs. Without labels, the report has the measurements
    that need none. An interrupted run resumes when the command is repeated, and one representation
    more computes only that one: results are cached (imrep cache --help).
    """  # fmt: skip
    from imrep import api, images

    threads = engine.start(threads=params["threads"], seed=params["seed"])
    chosen = {name: value for name, value in params.items() if value is not None}
    chosen |= {"threads": threads, "device": engine.device(device)}
    chosen |= {"max_pixels": reading.max_pixels, "data_range": reading.data_range}
    if params["save_which"] and params["save"] is None:
        raise click.UsageError("--save-which needs a folder to save in. Add --save model/.")
    chosen["cues"] = not chosen.pop("no_cues")
    allowed, out = chosen.pop("download"), chosen.pop("out")
    data, specs = chosen.pop("data", None), chosen.pop("specs")
    before = _reported(out)
    with (
        screen.writing(out, resumable=True),
        screen.Meter(quiet) as meter,
        engine.downloads(allowed),
        images.noting(),  # the verdict says it
    ):
        comparison = api.compare(data, specs or None, out, progress=meter, **chosen)
    if before not in ("", _reported(out)):
        screen.remark(f"{printable(out)} contained a report on {before}; it is replaced", quiet)
    if as_json:
        options.write_json({"report": str(comparison.report), "verdict": comparison.verdict,
                            "pick": comparison.pick, "table": comparison.table(),
                            "by_size": comparison.by_size(),
                            "saved": _saved(comparison),
                            "suspects": comparison.suspects(),
                            "cues": comparison.cues()})  # fmt: skip
    else:
        _print(comparison, quiet)
    if strict and comparison.skipped:
        raise SystemExit(3)


def _reported(out: Path) -> str:
    """The data of the report in a folder; "" if there is no readable report."""
    from imrep import results

    try:
        return next((row.data_name for row in results.read(out / results.FILENAME)), "")
    except (BadData, OSError, UnicodeDecodeError):
        return ""


def _print(comparison: "Comparison", quiet: bool) -> None:
    """The verdict, the table and the path of the report."""
    _emphasised(comparison.verdict["text"])
    for warning in comparison.verdict["warnings"]:
        click.secho(warning["text"], fg="yellow")
    if not quiet:
        texts = [note["text"] for note in comparison.verdict["notes"]]
        texts += [f"Left out: {reason}" for reason in comparison.absent.values()]
        for line in texts:
            _emphasised(line, dim=True)
    if comparison.skipped:
        listed = printable(comparison.folder / "skipped.csv")
        text = f"{several(comparison.skipped, 'file')} could not be read; {listed} has the reasons."
        click.secho(text, fg="yellow")
    _odd(comparison)
    click.echo()
    _table(comparison)
    for lines in filter(None, (suspect_lines(comparison), size_lines(comparison))):
        click.echo("\n" + "\n".join(lines))
    click.echo(f"\n{printable(comparison.report)}")
    _print_saved(comparison)


def _print_saved(comparison: "Comparison") -> None:
    """What became of `--save`, and the command that uses it."""
    if comparison.saved_text:
        click.echo(printable(comparison.saved_text))
    if comparison.saved:
        words = ["imrep", "predict", str(comparison.saved), "new/", "-o", "answers.csv"]
        click.secho(command_line(words), dim=True)


def _saved(comparison: "Comparison") -> str | None:
    """The folder of the saved classifier."""
    return str(comparison.saved) if comparison.saved else None


def _odd(comparison: "Comparison") -> None:
    """How many images look odd, and where they are listed."""
    if comparison.odd:
        listed = printable(comparison.folder / "pictures.csv")
        looks = several(comparison.odd, "picture looks", "pictures look")
        click.secho(f"{looks} odd: {listed}", dim=True)


def _emphasised(text: str, dim: bool = False) -> None:
    """A line whose **marks** are bold."""
    for i, part in enumerate(text.split("**")):
        click.secho(part, bold=bool(i % 2), dim=dim and not i % 2, nl=False)
    click.echo()


def _table(comparison: "Comparison") -> None:
    """In descending order; the pick and the representations tied with it are marked."""
    lines, equals = comparison.table(), comparison.verdict["equals"]
    columns = [column for column in _COLUMNS if any(column[0] in line for line in lines)]
    heads = "".join(f"  {head:>{width}}" for _, head, width, _ in columns)
    names = [len(line["spec"]) for line in lines]
    width = max(names)
    if sys.stdout.isatty():  # longer names are printed on a line of their own
        room = shutil.get_terminal_size().columns - len(heads) - 2
        width = max([name for name in names if name <= room], default=_NAME_WIDTH)
    click.secho(f"  {'':{width}}{heads}", dim=True)
    outside = {row.spec for row in comparison.rows if row.fitted_on == "outside"}
    stated = {row.spec for row in comparison.rows if row.metric == "ms_stated"}
    trained = {row.spec: row.detail for row in comparison.rows if row.metric == "trained"}
    marks = {line["spec"]: _MARKS[line["role"]] for line in lines if line["role"] in _MARKS}
    marks |= {spec: "○" for spec in equals if comparison.pick} | {comparison.pick: "●"}
    for line in lines:
        mark = marks.get(line["spec"], " ")
        own_line = len(line["spec"]) > width
        name = line["spec"] + f"\n  {'':{width}}" if own_line else f"{line['spec']:{width}}"
        is_dim = line.get("names") == "numbers"
        click.secho(f"{mark} {name}", nl=False, bold=mark == "●", dim=is_dim)
        cells = (text(line) if key in line else "-" for key, _, _, text in columns)
        widths = (column[2] for column in columns)
        row = "".join(f"  {cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        click.secho(row, dim=is_dim)
        if line["spec"] in outside:
            time = f" ms: {line['ms']:g}, as you said." if line["spec"] in stated else ""
            click.secho(f"  {'':{width}}  {OUTSIDE}{time}", dim=True)
        if line["spec"] in trained:
            budget = f"Trained for {trained[line['spec']]} on the training part of each fold."
            click.secho(f"  {'':{width}}  {budget}", dim=True)
    ranked = [line for line in lines if line["role"] not in _MARKS]
    used = {marks.get(line["spec"], "") for line in lines}
    legend = [
        ("●", "the only one" if len(ranked) == 1 else "recommended"),
        ("○", "tied with the best"),
        ("◆", "weighted, of those above"),
        ("◇", "no labels needed"),
    ]
    click.secho("   ".join(f"{mark} {means}" for mark, means in legend if mark in used), dim=True)


_MARKS = {"together": "◆", "zeroshot": "◇"}


def _ends(low: str, high: str) -> Callable[[dict[str, Any]], str]:
    return lambda line: percent_range(line[low], line[high])


_COLUMNS: tuple[tuple[str, str, int, Callable[[dict[str, Any]], str]], ...] = (
    ("accuracy", "accuracy", 8, lambda line: f"{100 * line['accuracy']:.1f}%"),
    ("precision", "mAP", 8, lambda line: f"{100 * line['precision']:.1f}%"),
    ("r2", "R²", 8, lambda line: f"{100 * line['r2']:.1f}%"),
    ("lo", "95% CI", 7, _ends("lo", "hi")),
    ("error", "error", 7, lambda line: amount(line["error"])),
    ("by", "by", 11, lambda line: str(line["by"])),
    ("linear", "linear", 6, lambda line: f"{100 * line['linear']:.0f}%"),
    ("knn", "kNN", 5, lambda line: f"{100 * line['knn']:.0f}%"),
    ("object", "mAP", 6, lambda line: f"{100 * line['object']:.1f}%"),
    ("object_lo", "95% CI", 7, _ends("object_lo", "object_hi")),
    ("text_to_image", "text R@1", 8, lambda line: f"{100 * line['text_to_image']:.0f}%"),
    ("kept", "R² image", 8, lambda line: f"{100 * line['kept']:.0f}%"),
    ("moves", "sensitivity", 11, lambda line: f"{line['moves']:.2f}"),
    ("ms", "ms", 8, lambda line: f"{line['ms']:.3f}"),
    ("bytes", "bytes", 7, lambda line: f"{line['bytes']:.0f}"),
)
