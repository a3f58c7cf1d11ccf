"""`imrep segment IMAGE SPEC`: the class of each pixel, as a mask, an overlay and areas."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, outputs, screen
from imrep.errors import BadParameter
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.images import Reading
    from imrep.segmentation import Segmented

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep segment street.jpg ikshana:weights=seg",
        "imrep segment photos/ ikshana:weights=seg -o segmented/ --json",
    )
)
@click.argument("data", metavar="IMAGE")
@click.argument("spec", type=options.SPEC)
@click.option(
    "-o",
    "--out",
    type=options.Output(file_okay=False),
    help="Folder to write.  [default: IMAGE.segmented]",
)
@click.option(
    "--size",
    type=options.SIDE,
    metavar="S",
    help="Short side in pixels of the image that the network sees, or native.  [default: that of "
    "its training, else at most 512]",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    spec: str,
    out: Path | None,
    size: int | None,
    as_json: bool,
    strict: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Segment images: the class of each pixel.

    IMAGE is an image, or what holds several: a folder, a zip, a parquet, a glob. SPEC is a
    representation that segments, trained by imrep train. The folder gets masks/ (class numbers as
    PNG with the classes' colours), overlays/ (the colours over the image), areas.csv (each class's
    share of each image) and classes.csv. Masks have their image's size. An interrupted run is
    continued by running the same command again.
    """
    from imrep import datasets, factory, segmentation
    from imrep.cli import engine

    engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval().to(device)
    if not isinstance(rep, segmentation.Segmenting):
        raise BadParameter(
            f"segment needs a representation that segments, got {rep.spec}. "
            "Try ikshana:weights=FOLDER, trained by imrep train."
        )
    dataset = datasets.find(data)
    out = out or Path(f"{outputs.name_of(data)}.segmented")
    if datasets.holds_many(data):
        files = [item.file for item in dataset.items if item.file]
        outputs.check_separate(data, out, files, "segment")
    screen.notes(dataset.notes, machine.quiet)
    with screen.writing(out, resumable=True), screen.Meter(machine.quiet) as meter:
        segmented = segmentation.segment_folder(
            dataset.items, rep, out, side=size, device=device, reading=reading, progress=meter
        )
    if as_json:
        options.write_json(_facts(segmented) | {"spec": rep.spec, "notes": list(dataset.notes)})
    else:
        _print(segmented)
    if strict and segmented.skipped:
        raise SystemExit(_SKIPPED)


def _mean_shares(segmented: "Segmented") -> dict[str, float]:
    """The mean share of each class, the largest first."""
    columns = zip(*(each.shares for each in segmented.areas), strict=True)
    means = [sum(column) / len(segmented.areas) for column in columns]
    pairs = zip(segmented.labels, means, strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def _print(segmented: "Segmented") -> None:
    click.secho(printable(segmented.folder), bold=True, nl=False)
    click.echo(f"  masks and overlays of {several(len(segmented.areas), 'image')}")
    colours = dict(zip(segmented.labels, segmented.colours, strict=True))
    for name, share in _mean_shares(segmented).items():
        if share:
            sample = click.style("■", fg=colours[name])
            click.echo(f"{100 * share:5.1f} % {sample} {printable(name)}")
    if segmented.resumed:
        click.echo(f"{several(segmented.resumed, 'image')} of an interrupted run")
    for path, reason in segmented.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)


def _facts(segmented: "Segmented") -> dict[str, Any]:
    return {
        "out": str(segmented.folder),
        "images": [
            {"path": each.path, "areas": dict(zip(segmented.labels, each.shares, strict=True))}
            for each in segmented.areas
        ],
        "areas": _mean_shares(segmented),
        "skipped": [{"path": path, "reason": reason} for path, reason in segmented.skipped],
    }
