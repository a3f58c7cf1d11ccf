"""`imrep export SPEC -o model.onnx`: one file from pixels to vectors or classes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.exporting.export import ExportedFile
    from imrep.images import Reading


_GIVES = {
    "vectors": "vectors",
    "class": "probabilities of classes",
    "labels": "probabilities of labels",
    "value": "numbers",
}


@click.command(
    epilog=options.example(
        "imrep export hog -o hog.onnx",
        "imrep export dct --size 96 -o dct.pt2",
        "imrep export model/ -o classifier.onnx",
    )
)
@click.argument("spec", type=options.SPEC)
@click.option(
    "-o",
    "--out",
    required=True,
    type=options.Output(dir_okay=False),
    help="File to write: .onnx, or .pt2 of torch.export.",
)
@click.option(
    "--size",
    type=click.IntRange(1, options.LARGEST_SIDE),
    metavar="S",
    help="Side in pixels of the squares that it takes. Networks with a fixed input size use it.  "
    "[default: 64]",
)
@click.option(
    "--check",
    "check_on",
    metavar="DATA",
    help="Images on which the file is compared with imrep.  [default: eight photographs]",
)
@options.reading
@options.as_json
@options.machine
def command(
    spec: str,
    out: Path,
    size: int | None,
    check_on: str | None,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Export a representation or a model as one file from pixels to vectors or classes.

    SPEC is a representation, or a folder of imrep compare --save. The file takes RGB squares
    (batch, S, S, 3) of bytes and needs no imrep: scaling, normalisation and pooling are inside. It
    is run on real images and compared with imrep's own numbers before it gets its name; the largest
    error is printed. What is no graph of fixed operations is refused with the reason.
    """
    output = _exported(spec, out, size, check_on, reading, machine)
    if as_json:
        options.write_json(_facts(output))
    else:
        click.echo(_page(output))


def _exported(
    spec: str,
    out: Path,
    size: int | None,
    check_on: str | None,
    reading: "Reading",
    machine: options.Machine,
) -> "ExportedFile":
    from imrep import datasets, factory
    from imrep.cli import engine
    from imrep.exporting import export
    from imrep.models import saved

    with screen.writing(out):
        export.check_file(out)
    items = None if check_on is None else datasets.find(check_on).items
    engine.start(threads=machine.threads, seed=machine.seed)
    with screen.writing(out), screen.Meter(machine.quiet) as meter:
        common = {"items": items, "reading": reading, "progress": meter}
        with engine.downloads(machine.download):
            if saved.is_saved(Path(spec)):
                fitted = saved.read(Path(spec))
                export.check_size(size, fitted)
                return export.model(fitted, out, **common)  # type: ignore[arg-type]
            rep = factory.get(spec)
        return export.representation(rep, out, size=size, **common)  # type: ignore[arg-type]


def _page(output: "ExportedFile") -> str:
    facts, error = output.metadata, output.agreement
    opset = "" if output.opset is None else f", opset {output.opset}"
    lines = [
        f"{click.style(printable(output.path), bold=True)}  {_size(output.bytes)}{opset}",
        f"images {_shape(output.input_shape)} uint8 to {_GIVES[facts.output]} "
        f"{_shape(output.output_shape)} float32",
        f"largest error on {several(error.images, 'image')}: {error.absolute:.1g}, "
        f"{error.relative:.1g} of the largest number",
    ]
    return "\n".join(lines)


def _shape(shape: tuple[str | int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


def _facts(output: "ExportedFile") -> dict[str, object]:
    facts, error = output.metadata, output.agreement
    return {
        "out": str(output.path),
        "spec": facts.spec,
        "fingerprint": facts.fingerprint,
        "input": list(output.input_shape),
        "output": list(output.output_shape),
        "gives": facts.output,
        "names": list(facts.names),
        "opset": output.opset,
        "bytes": output.bytes,
        "images": error.images,
        "largest_error": error.absolute,
        "largest_relative_error": error.relative,
    }
