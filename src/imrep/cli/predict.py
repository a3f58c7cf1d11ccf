"""`imrep predict MODEL DATA`: classes, numbers or labels of new images by a saved model."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import answer_rows, options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import Answers, LabelAnswers, NumberAnswers
    from imrep.api.image_model import ImageModel
    from imrep.api.saved_model import AnyModel
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_MAX_NAMES = 5  # of unlike images in the sentence


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
    help="Leave labels out below this probability.  [default: 0; 0.5 of several labels]",
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
    at_least: float | None,
    unlike: bool,
    vectors: dict[str, Path] | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Predict the class, number or labels of new images by a saved model.

    MODEL is a folder of imrep compare --save. DATA is images, or what imrep --help lists; labels in
    it are not used. The csv has path, label and p, the calibrated probability; of a number value,
    lo and hi, an interval for 90 % of new images; of several labels these, separated by |, and the
    probability of each. --unlike adds the distance to the images that the model was fitted to:
    above 1 it is larger than that of 99 % of left-out images. With -o, an interrupted run resumes
    when the command is repeated.
    """
    from imrep.estimators.neighbourhood import USUAL

    began = time.perf_counter()
    chosen = {"at_least": at_least, "unlike": unlike, "vectors": vectors}
    with _answers(model, data, out, machine, reading, chosen, top) as (own, answers):
        screen.notes(answers.notes, machine.quiet)
        rows = _rows(answers, top)
        if out is None and not as_json:
            click.echo(answer_rows.as_csv(rows), nl=False)
        elif out is not None:
            _write(out, rows)
        if as_json:
            options.write_json(_facts(own, answers, out, top))
        elif out is not None:
            click.echo(_page(out, answers, time.perf_counter() - began))
    for path, reason in answers.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if unlike:
        screen.remark(_unlike(answers, USUAL), machine.quiet)
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
    top: int,
) -> "Iterator[tuple[AnyModel, Answers | NumberAnswers | LabelAnswers]]":
    """The model and its answers; finished work stays beside `out` unless the block ends."""
    from imrep.api import image_model, saved_model
    from imrep.cli import engine
    from imrep.io.files import check_writable

    if out is not None:
        with screen.writing(out):
            check_writable(out)
    if not data and not chosen["vectors"]:
        raise click.UsageError("predict needs DATA, the images. Try: imrep predict MODEL new/")
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        own = saved_model.load_model(model)
    _check(own, chosen["at_least"], top)
    screen.remark(own.measured_text, machine.quiet)
    settings = image_model.Options(
        threads=threads,
        device=engine.device(machine.device),
        max_pixels=reading.max_pixels,
        data_range=reading.data_range,
        **chosen,
    )
    generic: ImageModel[Any] = own
    images = (data[0] if len(data) == 1 else list(data)) if data else None
    with (
        tempfile.TemporaryDirectory() as folder,
        screen.writing(out or Path(folder), resumable=out is not None),
        screen.Meter(machine.quiet) as meter,
        image_model.answering(
            generic, images, out or Path(folder) / "answers", settings, meter
        ) as answers,
    ):
        yield own, answers


def _check(model: "AnyModel", at_least: float | None, top: int) -> None:
    """Refuse options that mean nothing for the model."""
    from imrep.api import ImageClassifier, ImageRegressor

    if at_least is not None and isinstance(model, ImageRegressor):
        raise click.UsageError(
            f"--at-least needs classes or labels; the model gives {model.target}."
        )
    if top > 1 and not isinstance(model, ImageClassifier):
        raise click.UsageError("--top needs a model of classes; this one gives all it has.")


def _rows(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> Iterator[list[str]]:
    """The header, and a row for each image."""
    yield answer_rows.header(answers, top)
    yield from answer_rows.rows(answers, top)


def _write(out: Path, rows: Iterator[list[str]]) -> None:
    from imrep.io.files import write_text

    write_text(out, answer_rows.as_csv(rows))


def _page(out: Path, answers: "Answers | NumberAnswers | LabelAnswers", seconds: float) -> str:
    from imrep.api import Answers

    lines = [
        f"{click.style(str(out), bold=True)}  {several(len(answers), 'image')}, {seconds:.1f} s"
    ]
    if isinstance(answers, Answers):
        unsure = sum(not label for label in answers.labels) - len(answers.skipped)
        if unsure:
            lines.append(f"{unsure:,} without a label, below {answers.at_least:g}")
    if answers.skipped:
        lines.append(f"{several(len(answers.skipped), 'file')} could not be read")
    return "\n".join(lines)


def _unlike(answers: "Answers | NumberAnswers | LabelAnswers", usual: float) -> str:
    names = answers.unlike
    if not names:
        return "No image is unlike those that the model was fitted to."
    listed = ", ".join(map(printable, names[:_MAX_NAMES])) + (" …" if names[_MAX_NAMES:] else "")
    are = "is" if len(names) == 1 else "are"
    return (
        f"{several(len(names), 'image')} {are} unlike those that the model was fitted to "
        f"(farther away than {100 * usual:.0f} % of left-out images): {listed}"
    )


def _facts(
    model: "AnyModel",
    answers: "Answers | NumberAnswers | LabelAnswers",
    out: Path | None,
    top: int,
) -> dict[str, object]:
    facts: dict[str, object] = {
        "spec": model.spec,
        "measured": asdict(model.measured),
        "skipped": [{"path": path, "reason": reason} for path, reason in answers.skipped],
        "unlike": list(answers.unlike) if answers.distances is not None else None,
        "notes": list(answers.notes),
    }
    if out is not None:
        return facts | {"out": str(out), "images": len(answers)}
    return facts | {"answers": answer_rows.facts(answers, top)}
