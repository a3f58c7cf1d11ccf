"""`imrep embed DATA SPEC -o OUT`: the vectors of a data set, in one file or in a store."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import embed_folder, options, store_lines

if TYPE_CHECKING:
    from imrep.embedding.vector_file import OutputFile
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep embed photos/ hog -o vectors.parquet",
        "imrep embed photos/ cnn --download -o vectors.npz",
        "imrep embed photos/ hog dct -o vectors/",
        "imrep embed photos/ hog -o photos.lance",
        "python -c 'import pyarrow.parquet as pq; print(pq.read_table(\"vectors.parquet\"))'",
    )
)
@click.argument("data")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=options.SPEC)
@click.option(
    "-o",
    "--out",
    required=True,
    type=options.Output(),
    help="File to write: .parquet (also without a suffix), .npz or .safetensors; or a store, "
    ".lance, which is brought up to date. With several SPECs, a folder.",
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
    "for it, the first images take less time, and their vectors agree to a cosine of 0.9995; "
    "compile them where the number of images pays for it.",
)
@click.option(
    "--engine",
    type=click.Choice(["threads", "ray"]),
    default="threads",
    show_default=True,
    help="Who embeds for a store: this process, or workers on Ray.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Workers on Ray.  [default: one on each processor, or on each GPU]",
)
@click.option(
    "--ray-address",
    metavar="ADDR",
    help="A Ray cluster.  [default: $RAY_ADDRESS, else this machine]",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    specs: tuple[str, ...],
    out: Path,
    as_json: bool,
    strict: bool,
    size: int | None,
    fast: bool,
    dtype: str | None,
    engine: str,
    workers: int | None,
    ray_address: str | None,
    machine: options.Machine,
    reading: "Reading",
    **batching: int | None,
) -> None:
    """Embed a data set and write the vectors to one file or a store.

    DATA is a folder of images or of class folders, a split.csv, a zip or tar, WebDataset's
    'shards-{000..009}.tar', a COCO json, a parquet, a glob, one image, - for a list of paths on
    standard input, or a URI such as s3://bucket/photos. The file has the vectors with paths and
    labels. With several SPECs each image is decoded once for all of the same size, and OUT is a
    folder with a parquet file for each. Images that cannot be read are listed in OUT.skipped.csv.
    A codebook is fitted on at most 3,000 of the images and saved in OUT.rep/. An interrupted run
    resumes when the command is repeated.

    A store (.lance) is a table with path, digest, label, size and vector. The same command embeds
    only what is new or changed; a renamed file keeps its vector, and the row of a file that is gone
    is marked deleted. With --engine ray the images of a store are embedded by workers on a cluster,
    or on this machine; it takes seconds to start, and pays for hours of work.
    """
    from imrep.api.embedding_outputs import is_store

    outs = embed_folder.outputs(specs, out)
    into_store = any(map(is_store, outs.values()))
    if dtype and not into_store:
        raise click.UsageError(f"--dtype is for a store, got {out.name}. Try -o photos.lance.")
    if engine == "ray" and not into_store:
        raise click.UsageError(f"--engine ray is for a store, got {out.name}. Try -o photos.lance.")
    if engine != "ray" and (workers or ray_address):
        raise click.UsageError("--workers and --ray-address need --engine ray.")
    cluster = (workers, ray_address) if engine == "ray" else None
    chosen: dict[str, Any] = {**batching, "fast": fast, "dtype": dtype, "reading": reading}
    outputs, notes = embed_folder.embed(data, outs, size, machine, chosen, cluster)
    describe, page = (store_lines.facts, store_lines.page) if into_store else (_facts, _page)
    facts = [describe(output) for output in outputs]
    if as_json:
        content = facts[0] if len(specs) == 1 else {"outputs": facts}
        options.write_json(content | {"notes": list(notes)})
    else:
        click.echo("\n".join(map(page, outputs)))
    if strict and any(output.skipped for output in outputs):
        raise SystemExit(_SKIPPED)


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
