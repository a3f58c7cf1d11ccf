"""`imrep embed DATA SPEC -o OUT`: the vectors of a data set, in one file or in a store."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen, store_lines

if TYPE_CHECKING:
    from imrep.embedding.vector_file import OutputFile
    from imrep.images import Reading
    from imrep.types import Progress

_STORE = ".lance"
_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep embed photos/ hog -o vectors.parquet",
        "imrep embed photos/ cnn --download -o vectors.npz",
        "imrep embed photos/ hog -o photos.lance",
        "python -c 'import pyarrow.parquet as pq; print(pq.read_table(\"vectors.parquet\"))'",
    )
)
@click.argument("data")
@click.argument("spec", type=options.SPEC)
@click.option(
    "-o",
    "--out",
    required=True,
    type=options.Output(),
    help="File to write: .parquet (also without a suffix), .npz or .safetensors; or a store, "
    ".lance, which is brought up to date.",
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
    help="Images per checkpoint.  [default: 256; 2,000 in a store]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    help="Numbers of a store.  [default: float32, or as the store has them]",
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
    dtype: str | None,
    machine: options.Machine,
    reading: "Reading",
    **batching: int | None,
) -> None:
    """Embed a data set and write the vectors to one file or a store.

    DATA is a folder of images or of class folders, a split.csv, a zip, a parquet, a glob or one
    image. The file has the vectors with paths and labels. Images that cannot be read are listed in
    OUT.skipped.csv. A codebook is fitted on at most 3,000 of the images and saved in OUT.rep/. An
    interrupted run resumes when the command is repeated.

    A store (.lance) is a table with path, digest, label, size and vector. The same command embeds
    only what is new or changed; a renamed file keeps its vector, and the row of a file that is gone
    is marked deleted.
    """
    out = out if out.suffix else out.with_suffix(".parquet")
    if dtype and out.suffix != _STORE:
        raise click.UsageError(f"--dtype is for a store, got {out.name}. Try -o photos.lance.")
    chosen = {**batching, **({"dtype": dtype, "data": data} if out.suffix == _STORE else {})}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    output, notes = _embed(data, spec, out, size, fast, machine, {**chosen, "reading": reading})
    facts, page = (store_lines.facts, store_lines.page) if out.suffix == _STORE else (_facts, _page)
    if as_json:
        options.write_json(facts(output) | {"notes": list(notes)})
    else:
        click.echo(page(output))
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
) -> tuple[Any, tuple[str, ...]]:
    """What was written (`OutputFile`, or `Summary` of a store), and the notes on the data."""
    from imrep import datasets, factory
    from imrep.cli import engine
    from imrep.embedding import half_precision, vector_file
    from imrep.store import update

    writer: Any = update if out.suffix == _STORE else vector_file
    with screen.writing(out):
        writer.check_name(out)
    dataset = datasets.find(data)
    items = dataset.items
    screen.notes(dataset.notes, machine.quiet)
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        rep = factory.get(spec)
    settings = writer.Settings(
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
        return writer.embed(items, rep, out, settings, _rated(meter)), dataset.notes


def _rated(meter: screen.Meter) -> "Progress":
    """Progress with the images a second since the first batch, in place of the bare name."""
    starts: dict[str, tuple[float, int]] = {}

    def progress(what: str, done: int, total: int) -> None:
        began, first = starts.setdefault(what, (time.perf_counter(), done))
        seconds = time.perf_counter() - began
        rate = f"  {(done - first) / seconds:,.0f} images/s" if done > first and seconds else ""
        meter(what, done, total, f"{what}{rate}")

    return progress


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
