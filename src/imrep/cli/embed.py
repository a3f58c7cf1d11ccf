"""`imrep embed DATA SPEC -o OUT`: the vectors of a data set, in one file for your own model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen

if TYPE_CHECKING:
    from imrep.images import Reading
    from imrep.pipeline import Written

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
    help="Side of the square each image is read at, or native; networks that ask for one "
    "size get it.  [default: 64]",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    default=64,
    show_default=True,
    help="Most images encoded at once.",
)
@click.option(
    "--shard",
    type=click.IntRange(1),
    metavar="N",
    default=256,
    show_default=True,
    help="Images that are saved together: what a kill can cost.",
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
    machine: options.Machine,
    reading: "Reading",
    **batching: int,
) -> None:
    """Vectors of a folder of images, in one file.

    DATA is a folder of images or of class folders, a split.csv, a zip, a parquet, a glob or one
    image. The file holds the vectors with paths and labels; images that cannot be read are listed
    in OUT.skipped.csv. A codebook is fitted on at most 3,000 of the images and kept in
    OUT.rep/. A run that was interrupted goes on where it was: give the same command again.
    """
    out = out if out.suffix else out.with_suffix(".parquet")
    written, notes = _embed(data, spec, out, size, machine, {**batching, "reading": reading})
    if as_json:
        options.write_json(_facts(written) | {"notes": list(notes)})
    else:
        click.echo(_page(written))
    if strict and written.skipped:
        raise SystemExit(_SKIPPED)


def _embed(
    data: str,
    spec: str,
    out: Path,
    size: int | None,
    machine: options.Machine,
    chosen: dict[str, Any],
) -> "tuple[Written, tuple[str, ...]]":
    """What was written, and the notes on the data."""
    from imrep import datasets, pipeline
    from imrep.cli import engine
    from imrep.io import vectors
    from imrep.io.files import check_writable
    from imrep.registry import catalog

    vectors.suffix(out)
    with screen.writing(out):
        check_writable(out)
    found = datasets.find(data)
    items = found.items
    screen.notes(found.notes, machine.quiet)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        rep = catalog.get(spec)
    settings = pipeline.Settings(
        size=rep.canvas or (pipeline.SIZE if size is None else size) or None,
        threads=threads,
        seed=machine.seed,
        device=engine.device(machine.device),
        **chosen,
    )
    if machine.verbose:
        shown = f"{settings.size} px" if settings.size else "native size"
        said = f"{len(items):,} files, {shown}, {threads} threads, {settings.device}"
        screen.remark(said)
    with screen.writing(out, resumable=True), screen.Meter(machine.quiet) as meter:
        return pipeline.embed(items, rep, out, settings, meter), found.notes


def _page(written: "Written") -> str:
    lines = [
        f"{click.style(str(written.path), bold=True)}  {written.rows:,} vectors of "
        f"{written.dim:,} numbers, {written.seconds:.1f} s"
    ]
    if written.skipped:
        lines.append(f"{len(written.skipped):,} skipped, with reasons in {written.skipped_path}")
    if written.fitted_path:
        lines.append(f"{written.fitted_path}/  fitted on {written.fitted_on:,} of them")
    if written.resumed:
        lines.append(f"{written.resumed:,} were done already")
    return "\n".join(lines)


def _facts(written: "Written") -> dict[str, object]:
    return {
        "out": str(written.path),
        "rows": written.rows,
        "dim": written.dim,
        "skipped": [{"path": path, "reason": reason} for path, reason in written.skipped],
        "fitted": str(written.fitted_path) if written.fitted_path else None,
        "resumed": written.resumed,
        "seconds": round(written.seconds, 3),
    }
