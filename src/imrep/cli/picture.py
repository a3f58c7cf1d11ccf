"""`imrep picture IMAGE SPEC`: what a representation computes of an image."""

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
    from imrep.visualisation.patches import Patch

_METHODS = (
    "code",
    "filters",
    "gradient",
    "deconvnet",
    "guided-backpropagation",
    "grad-cam",
    "patches",
)
_LONGEST = 512


@click.command(
    epilog=options.example(
        "imrep picture cat.jpg hog",
        "imrep picture cat.jpg sift:detector=opencv -o points.png",
        "imrep picture cat.jpg cnn:arch=tf_efficientnet_lite0,layer=2 --method deconvnet",
        "imrep picture cat.jpg cnn:arch=tf_efficientnet_lite0 --method grad-cam --label tabby",
        "imrep picture photos/ cnn:arch=tf_efficientnet_lite0,layer=2 --channel 17",
    )
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("spec", type=options.SPEC)
@click.option("-o", "--out", type=options.OUTPUT, help="PNG to write.")
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    metavar="METHOD",
    help=f"One of {', '.join(_METHODS)}.  [default: code; of a folder, patches]",
)
@click.option("--channel", type=click.IntRange(0), metavar="N", help="Map of the code, from 0.")
@click.option(
    "--label",
    metavar="CLASS",
    help="Class for grad-cam, by name or number.  [default: the most probable]",
)
@options.size
@click.option("--fit", "data", metavar="DATA", help="Images to fit a codebook on, if it needs one.")
@options.reading
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    image: Path,
    spec: str,
    out: Path | None,
    method: str | None,
    channel: int | None,
    label: str | None,
    size: int | None,
    data: str | None,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Draw what a representation computes of an image.

    The default is its code; with --channel, one map of it over the image. Other methods look into
    networks: filters are those of the first layer, beside their responses. gradient, deconvnet and
    guided-backpropagation carry the strongest activation of --channel back to pixels, or without it
    all maps. grad-cam shows what speaks for a class. If IMAGE is a folder, the nine patches of its
    images that excite --channel most are drawn, beside what in each excites it.

    Without --size the complete image is used, reduced to 512 pixels if its longer side exceeds
    them; images of a folder are read at 64 pixels. Networks with a fixed input size use that. The
    default of -o is IMAGE.SPEC.png.
    """
    from imrep import factory, images
    from imrep.cli import engine

    engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval()
    mark = outputs.mark("picture", image)
    words = [method or "", "" if channel is None else str(channel), label or ""]
    out = outputs.ready(out, outputs.beside(image, rep.spec, *words), mark, image)
    side = engine.side(size, rep.canvas)
    if image.is_dir() or method == "patches":
        picture, lines = _patches(rep, image, (channel, label), side, reading, machine)
    else:
        longest = None if size == options.NATIVE else _LONGEST
        pixels = engine.image(image, side, reading=reading, longest=longest)
        screen.remark(f"{rep.spec} of {pixels.shape[3]} × {pixels.shape[2]}", not machine.verbose)
        if data is not None:
            _fit(rep, data, side, reading, machine)
        if method == "grad-cam" and channel is None:
            picture, lines = _explained(rep, pixels, label)
        else:
            picture = _draw(rep, pixels, method or "code", channel, label, machine.quiet)
            lines = []
    with screen.writing(out):
        images.write(out, picture, mark=mark)
    click.echo("\n".join([f"{printable(out)}  {picture.shape[3]} × {picture.shape[2]}", *lines]))


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


def _patches(
    rep: "Representation",
    folder: Path,
    chosen: tuple[int | None, str | None],
    side: int | None,
    reading: "Reading",
    machine: options.Machine,
) -> tuple["Tensor", list[str]]:
    """The sheet of the strongest patches, and a line for each."""
    from imrep import datasets, visualisation
    from imrep.embedding import vector_file
    from imrep.visualisation import patches

    channel = visualisation.check_patches(*chosen)
    size = side or vector_file.SIZE
    settings = vector_file.Settings(size=size, threads=1, reading=rep.framed(reading))
    with screen.Meter(machine.quiet) as meter:
        dataset = datasets.find(folder)
        screen.notes(dataset.notes, machine.quiet)
        best = patches.strongest_patches(rep, dataset.items, channel, settings, progress=meter)
    return patches.sheet(best), [_line(patch) for patch in best]


def _line(patch: "Patch") -> str:
    top, left, bottom, right = patch.box
    field = f"{right - left} × {bottom - top} at ({left}, {top})"
    return f"{patch.activation:9.4g}  {field:<22}  {printable(patch.path)}"


def _draw(
    rep: "Representation",
    pixels: "Tensor",
    method: str,
    channel: int | None,
    label: str | None,
    quiet: bool,
) -> "Tensor":
    """The picture. A codebook that it needs is fitted on the image itself."""
    from imrep import visualisation
    from imrep.base import Fitted, Sum

    try:
        return visualisation.picture(rep, pixels, method, channel=channel, label=label)
    except NotFitted:
        if isinstance(rep, Fitted | Sum):
            rep.fit(pixels)
    screen.remark("fitted on this image alone; --fit DATA takes a folder", quiet)
    return visualisation.picture(rep, pixels, method, channel=channel, label=label)


def _explained(
    rep: "Representation", pixels: "Tensor", label: str | None
) -> tuple["Tensor", list[str]]:
    """The picture of Grad-CAM, and the class that it explains."""
    from imrep.drawing import heat
    from imrep.visualisation.grad_cam import evidence

    explained = evidence(rep, pixels, label)
    line = f"{explained.names[0]}  {explained.probabilities[0]:.1%}"
    return heat(explained.values, pixels), [line]
