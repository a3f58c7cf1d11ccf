"""`imrep invert IMAGE SPEC`: an image rebuilt from its code alone, and what was lost on the way."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.io.names import printable

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation
    from imrep.images import Reading
    from imrep.inversion import Inversion

_LONGEST = 256  # a search looks at the image some hundred times
_HOW = {
    "exact": "by its exact inverse",
    "approximate": "by its approximate inverse",
    "iterative": "by its iterative inverse",
    "gradient": "by gradient: a search for an image with this code",
}


@click.command(
    epilog=options.example(
        "imrep invert cat.jpg hog",
        "imrep invert cat.jpg laplacian:levels=3 --size native --json",
    )
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("spec", type=options.SPEC)
@click.option("-o", "--out", type=options.OUTPUT, help="PNG to write.")
@click.option(
    "--iterations",
    type=click.IntRange(1),
    metavar="N",
    help="Most steps of an inverse that iterates.",
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
    size: int | None,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Rebuild an image from its code alone.

    The PNG shows the original, what was rebuilt, and the difference, grey where there is none.
    Without --size the whole image is taken, made smaller if it is over 256 pixels long; networks
    get the square they ask for.
    """
    from imrep import images
    from imrep.cli import engine
    from imrep.registry import catalog

    engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    with engine.downloads(machine.download):
        rep = catalog.get(spec).eval().to(device)
    made = outputs.mark("invert", image)
    out = outputs.ready(out, outputs.beside(image, rep.spec, "inverted"), made, image)
    side, longest = engine.side(size, rep.canvas), None if size == options.NATIVE else _LONGEST
    pixels = engine.image(image, side, reading=reading, longest=longest).to(device)
    screen.remark(
        f"{rep.spec} of {pixels.shape[3]} × {pixels.shape[2]} on {device}", not machine.verbose
    )
    found = _invert(rep, pixels, iterations, machine)
    with screen.writing(out):
        images.write(out, _three(pixels, found.image), mark=made)
    if as_json:
        options.write_json(_facts(found) | {"image": str(image), "spec": rep.spec, "out": str(out)})
        return
    click.echo(_page(found, out))


def _invert(
    rep: "Representation", pixels: "Tensor", iterations: int | None, machine: options.Machine
) -> "Inversion":
    from imrep import inversion

    with screen.warnings_remarked(machine.quiet), screen.Meter(machine.quiet) as meter:
        return inversion.invert(
            rep,
            pixels,
            iterations=iterations,
            seed=machine.seed,
            watch=lambda done, _: meter("searching", done, iterations or inversion.ITERATIONS),
        )


def _three(original: "Tensor", rebuilt: "Tensor") -> "Tensor":
    """Original, rebuilt and difference side by side, small ones enlarged."""
    from imrep.drawing import beside, enlarge

    tiles = [original, rebuilt, (rebuilt - original + 1) / 2]
    first, second, third = (enlarge(tile) for tile in tiles)
    return beside(beside(first, second), third)


def _page(found: "Inversion", out: Path) -> str:
    steps = f", {found.iterations} steps" if found.iterations else ""
    return "\n".join(
        [
            f"{printable(out)}  original, rebuilt, difference",
            f"{_HOW[found.how]}{steps}, {found.seconds:.1f} s",
            click.style(f"PSNR {found.psnr:.1f} dB   SSIM {found.ssim:.3f}", bold=True),
            found.lost,
        ]
    )


def _facts(found: "Inversion") -> dict[str, object]:
    height, width = found.image.shape[2:]
    facts = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "image"}
    return facts | {"size": [height, width]}
