"""`imrep caption IMAGE|FOLDER`: sentences that say what images show."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.embedding.captions import Captioned, Captioner
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_JOURNAL = ".part"  # suffix of the file that a run which was cut off resumes from


@click.command(
    epilog=options.example(
        "imrep caption photos/ words/model -o written.csv",
        "imrep caption cat.jpg words/model --count 3",
        "imrep caption cat.jpg words/model --nucleus .9 --json",
    )
)
@click.argument("data")
@click.argument("spec", type=options.SPEC, default="virtex")
@click.option(
    "-o",
    "--out",
    type=options.Output(dir_okay=False),
    help="csv file to write.  [default: the standard output]",
)
@click.option(
    "--count",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Captions of each image, the most probable first.",
)
@click.option(
    "--beam",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Captions that beam search follows side by side.  [default: 5, or --count]",
)
@click.option(
    "--nucleus",
    type=options.Number(0, 1),
    metavar="P",
    help="Draw words from the most probable ones, up to this probability in sum, in place of beam "
    "search.",
)
@click.option(
    "--official-quirk",
    is_flag=True,
    help="Leave the first symbol out after the first word, as VirTex's authors do.",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    spec: str,
    out: Path | None,
    count: int,
    beam: int | None,
    nucleus: float | None,
    official_quirk: bool,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Write captions of images.

    DATA is an image, or images as imrep --help lists them. SPEC is a representation with a decoder:
    virtex with published weights, or a folder of imrep train virtex. The csv has path, caption and
    score, the log-probability of the caption; with --count several rows an image. With -o, an
    interrupted run resumes when the command is repeated.
    """
    from imrep import datasets
    from imrep.cli import engine
    from imrep.embedding import captions
    from imrep.io.files import check_writable

    if out is not None:
        with screen.writing(out):
            check_writable(out)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    rep = _captioner(spec, device, machine.download)
    dataset = datasets.find([data] if Path(data).is_file() and _is_picture(data) else data)
    screen.notes(dataset.notes, machine.quiet)
    settings = captions.Settings(
        count=count,
        beam=beam or max(5, count),
        nucleus=nucleus or 0.0,
        official_quirk=official_quirk,
        seed=machine.seed,
        threads=threads,
        device=device,
        reading=reading,
    )
    journal = None if out is None else out.with_name(out.name + _JOURNAL)
    with (
        screen.writing(out or Path(), resumable=out is not None),
        screen.Meter(machine.quiet) as meter,
    ):
        finished = captions.captions(rep, dataset.items, settings, meter, journal)
        _write(finished, out, as_json, rep)
    if journal is not None:
        journal.unlink(missing_ok=True)
    skipped = [each for each in finished if each.reason]
    for each in skipped:
        click.secho(f"{printable(each.path)}: {each.reason}", fg="yellow", err=True)
    if strict and skipped:
        raise SystemExit(_SKIPPED)


def _captioner(spec: str, device: str, download: bool) -> "Captioner":
    """The representation, on its device.

    Raises:
        BadParameter: It writes no captions.
    """
    from imrep import factory
    from imrep.cli import engine
    from imrep.embedding.captions import Captioner
    from imrep.errors import BadParameter

    with engine.downloads(download):
        rep = factory.get(spec).eval().to(device)
    if not isinstance(rep, Captioner):
        raise BadParameter(
            f"caption needs a representation that writes captions, got {rep.spec}. Use virtex, or "
            "a folder of imrep train virtex."
        )
    return rep


def _is_picture(data: str) -> bool:
    from imrep.datasets import file_types

    return file_types.by_name(data) == "picture"


def _write(
    finished: "Sequence[Captioned]", out: Path | None, as_json: bool, rep: "Captioner"
) -> None:
    from imrep.io.files import write_text

    text = io.StringIO()
    rows = [
        [printable(each.path), caption, f"{score:.4f}"]
        for each in finished
        for caption, score in each.captions
    ]
    csv.writer(text, lineterminator="\n").writerows([["path", "caption", "score"], *rows])
    if out is not None:
        write_text(out, text.getvalue())
    if as_json:
        options.write_json(_facts(finished, out, rep))
    elif out is None:
        click.echo(text.getvalue(), nl=False)
    else:
        done = [each for each in finished if not each.reason]
        words = f"{several(len(rows), 'caption')} of {several(len(done), 'image')}"
        click.echo(f"{click.style(printable(out), bold=True)}  {words}")


def _facts(finished: "Sequence[Captioned]", out: Path | None, rep: "Captioner") -> dict[str, Any]:
    return {
        "spec": rep.spec,
        "out": None if out is None else str(out),
        "images": [
            {
                "path": each.path,
                "captions": [
                    {"caption": caption, "score": score} for caption, score in each.captions
                ],
            }
            for each in finished
            if not each.reason
        ],
        "skipped": [{"path": each.path, "reason": each.reason} for each in finished if each.reason],
    }
