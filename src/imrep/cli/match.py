"""`imrep match A B`: is the thing in the picture, and where? Or in which of a folder's pictures?"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import options, outputs, screen
from imrep.errors import BadParameter
from imrep.io.files import check_writable
from imrep.io.names import printable

if TYPE_CHECKING:
    from imrep.base import Representation
    from imrep.images import Reading
    from imrep.matching.match import Match
    from imrep.matching.ranking import Ranking, Settings

_SPEC, _LONGEST = "sift:detector=opencv", 1024  # as in `matching`, which imports torch
_SKIPPED = 3  # exit code under --strict
_MAX_ROWS = 10  # rows of a ranking on the screen


@click.command(
    epilog=options.example(
        "imrep match poster.jpg street.jpg",
        "imrep match mountain.jpg holidays/ -o mountain.csv",
        "imrep match logo.png page.png --longest native --json",
    )
)
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B")
@click.option("-o", "--out", type=options.OUTPUT, help="PNG to write; for a folder, a csv.")
@click.option(
    "-r",
    "--representation",
    "spec",
    type=options.SPEC,
    metavar="SPEC",
    default=_SPEC,
    show_default=True,
    help="What finds keypoints and describes them.",
)
@click.option(
    "--longest",
    type=options.SIDE,
    metavar="N",
    default=_LONGEST,
    show_default=True,
    help="Pictures longer than so many pixels are made smaller; native leaves them.",
)
@click.option(
    "--ratio",
    type=options.Number(0, 1, min_open=True),
    metavar="X",
    default=0.8,
    show_default=True,
    help="Share of the next nearest's distance that a pair's must be under.",
)
@click.option(
    "--within",
    type=options.Number(0, min_open=True),
    metavar="X",
    default=3.0,
    show_default=True,
    help="Pixels that a pair may be off and agree.",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    first: Path,
    second: str,
    out: Path | None,
    spec: str,
    longest: int,
    ratio: float,
    within: float,
    as_json: bool,
    strict: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Is what one picture shows also in another, and where?

    Keypoints of A and B that choose each other vote for one view of A in B; it is found if at
    least 10 agree, and more than chance would give. The PNG shows both pictures and what agrees,
    A outlined in B. Where B is a folder, a zip, a parquet or a glob, its pictures are ranked into
    a csv, the surest first; a run that was interrupted goes on where it was.
    """
    from imrep import datasets, factory
    from imrep.cli import engine
    from imrep.matching.ranking import Settings

    threads = engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval().to(device)
    settings = Settings(
        longest=longest or None,
        ratio=ratio,
        within=within,
        threads=threads,
        device=device,
        reading=reading,
    )
    screen.remark(f"{rep.spec}, {threads} threads, {device}", not machine.verbose)
    if Path(second).is_file() and not datasets.holds_many(second):
        _pair(first, Path(second), rep, out, settings, as_json)
        return
    out = _csv(out, first, second)
    ranking, notes = _rank(first, second, rep, out, settings, machine)
    if as_json:
        options.write_json(_ranking_facts(ranking, first, rep) | {"notes": list(notes)})
    else:
        _print_ranking(ranking)
    if strict and ranking.skipped:
        raise SystemExit(_SKIPPED)


def _pair(
    first: Path,
    second: Path,
    rep: "Representation",
    out: Path | None,
    settings: "Settings",
    as_json: bool,
) -> None:
    from imrep import images
    from imrep.matching.drawing import draw
    from imrep.matching.match import keypoints, match, require_keypoints
    from imrep.ops.resize import shrunk

    mark = outputs.mark("match", first, second)
    out = outputs.ready(out, outputs.beside(first, second.stem, "match"), mark, first)
    _spare(out, first, second)
    originals = [images.read(path, **settings.reading.keywords) for path in (first, second)]
    reduced = [shrunk(image, settings.longest).to(settings.device) for image in originals]
    points = [
        require_keypoints(keypoints(rep, image, path.name), path.name)
        for image, path in zip(reduced, (first, second), strict=True)
    ]
    result = match(points[0], points[1], ratio=settings.ratio, within=settings.within)
    with screen.writing(out):
        images.write(out, draw(result, reduced[0], reduced[1]), mark=mark)
    sizes = [(image.shape[2], image.shape[3]) for image in originals]
    result = result.resized(sizes[0], sizes[1])  # figures are in pixels of the files
    if as_json:
        options.write_json(
            {"first": str(first), "second": str(second), "spec": rep.spec, "out": str(out)}
            | _facts(result)
        )
        return
    click.secho(result.sentence, bold=True)
    content = "inliers and outline" if result.is_match else "paired keypoints"
    click.echo(f"{printable(out)}  {content}")


def _rank(
    first: Path,
    second: str,
    rep: "Representation",
    out: Path,
    settings: "Settings",
    machine: options.Machine,
) -> "tuple[Ranking, tuple[str, ...]]":
    """The ranking of all pictures but the query itself, and the notes on them."""
    from imrep import datasets, images
    from imrep.matching import ranking

    query = images.read(first, **settings.reading.keywords)
    _spare(out, first)
    items = []
    data = datasets.find(second)
    screen.notes(data.notes, machine.quiet)
    for item in data.items:
        if item.file and _is_same(item.file, first):
            screen.remark(f"{item.path} is A itself and left out", machine.quiet)
        else:
            items.append(item)
    if not items:
        raise BadParameter(
            f"match needs other pictures than A, got only {first} in {second}. Give another B."
        )
    with screen.writing(out, resumable=True), screen.Meter(machine.quiet) as meter:
        return ranking.rank(query, items, rep, out, settings, meter), data.notes


def _csv(out: Path | None, first: Path, second: str) -> Path:
    """The table to write, refused before the work where it cannot be written.

    A table carries no mark of its origin: one under the default name may be the user's own.
    """
    path = out or outputs.beside(first, outputs.name_of(second), "match", suffix=".csv")
    if out is None and path.exists():
        raise BadParameter(
            f"match needs a new name for its ranking, got {path}, which is there already. "
            f"Give -o {path} to write over it, or another."
        )
    with screen.writing(path):
        check_writable(path)
    return path


def _spare(out: Path, *read: Path) -> None:
    """Refuse to write over what is read."""
    for path in read:
        if _is_same(out, path):
            raise BadParameter(f"match would write over {path}, which it reads. Use another -o.")


def _is_same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)


def _facts(result: "Match") -> dict[str, object]:
    homography = result.homography if result.is_match else None
    return {
        "found": result.is_match,
        "sentence": result.sentence,
        "inliers": result.inliers,
        "pairs": result.pairs,
        "chance": result.chance,
        "points": list(result.points),
        "box": None if result.box is None else list(result.box),
        "outline": None if result.outline is None else result.outline.tolist(),
        "homography": None if homography is None else homography.tolist(),
    }


def _ranking_facts(ranking: "Ranking", first: Path, rep: "Representation") -> dict[str, object]:
    return {
        "first": str(first),
        "spec": rep.spec,
        "out": str(ranking.path),
        "sentence": ranking.sentence,
        "found": ranking.matches,
        "ranking": [asdict(row) | {"found": row.is_match} for row in ranking.rows],
        "skipped": [{"path": path, "reason": reason} for path, reason in ranking.skipped],
        "resumed": ranking.resumed,
        "seconds": round(ranking.seconds, 3),
    }


def _print_ranking(ranking: "Ranking") -> None:
    """The sentence, the first rows, and the path of the table."""
    click.secho(ranking.sentence, bold=True)
    first_rows = ranking.rows[:_MAX_ROWS]
    width = max(len(row.path) for row in first_rows)
    click.secho(f"  {'':{width}}  {'inliers':>7}  {'pairs':>6}  {'chance':>6}", dim=True)
    for row in first_rows:
        mark = "●" if row.is_match else " "
        click.echo(f"{mark} {row.path:{width}}  {row.inliers:7,}  {row.pairs:6,}  {row.chance:6,}")
    remainder = len(ranking.rows) - len(first_rows)
    notes = ["● found"] * bool(ranking.matches)
    notes += [f"{remainder:,} more in the file"] * bool(remainder)
    if notes:
        click.secho("   ".join(notes), dim=True)
    if ranking.skipped:
        listed = printable(str(ranking.skipped_path))
        click.echo(f"{len(ranking.skipped):,} skipped, with reasons in {listed}")
    if ranking.resumed:
        click.echo(f"{ranking.resumed:,} were done already")
    click.echo(
        f"{printable(ranking.path)}  {len(ranking.rows):,} pictures, {ranking.seconds:.1f} s"
    )
