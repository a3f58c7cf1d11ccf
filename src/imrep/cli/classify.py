"""`imrep classify DATA --labels "a cat, a dog"`: classes by their names, without any training."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import answer_rows, options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import ZeroShotAnswers
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_SUFFIXES = (".csv", ".parquet")


@click.command(
    epilog=options.example(
        'imrep classify cat.jpg --labels "a cat, a dog"',
        "imrep classify photos/ --labels labels.txt -o classes.csv",
        'imrep classify photos/ --templates "a satellite photo of {}."',
    )
)
@click.argument("data")
@click.option(
    "--labels",
    metavar="LABELS",
    help="Labels with commas between, or a file with one a line.  [default: the names of the "
    "classes that the images have]",
)
@click.option(
    "--templates",
    multiple=True,
    metavar="TEXT",
    help="A sentence with {} where the label goes, or a file with one a line; repeatable. openai "
    "and simple are those of open_clip.  [default: four plain ones]",
)
@click.option(
    "-r",
    "--representation",
    "spec",
    type=options.SPEC,
    metavar="SPEC",
    default="clip",
    show_default=True,
    help="What embeds images and labels.",
)
@click.option(
    "-o",
    "--out",
    type=options.Output(dir_okay=False),
    help="csv or parquet file to write.  [default: the standard output]",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Labels of each image, the most probable first.",
)
@options.square_size
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    labels: str | None,
    templates: tuple[str, ...],
    spec: str,
    out: Path | None,
    top: int,
    size: int | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Classify images by the names of the classes, without any training.

    DATA is an image, or images as imrep --help lists them. p is the share of a label among these
    labels only, whatever the image shows. Where the images have classes that are among the labels,
    their accuracy is printed with its interval. Vectors are cached: the same folder is embedded
    once.
    """
    from imrep import api
    from imrep.cli import engine
    from imrep.io.files import check_writable

    if out is not None:
        _check(out)
        with screen.writing(out):
            check_writable(out)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download), screen.Meter(machine.quiet) as meter:
        answers = api.classify(
            data,
            spec,
            labels,
            templates=templates or None,
            size=64 if size is None else size or None,
            threads=threads,
            device=engine.device(machine.device),
            download=machine.download,
            max_pixels=reading.max_pixels,
            data_range=reading.data_range,
            progress=meter,
        )
    screen.notes(answers.notes, machine.quiet)
    if out is not None:
        with screen.writing(out):
            _write(out, answers, top)
    if as_json:
        options.write_json(_facts(answers, out, top))
    else:
        _print(answers, out, top, machine.quiet)
    for path, reason in answers.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and answers.skipped:
        raise SystemExit(_SKIPPED)


def _check(out: Path) -> None:
    if out.suffix.lower() not in _SUFFIXES:
        raise click.UsageError(
            f"classify writes {' or '.join(_SUFFIXES)}, got {out.name!r}. Try {out.stem}.csv."
        )


def _print(answers: "ZeroShotAnswers", out: Path | None, top: int, quiet: bool) -> None:
    """A table of one image's labels, or the csv, or where it is; then the accuracy."""
    screen.remark(answers.among, quiet)
    if out is not None:
        click.echo(f"{click.style(str(out), bold=True)}  {several(len(answers), 'image')}")
    elif len(answers) == 1 and not answers.skipped:
        shares = answers.top(max(top, len(answers.classes)) if top == 1 else top)[0]
        width = max(len(name) for name, _ in shares)
        for name, p in shares:
            click.echo(f"{printable(name):{width}}  {100 * p:5.1f} %")
    else:
        rows = [answer_rows.header(answers, top), *answer_rows.rows(answers, top)]
        click.echo(answer_rows.as_csv(rows), nl=False)
    if answers.accuracy is not None:
        texts = [f"accuracy {answers.accuracy.text}, no labels needed"]
        texts += [f"top-5 {answers.top5.text}"] if answers.top5 else []
        for text in texts:  # the csv on the standard output stays a csv
            click.secho(text, bold=True, err=out is None)


def _write(out: Path, answers: "ZeroShotAnswers", top: int) -> None:
    from imrep.io.files import write_text

    rows = [answer_rows.header(answers, top), *answer_rows.rows(answers, top)]
    if out.suffix.lower() == ".csv":
        write_text(out, answer_rows.as_csv(rows))
    else:
        answer_rows.write_parquet(out, rows)


def _facts(answers: "ZeroShotAnswers", out: Path | None, top: int) -> dict[str, object]:
    from dataclasses import asdict

    figures = {"accuracy": answers.accuracy, "top5": answers.top5}
    return {
        "spec": answers.spec,
        "labels": list(answers.classes),
        "templates": list(answers.templates),
        "among": answers.among,
        **{name: None if each is None else asdict(each) for name, each in figures.items()},
        "skipped": [{"path": path, "reason": reason} for path, reason in answers.skipped],
        "notes": list(answers.notes),
        **({"out": str(out)} if out else {"answers": answer_rows.facts(answers, top)}),
    }
