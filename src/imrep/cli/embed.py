"""`imrep embed DATA SPEC -o OUT`: the vectors of a data set, in one file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import embed_folder, options

if TYPE_CHECKING:
    from imrep.embedding.vector_file import OutputFile
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep embed photos/ hog -o vectors.parquet",
        "imrep embed photos/ cnn --download -o vectors.npz",
        "imrep embed photos/ hog dct -o vectors/",
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
    help="File to write: .parquet (also without a suffix), .npz or .safetensors. With several "
    "SPECs, a folder.",
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
    specs: tuple[str, ...],
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

    DATA is a folder of images or of class folders, a split.csv, a zip or tar, WebDataset's
    'shards-{000..009}.tar', a COCO json, a parquet, a glob, one image, - for a list of paths on
    standard input, or a URI such as s3://bucket/photos. The file has the vectors with paths and
    labels. With several SPECs each image is decoded once for all of the same size, and OUT is a
    folder with a parquet file for each. Images that cannot be read are listed in OUT.skipped.csv.
    A codebook is fitted on at most 3,000 of the images and saved in OUT.rep/. An interrupted run
    resumes when the command is repeated.
    """
    chosen = {**batching, "reading": reading}
    outs = embed_folder.outputs(specs, out)
    outputs, notes = embed_folder.embed(data, outs, size, fast, machine, chosen)
    facts: dict[str, object] = {"outputs": [_facts(output) for output in outputs]}
    facts = facts if len(specs) > 1 else _facts(outputs[0])
    if as_json:
        options.write_json(facts | {"notes": list(notes)})
    else:
        click.echo("\n".join(map(_page, outputs)))
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
