"""`imrep search FOLDER QUERY`: the images that words, or an image, describe best."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.io.names import printable

if TYPE_CHECKING:
    from imrep.api import SearchResult
    from imrep.images import Reading

_SKIPPED = 3  # exit code under --strict


@click.command(
    epilog=options.example(
        'imrep search photos/ "a red apple on a tree"',
        'imrep search photos/ "a dog" -k 20 -o dogs.png',
        "imrep search photos/ cat.jpg --json",
        "imrep search photos.lance reef/0.png --unlike dune/1.png --where \"label = 'reef'\"",
    )
)
@click.argument("data")
@click.argument("query", required=False)
@click.option(
    "--like", multiple=True, metavar="QUERY", help="Another query, in a store; repeatable."
)
@click.option(
    "--unlike", multiple=True, metavar="QUERY", help="What hits should not be like; repeatable."
)
@click.option("--where", metavar="SQL", help="Which rows of a store, such as \"label = 'cat'\".")
@click.option("--exact", is_flag=True, help="Compare every row of a store, without its index.")
@click.option(
    "-k",
    "count",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=12,
    show_default=True,
    help="Images to list, the most similar first.",
)
@click.option(
    "-r",
    "--representation",
    "spec",
    type=options.SPEC,
    metavar="SPEC",
    help="What embeds images and words.  [default: clip, or what wrote the store]",
)
@click.option("-o", "--out", type=options.OUTPUT, help="Contact sheet to write, a PNG.")
@options.square_size
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    query: str | None,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    where: str | None,
    exact: bool,
    count: int,
    spec: str | None,
    out: Path | None,
    size: int | None,
    strict: bool,
    as_json: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Search a folder, or a store, by words, or by an image.

    DATA is images as imrep --help lists them, or a .lance store. QUERY is an image where a file of
    that name exists, else words; in a store also the path of a row. The first search embeds the
    images into the cache, later ones what is new. The last column is the share of a hundred
    unrelated pictures that score as much: where the best image scores no more than these do,
    nothing shows what was searched.
    """
    from imrep import api, images
    from imrep.cli import engine

    queries = [*([] if query is None else [query]), *like, *unlike]
    if not queries:
        raise click.UsageError("Missing argument 'QUERY', or --like, or --unlike.")
    mark = outputs.mark("search", data, *queries)
    if out is not None:
        out = outputs.ready(out, out, mark, queries[0])
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download), screen.Meter(machine.quiet) as meter:
        result = api.search(
            data,
            query,
            spec,
            like=like,
            unlike=unlike,
            where=where,
            exact=exact,
            count=count,
            size=64 if size is None else size or None,
            threads=threads,
            device=engine.device(machine.device),
            download=machine.download,
            max_pixels=reading.max_pixels,
            data_range=reading.data_range,
            progress=meter,
        )
    screen.notes(result.notes, machine.quiet)
    if out is not None:
        with screen.writing(out):
            images.write(out, api.sheet(result, reading), mark=mark)
    if as_json:
        options.write_json(_facts(result, out))
    else:
        _print(result, out)
    for path, reason in result.skipped:
        click.secho(f"{printable(path)}: {reason}", fg="yellow", err=True)
    if strict and result.skipped:
        raise SystemExit(_SKIPPED)


def _print(result: "SearchResult", out: Path | None) -> None:
    """The sentence, the hits, and the path of the sheet."""
    click.secho(printable(result.sentence), bold=True)
    width = max(len(printable(hit.path)) for hit in result.hits)
    heading = f"  {'unrelated':>9}" if result.unrelated else ""
    click.secho(f"  {'':{width}}  {'score':>6}{heading}", dim=True)
    for hit in result.hits:
        mark = "●" if hit.above else " "
        share = f"  {100 * hit.unrelated:7.0f} %" if result.unrelated else ""
        click.echo(f"{mark} {printable(hit.path):{width}}  {hit.score:6.3f}{share}")
    if result.is_match:
        click.secho(f"● above {result.threshold:.3f}", dim=True)
    if out is not None:
        click.echo(f"{printable(out)}  contact sheet")


def _facts(result: "SearchResult", out: Path | None) -> dict[str, object]:
    return {
        "query": result.query,
        "is_image": result.is_image,
        "spec": result.spec,
        "sentence": result.sentence,
        "match": result.is_match,
        "above": result.above,
        "threshold": result.threshold,
        "images": result.images,
        "embedded": result.computed,
        "unrelated": result.unrelated,
        "exact": result.recall is None,
        "recall": result.recall,
        "hits": [
            {"path": h.path, "score": h.score, "unrelated": h.unrelated, "above": h.above}
            for h in result.hits
        ],
        "skipped": [{"path": path, "reason": reason} for path, reason in result.skipped],
        "notes": list(result.notes),
        **({"out": str(out)} if out else {}),
    }
