"""`imrep invert IMAGE SPEC`: the reconstruction of an image from its code, with its error."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from imrep.cli import options, outputs, screen
from imrep.io.names import printable

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation
    from imrep.images import Reading
    from imrep.inversion import Inversion

_LONGEST = 256  # px: a search encodes the image some hundred times
_METHODS = {
    "exact": "by its exact inverse",
    "approximate": "by its approximate inverse",
    "iterative": "by its iterative inverse",
    "gradient": "by a gradient search for an image with this code",
}


@click.command(
    epilog=options.example(
        "imrep invert cat.jpg hog",
        "imrep invert cat.jpg laplacian:levels=3 --size native --json",
        "imrep invert cat.jpg cnn:arch=tf_efficientnet_lite0,layer=0/4 --by-layer --iterations 60",
    )
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("spec", type=options.SPEC)
@click.option("-o", "--out", type=options.OUTPUT, help="PNG to write.")
@click.option(
    "--iterations",
    type=click.IntRange(1),
    metavar="N",
    help="Maximal steps of an iterative inverse.",
)
@click.option(
    "--jitter",
    type=click.IntRange(0),
    default=0,
    metavar="PX",
    help="Maximal shift of the image at each step of a search.",
)
@click.option(
    "--by-layer", "by_layer", is_flag=True, help="Invert each of the spec's layers alone."
)
@options.size
@options.reading
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    image: Path,
    spec: str,
    out: Path | None,
    iterations: int | None,
    jitter: int,
    by_layer: bool,
    size: int | None,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Reconstruct an image from its code alone.

    The PNG shows the original, the reconstruction and their difference, where gray is zero. With
    --by-layer it shows the reconstruction from each layer above its PSNR and SSIM. Without --size
    the complete image is used, reduced to 256 pixels if its longer side exceeds them. Networks with
    a fixed input size use that.
    """
    from imrep import factory, images
    from imrep.cli import engine

    engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval().to(device)
    mark = outputs.mark("invert", image)
    out = outputs.ready(out, outputs.beside(image, rep.spec, "inverted"), mark, image)
    side, longest = engine.side(size, rep.canvas), None if size == options.NATIVE else _LONGEST
    pixels = engine.image(image, side, reading=reading, longest=longest).to(device)
    screen.remark(
        f"{rep.spec} of {pixels.shape[3]} × {pixels.shape[2]} on {device}", not machine.verbose
    )
    search = _Search(iterations, jitter, machine)
    if by_layer:
        picture, facts, text = _layers(rep, pixels, search)
    else:
        picture, facts, text = _whole_code(rep, pixels, search)
    with screen.writing(out):
        images.write(out, picture, mark=mark)
    if as_json:
        options.write_json(facts | {"image": str(image), "spec": rep.spec, "out": str(out)})
        return
    click.echo(f"{printable(out)}  {text}")


class _Search(NamedTuple):
    """The options of a search."""

    iterations: int | None
    jitter: int
    machine: options.Machine


def _whole_code(
    rep: "Representation", pixels: "Tensor", search: _Search
) -> tuple["Tensor", dict[str, object], str]:
    """The PNG, the JSON and the text of one inversion."""
    from imrep import inversion

    machine, steps = search.machine, search.iterations or inversion.ITERATIONS
    with screen.warnings_remarked(machine.quiet), screen.Meter(machine.quiet) as meter:
        result = inversion.invert(
            rep,
            pixels,
            iterations=search.iterations,
            seed=machine.seed,
            jitter=search.jitter,
            watch=lambda done, _: meter("searching", done, steps),
        )
    return _three(pixels, result.image), _facts(result), _page(result)


def _layers(
    rep: "Representation", pixels: "Tensor", search: _Search
) -> tuple["Tensor", dict[str, object], str]:
    """The PNG, the JSON and the text of an inversion of each layer."""
    from imrep import inversion
    from imrep.inversion import by_layer, layer_chart

    machine, steps = search.machine, search.iterations or inversion.ITERATIONS
    total = steps * len(by_layer.layers(rep))
    with screen.warnings_remarked(machine.quiet), screen.Meter(machine.quiet) as meter:
        results = by_layer.by_layer(
            rep,
            pixels,
            iterations=search.iterations,
            seed=machine.seed,
            jitter=search.jitter,
            watch=lambda done, _: meter("searching", done, total),
        )
    width = max(len(each.layer) for each in results)
    lines = ["the image, and its reconstruction from each layer alone"]
    for each in results:
        result = each.inversion
        error = click.style(f"PSNR {result.psnr:.1f} dB   SSIM {result.ssim:.3f}", bold=True)
        lines.append(f"{each.layer:<{width}}  {error}   from {result.numbers:,} numbers")
    facts = [{"layer": each.layer} | _facts(each.inversion) for each in results]
    return layer_chart.figure(pixels, results), {"layers": facts}, "\n".join(lines)


def _three(original: "Tensor", reconstruction: "Tensor") -> "Tensor":
    """Original, reconstruction and difference side by side; small images are enlarged."""
    from imrep.drawing import beside, enlarge

    tiles = [original, reconstruction, (reconstruction - original + 1) / 2]
    first, second, third = (enlarge(tile) for tile in tiles)
    return beside(beside(first, second), third)


def _page(inversion: "Inversion") -> str:
    steps = f", {inversion.iterations} steps" if inversion.iterations else ""
    return "\n".join(
        [
            "original, reconstruction, difference",
            f"{_METHODS[inversion.method]}{steps}, {inversion.seconds:.1f} s, "
            f"from a code of {inversion.numbers:,} numbers",
            click.style(f"PSNR {inversion.psnr:.1f} dB   SSIM {inversion.ssim:.3f}", bold=True),
            inversion.summary,
        ]
    )


def _facts(inversion: "Inversion") -> dict[str, object]:
    height, width = inversion.image.shape[2:]
    facts = {f.name: getattr(inversion, f.name) for f in fields(inversion) if f.name != "image"}
    return facts | {"size": [height, width]}
