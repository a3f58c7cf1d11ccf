"""`imrep map STORE|VECTORS`: a page on which images with similar vectors lie close together."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api import ImageMap
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        "imrep map clip.parquet --images photos/ -o map.html",
        "imrep map photos.lance -o map.html",
        "imrep map clip.npz --method pca --json",
        "imrep map clip.parquet -o map.parquet",
    )
)
@click.argument("vectors")
@click.option(
    "-o",
    "--out",
    type=options.Output(dir_okay=False),
    help="Page (.html), or table of path, label, x, y and vector (.parquet), to write.  "
    "[default: VECTORS.map.html]",
)
@click.option(
    "--images",
    metavar="DATA",
    help="The images, for thumbnails; matched by their paths.  [default: those of the store, "
    "else looked for at the paths]",
)
@click.option(
    "--where",
    metavar="SQL",
    help="Only the rows of a store that fulfil this condition, such as \"label = 'cat'\".",
)
@click.option(
    "--method",
    type=click.Choice(["pacmap", "umap", "pca"]),
    default="pacmap",
    show_default=True,
    help="What lays out the images.",
)
@click.option(
    "--thumbnails",
    type=click.IntRange(0, 10_000),
    metavar="N",
    default=5_000,
    show_default=True,
    help="Images with a thumbnail, drawn at random where there are more.",
)
@options.reading
@options.strict
@options.as_json
@options.threads
@options.seed
@options.quiet
@options.verbose
def command(  # noqa: PLR0913  # one argument for each option
    vectors: str,
    out: Path | None,
    images: str | None,
    where: str | None,
    method: str,
    thumbnails: int,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    threads: int | None,
    seed: int,
    quiet: bool,
    verbose: bool,
) -> None:
    """Draw a map of images: those with similar vectors lie close together.

    VECTORS is a store (.lance) or file that imrep embed wrote, or another parquet, npz, npy,
    safetensors or csv. The page is one file that loads nothing: it zooms, shows thumbnails, colours
    the classes, and saves the paths inside a lasso as csv. The share of nearest neighbours that the
    map preserves is printed.
    """
    from imrep import api
    from imrep.cli import engine

    out = out or Path(f"{outputs.name_of(vectors)}.map.html")
    count = threads or engine.cores()
    with screen.writing(out), screen.Meter(quiet) as meter:
        result = api.map(
            vectors,
            where=where,
            images=images,
            out=out,
            method=method,
            max_thumbnails=thumbnails,
            seed=seed,
            threads=count,
            max_pixels=reading.max_pixels,
            data_range=reading.data_range,
            progress=meter,
        )
    screen.notes(result.notes, quiet)
    if verbose:
        queries = several(result.faithfulness.queries, "image")
        screen.remark(f"measured on {queries}; {several(count, 'thread')}", quiet)
    if as_json:
        options.write_json(_facts(result, out))
    else:
        title = click.style(printable(str(out)), bold=True)
        click.echo(f"{title}  {several(len(result), 'image')} by {result.method}")
        click.echo(result.sentence)
    for path, reason in result.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and result.skipped:
        raise SystemExit(_SKIPPED)


def _facts(result: "ImageMap", out: Path) -> dict[str, object]:
    measured = result.faithfulness
    return {
        "out": str(out),
        "images": len(result),
        "method": result.layout.method,
        "spec": result.source.facts.get("spec"),
        "classes": len({label for label in result.labels if label is not None}),
        "neighbours": measured.neighbours,
        "preserved": measured.preserved,
        "chance": measured.chance,
        "trustworthiness": measured.trustworthiness,
        "measured_on": measured.queries,
        "thumbnails": result.thumbnails.number,
        "sentence": result.sentence,
        "skipped": [{"path": path, "reason": reason} for path, reason in result.skipped],
        "notes": list(result.notes),
    }
