"""`imrep run model.onnx IMAGE…`: vectors or classes by an exported file."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import answer_rows, options, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.exporting.metadata import Metadata
    from imrep.exporting.running import ExportedModel, Outputs
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict
_VECTORS = (".parquet", ".npz", ".safetensors")
_LABEL = 0.5  # probability from which a label is named


@click.command(
    epilog=options.example(
        "imrep run hog.onnx cat.jpg",
        "imrep run hog.onnx photos/ -o vectors.parquet",
        "imrep run classifier.onnx new/ -o answers.csv",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=options.Output(dir_okay=False),
    help="File to write: csv; of vectors also .parquet, .npz or .safetensors.  [default: csv on "
    "the standard output]",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Threads for reading and computing.  [default: one per core]",
)
@options.reading
@options.strict
@options.as_json
@options.quiet
def command(  # noqa: PLR0913  # one argument for each option
    model: Path,
    data: tuple[str, ...],
    out: Path | None,
    threads: int | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    quiet: bool,
) -> None:
    """Run an exported file on images: vectors, or classes.

    MODEL is a file of imrep export; DATA is images, or what imrep --help lists. They are cropped
    and resized as the file says. Of a model of classes each image gets the class of the largest
    probability, p. With -o, an interrupted run resumes when the command is repeated.
    """
    began = time.perf_counter()
    own, outputs = _outputs(model, data, out, threads, reading, quiet)
    rows = _rows(own.metadata, outputs)
    if out is None and not as_json:
        click.echo(answer_rows.as_csv(rows), nl=False)
    elif out is not None:
        with screen.writing(out):
            _write(out, own.metadata, outputs, rows)
    if as_json:
        options.write_json(_facts(own.metadata, outputs, out))
    elif out is not None:
        click.echo(
            f"{click.style(printable(out), bold=True)}  {several(len(outputs.paths), 'image')}, "
            f"{time.perf_counter() - began:.1f} s"
        )
    for path, reason in outputs.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and outputs.skipped:
        raise SystemExit(_SKIPPED)


def _outputs(
    model: Path,
    data: tuple[str, ...],
    out: Path | None,
    threads: int | None,
    reading: "Reading",
    quiet: bool,
) -> "tuple[ExportedModel, Outputs]":
    from imrep import datasets
    from imrep.cli import engine
    from imrep.exporting.running import ExportedModel
    from imrep.io.files import check_writable

    if out is not None:
        with screen.writing(out):
            check_writable(out)
    own = ExportedModel(model)
    _check_out(own.metadata, out)
    dataset = datasets.find(data[0] if len(data) == 1 else list(data))
    screen.notes(dataset.notes, quiet)
    count = engine.start(threads=threads)
    with screen.writing(out or model, resumable=out is not None), screen.Meter(quiet) as meter:
        return own, own.of_items(
            dataset.items, out=out, threads=count, reading=reading, progress=meter
        )


def _check_out(facts: "Metadata", out: Path | None) -> None:
    """Refuse, before any work is done, a format that the output cannot have."""
    allowed = (".csv", *_VECTORS) if facts.output == "vectors" else (".csv",)
    if out is not None and out.suffix not in allowed:
        raise click.UsageError(
            f"{facts.output} are written as {', '.join(allowed)}, got {out.name!r}. "
            f"Try {out.with_suffix('.csv').name}."
        )


def _rows(facts: "Metadata", outputs: "Outputs") -> list[list[str]]:
    """The header, and a row for each image."""
    if facts.output == "vectors":
        dim = outputs.values.shape[1]
        header = ["path", *(f"v{i}" for i in range(dim))]
        body = [[f"{number:.7g}" for number in row] for row in outputs.values]
    else:
        header, body = _answers(facts, outputs)
    return [header, *([path, *cells] for path, cells in zip(outputs.paths, body, strict=True))]


def _answers(facts: "Metadata", outputs: "Outputs") -> tuple[list[str], list[list[str]]]:
    if facts.output == "value":
        return ["path", "value"], [[f"{row[0]:.6g}"] for row in outputs.values]
    if facts.output == "class":
        best = outputs.values.argmax(1)
        pairs = zip(best.tolist(), outputs.values, strict=True)
        return ["path", "label", "p"], [[facts.names[i], f"{row[i]:.4f}"] for i, row in pairs]
    named = [
        "|".join(name for name, p in zip(facts.names, row, strict=True) if p >= _LABEL)
        for row in outputs.values
    ]
    header = ["path", "labels", *(f"p({name})" for name in facts.names)]
    pairs_of_labels = zip(named, outputs.values, strict=True)
    return header, [[text, *(f"{p:.4f}" for p in row)] for text, row in pairs_of_labels]


def _write(out: Path, facts: "Metadata", outputs: "Outputs", rows: Sequence[Sequence[str]]) -> None:
    from imrep.io import vectors
    from imrep.io.files import replacing, write_text

    if out.suffix == ".csv":
        write_text(out, answer_rows.as_csv(rows))
        return
    origin = {"spec": facts.spec, "fingerprint": facts.fingerprint, "size": str(facts.size)}
    count, dim = outputs.values.shape
    columns: dict[str, list[str | None]] = {
        "path": list(outputs.paths),
        "label": list(outputs.labels),
    }
    table = vectors.Table([outputs.values], count, dim, columns, origin | {"imrep": facts.imrep})
    with replacing(out) as draft:
        vectors.write(draft, table)


def _facts(facts: "Metadata", outputs: "Outputs", out: Path | None) -> dict[str, object]:
    common: dict[str, object] = {
        "spec": facts.spec,
        "gives": facts.output,
        "names": list(facts.names),
        "skipped": [{"path": path, "reason": reason} for path, reason in outputs.skipped],
    }
    if out is not None:
        return common | {"out": str(out), "images": len(outputs.paths)}
    pairs = zip(outputs.paths, outputs.values.tolist(), strict=True)
    return common | {"rows": [{"path": path, "values": values} for path, values in pairs]}
