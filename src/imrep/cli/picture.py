"""`imrep picture IMAGE SPEC`: what the code of an image looks like."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.errors import NotFitted
from imrep.io.names import printable

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation
    from imrep.images import Reading

_LONGEST = 512


@click.command(
    epilog=options.example(
        "imrep picture cat.jpg hog",
        "imrep picture cat.jpg sift:detector=opencv -o points.png",
    )
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("spec", type=options.SPEC)
@click.option("-o", "--out", type=options.OUTPUT, help="PNG to write.")
@options.size
@click.option("--fit", "data", metavar="DATA", help="Images to fit a codebook on, if it needs one.")
@options.reading
@options.machine
def command(
    image: Path,
    spec: str,
    out: Path | None,
    size: int | None,
    data: str | None,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Draw the code of an image.

    Without --size the complete image is used, reduced to 512 pixels if its longer side exceeds
    them. Networks with a fixed input size use that. The default of -o is IMAGE.SPEC.png.
    """
    from imrep import factory, images
    from imrep.cli import engine

    engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval()
    mark = outputs.mark("picture", image)
    out = outputs.ready(out, outputs.beside(image, rep.spec), mark, image)
    side = engine.side(size, rep.canvas)
    longest = None if size == options.NATIVE else _LONGEST
    pixels = engine.image(image, side, reading=reading, longest=longest)
    screen.remark(f"{rep.spec} of {pixels.shape[3]} × {pixels.shape[2]}", not machine.verbose)
    if data is not None:
        _fit(rep, data, side, reading, machine)
    picture = _draw(rep, pixels, machine.quiet)
    with screen.writing(out):
        images.write(out, picture, mark=mark)
    click.echo(f"{printable(out)}  {picture.shape[3]} × {picture.shape[2]}")


def _fit(
    rep: "Representation",
    data: str,
    side: int | None,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    from imrep import datasets
    from imrep.embedding import fitting, vector_file

    settings = vector_file.Settings(size=side or vector_file.SIZE, reading=reading)
    with screen.Meter(machine.quiet) as meter:
        dataset = datasets.find(data)
        screen.notes(dataset.notes, machine.quiet)
        count = fitting.fit(rep, dataset.items, settings, machine.seed, meter)
    screen.remark(f"fitted on {count:,} images of {data}", machine.quiet)


def _draw(rep: "Representation", pixels: "Tensor", quiet: bool) -> "Tensor":
    """The picture. A codebook that it needs is fitted on the image itself."""
    import torch

    from imrep.base import Fitted, Sum

    with torch.no_grad():
        code = rep.encode(pixels)
        try:
            return rep.picture(code, pixels)
        except NotFitted:
            if isinstance(rep, Fitted | Sum):
                rep.fit(pixels)
        screen.remark("fitted on this image alone; --fit DATA takes a folder", quiet)
        return rep.picture(rep.encode(pixels), pixels)
