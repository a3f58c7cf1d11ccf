"""`imrep predict MODEL DATA`: classes of new images by a classifier that `compare` saved."""

import csv
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import Answers, ImageClassifier
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_MAX_NAMES = 5  # of unlike images in the sentence
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    epilog=options.example(
        "imrep predict model/ new/ -o answers.csv",
        "imrep predict model/ new/*.jpg --at-least .8 --unlike",
    )
)
@click.argument("model", type=click.Path(path_type=Path, file_okay=False))
@click.argument("data", nargs=-1)
@click.option(
    "-o",
    "--out",
    type=options.Output(dir_okay=False),
    help="csv file to write.  [default: the standard output]",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Classes of each image, the most probable first.",
)
@click.option(
    "--at-least",
    type=options.Number(0, 1),
    metavar="P",
    default=0.0,
    help="Leave the label empty below this probability.",
)
@click.option(
    "--unlike", is_flag=True, help="Name images that are unlike all that it was fitted to."
)
@options.vectors
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    model: Path,
    data: tuple[str, ...],
    out: Path | None,
    top: int,
    at_least: float,
    unlike: bool,
    vectors: dict[str, Path] | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Name the classes of new images by a saved classifier.

    MODEL is a folder of imrep compare --save. DATA is a folder of images, a split.csv, a zip, a
    parquet, a glob, or images; labels in it are not used. The csv has path, label and p, the
    calibrated probability. --unlike adds the distance to the images that the classifier was
    fitted to: above 1 it is larger than that of 99 % of left-out images. With -o, an interrupted
    run resumes when the command is repeated.
    """
    from imrep.api import image_classifier

    began = time.perf_counter()
    chosen = {"at_least": at_least, "unlike": unlike, "vectors": vectors}
    with _answers(model, data, out, machine, reading, chosen) as (classifier, answers):
        screen.notes(answers.notes, machine.quiet)
        rows = _rows(answers, top)
        if out is None and not as_json:
            click.echo(_csv(rows), nl=False)
        elif out is not None:
            _write(out, rows)
        if as_json:
            options.write_json(_facts(classifier, answers, out, top))
        elif out is not None:
            click.echo(_page(out, answers, time.perf_counter() - began))
    for path, reason in answers.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if unlike:
        screen.remark(_unlike(answers, image_classifier.USUAL), machine.quiet)
    if strict and answers.skipped:
        raise SystemExit(_SKIPPED)


@contextmanager
def _answers(
    model: Path,
    data: tuple[str, ...],
    out: Path | None,
    machine: options.Machine,
    reading: "Reading",
    chosen: dict[str, Any],
) -> "Iterator[tuple[ImageClassifier, Answers]]":
    """The classifier and its answers; finished work stays beside `out` unless the block ends."""
    from imrep.api import image_classifier
    from imrep.cli import engine
    from imrep.io.files import check_writable

    if out is not None:
        with screen.writing(out):
            check_writable(out)
    if not data and not chosen["vectors"]:
        raise click.UsageError("predict needs DATA, the images. Try: imrep predict MODEL new/")
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        classifier = image_classifier.load_model(model)
    screen.remark(image_classifier.measured_text(classifier), machine.quiet)
    settings = image_classifier.Options(
        threads=threads,
        device=engine.device(machine.device),
        max_pixels=reading.max_pixels,
        data_range=reading.data_range,
        **chosen,
    )
    images = (data[0] if len(data) == 1 else list(data)) if data else None
    with (
        tempfile.TemporaryDirectory() as folder,
        screen.writing(out or Path(folder), resumable=out is not None),
        screen.Meter(machine.quiet) as meter,
        image_classifier.answering(
            classifier, images, out or Path(folder) / "answers", settings, meter
        ) as answers,
    ):
        yield classifier, answers


def _rows(answers: "Answers", top: int) -> Iterator[list[str]]:
    """The header, and a row for each image."""
    count = min(top, len(answers.classes))
    further = [f"{name}{k}" for k in range(2, count + 1) for name in ("label", "p")]
    distances = answers.distances
    yield ["path", "label", "p", *further, *([] if distances is None else ["distance"])]
    best = answers.top(count)
    for i, path in enumerate(answers.paths):
        cells = [cell for label, p in best[i] for cell in (label, f"{p:.6f}")] or [""] * 2 * count
        cells[0] = answers.labels[i]
        if distances is not None:
            cells.append(f"{distances[i]:.4f}" if best[i] else "")
        yield [path, *cells]


def _csv(rows: Iterator[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*map(printable, row)] for row in rows)
    return text.getvalue()


def _write(out: Path, rows: Iterator[list[str]]) -> None:
    from imrep.io.files import write_text

    write_text(out, _csv(rows))


def _page(out: Path, answers: "Answers", seconds: float) -> str:
    lines = [
        f"{click.style(str(out), bold=True)}  {several(len(answers), 'image')}, {seconds:.1f} s"
    ]
    unsure = sum(not label for label in answers.labels) - len(answers.skipped)
    if unsure:
        lines.append(f"{unsure:,} without a label, below {answers.at_least:g}")
    if answers.skipped:
        lines.append(f"{several(len(answers.skipped), 'file')} could not be read")
    return "\n".join(lines)


def _unlike(answers: "Answers", usual: float) -> str:
    names = answers.unlike
    if not names:
        return "No image is unlike those that the classifier was fitted to."
    listed = ", ".join(map(printable, names[:_MAX_NAMES])) + (" …" if names[_MAX_NAMES:] else "")
    are = "is" if len(names) == 1 else "are"
    return (
        f"{several(len(names), 'image')} {are} unlike those that the classifier was fitted to "
        f"(farther away than {100 * usual:.0f} % of left-out images): {listed}"
    )


def _facts(
    classifier: "ImageClassifier", answers: "Answers", out: Path | None, top: int
) -> dict[str, object]:
    facts: dict[str, object] = {
        "spec": classifier.spec,
        "measured": asdict(classifier.measured),
        "skipped": [{"path": path, "reason": reason} for path, reason in answers.skipped],
        "unlike": list(answers.unlike) if answers.distances is not None else None,
        "notes": list(answers.notes),
    }
    if out is not None:
        return facts | {"out": str(out), "images": len(answers)}
    distances = answers.distances
    lines = zip(answers.paths, answers.labels, answers.top(top), strict=True)
    return facts | {
        "answers": [
            {
                "path": path,
                "label": label,
                "p": best[0][1] if best else None,
                "top": [{"label": name, "p": p} for name, p in best],
                **({} if distances is None else {"distance": float(distances[i])}),
            }
            for i, (path, label, best) in enumerate(lines)
        ]
    }
