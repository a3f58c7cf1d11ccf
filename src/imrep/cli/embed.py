"""`imrep embed DATA SPEC -o OUT`: the vectors of a data set, in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen

if TYPE_CHECKING:
    from imrep.embedding.vector_file import OutputFile
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep embed photos/ hog -o vectors.parquet",
        "imrep embed photos/ cnn --download -o vectors.npz",
        "python -c 'import pyarrow.parquet as pq; print(pq.read_table(\"vectors.parquet\"))'",
    )
)
@click.argument("data")
@click.argument("spec", type=options.SPEC)
@click.option(
    "-o",
    "--out",
    required=True,
    type=options.Output(dir_okay=False),
    help="File to write: .parquet (also without a suffix), .npz or .safetensors.",
)
@click.option(
    "--size",
    type=options.SIDE,
    metavar="S",
    help="Side in pixels of the square to which each image is scaled and cropped, or "
    "native. Networks with a fixed input size use it.  [default: 64]",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    default=64,
    show_default=True,
    help="Images per batch.",
)
@click.option(
    "--shard",
    type=click.IntRange(1),
    metavar="N",
    default=256,
    show_default=True,
    help="Images per checkpoint.",
)
@click.option(
    "--fast",
    is_flag=True,
    help="Compute networks in half precision (bfloat16), where the processor has instructions "
    "for it and the first vectors agree to a cosine of 0.9995.",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    spec: str,
    out: Path,
    as_json: bool,
    strict: bool,
    size: int | None,
    fast: bool,
    machine: options.Machine,
    reading: "Reading",
    **batching: int,
) -> None:
    """Embed a data set and write the vectors to one file.

    DATA is a folder of images or of class folders, a split.csv, a zip, a parquet, a glob or one
    image. The file has the vectors with paths and labels. Images that cannot be read are listed in
    OUT.skipped.csv. A codebook is fitted on at most 3,000 of the images and saved in OUT.rep/. An
    interrupted run resumes when the command is repeated.
    """
    out = out if out.suffix else out.with_suffix(".parquet")
    output, notes = _embed(data, spec, out, size, fast, machine, {**batching, "reading": reading})
    if as_json:
        options.write_json(_facts(output) | {"notes": list(notes)})
    else:
        click.echo(_page(output))
    if strict and output.skipped:
        raise SystemExit(_SKIPPED)


def _embed(
    data: str,
    spec: str,
    out: Path,
    size: int | None,
    fast: bool,
    machine: options.Machine,
    chosen: dict[str, Any],
) -> "tuple[OutputFile, tuple[str, ...]]":
    """The output, and the notes on the data."""
    from imrep import datasets, factory
    from imrep.cli import engine
    from imrep.embedding import half_precision, vector_file
    from imrep.io import vectors
    from imrep.io.files import check_writable

    vectors.suffix(out)
    with screen.writing(out):
        check_writable(out)
    dataset = datasets.find(data)
    items = dataset.items
    screen.notes(dataset.notes, machine.quiet)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        rep = factory.get(spec)
    settings = vector_file.Settings(
        size=rep.canvas or (vector_file.SIZE if size is None else size) or None,
        threads=threads,
        seed=machine.seed,
        device=engine.device(machine.device),
        **{**chosen, "reading": rep.framed(chosen["reading"])},
    )
    if fast:
        rep, remark = half_precision.choose(rep, items, settings)
        screen.notes((remark,), machine.quiet)
    if machine.verbose:
        size_text = f"{settings.size} px" if settings.size else "native size"
        screen.remark(f"{len(items):,} files, {size_text}, {threads} threads, {settings.device}")
    with screen.writing(out, resumable=True), screen.Meter(machine.quiet) as meter:
        return vector_file.embed(items, rep, out, settings, meter), dataset.notes


def _page(output: "OutputFile") -> str:
    lines = [
        f"{click.style(str(output.path), bold=True)}  {output.rows:,} vectors of "
        f"{output.dim:,} numbers, {output.seconds:.1f} s"
    ]
    if output.skipped:
        lines.append(f"{len(output.skipped):,} skipped, with reasons in {output.skipped_path}")
    if output.fitted_path:
        lines.append(f"{output.fitted_path}/  fitted on {output.fitted_on:,} images")
    if output.resumed:
        lines.append(f"{output.resumed:,} were embedded before")
    return "\n".join(lines)


def _facts(output: "OutputFile") -> dict[str, object]:
    return {
        "out": str(output.path),
        "rows": output.rows,
        "dim": output.dim,
        "skipped": [{"path": path, "reason": reason} for path, reason in output.skipped],
        "fitted": str(output.fitted_path) if output.fitted_path else None,
        "resumed": output.resumed,
        "seconds": round(output.seconds, 3),
    }
