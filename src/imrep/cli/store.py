"""`imrep store info|check|repair|compact|export STORE`: the care of a store."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.cli.forgiving import Forgiving
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.store.health import Damage, Health

_UNSOUND = 1  # exit code of a check that finds something
_STORE = click.argument("store", type=click.Path(path_type=Path))


@click.group(
    name="store",
    cls=Forgiving,
    epilog=options.example(
        "imrep store info photos.lance",
        "imrep store check photos.lance",
        "imrep store repair photos.lance",
        "imrep store compact photos.lance",
        "imrep store export photos.lance -o photos.npz",
    ),
)
def command() -> None:
    """Inspect, check, repair, compact or export a store of vectors.

    A store is what imrep embed writes to a name that ends in .lance: a Lance table with path,
    digest, label, size and vector of each image, which LanceDB opens as it is.
    """


@command.command()
@_STORE
@options.as_json
def info(store: Path, as_json: bool) -> None:
    """Print what a store holds, and by which representation."""
    from imrep import store as stores
    from imrep.store import survey

    content = survey.of(stores.open(store))
    if as_json:
        options.write_json({"path": str(store)} | content)
        return
    click.secho(printable(store), bold=True)
    width = max(map(len, content))
    for name, value in content.items():
        text = f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.replace('_', ' '):{width}}  {'–' if text in (None, '') else text}")


@command.command()
@_STORE
@options.as_json
@options.quiet
def check(store: Path, as_json: bool, quiet: bool) -> None:
    """Check that every file of a store is as it was written.

    The exit code is 1 where something is wrong. Nothing is changed.
    """
    from imrep.store import health

    with screen.Meter(quiet) as meter:
        state = health.check(store, meter)
    if as_json:
        options.write_json(_facts(state))
    else:
        click.echo("\n".join(_lines(store, state)))
    if not state.is_sound:
        raise SystemExit(_UNSOUND)


@command.command()
@_STORE
@options.as_json
@options.quiet
def repair(store: Path, as_json: bool, quiet: bool) -> None:
    """Go back to the last whole version of a damaged store.

    What is damaged, or newer, moves to STORE/_imrep/aside/; nothing is deleted. The next imrep
    embed into the store embeds what is missing.
    """
    from imrep.store import health

    with screen.writing(store), screen.Meter(quiet) as meter:
        state, aside = health.repair(store, meter)
    if as_json:
        options.write_json(_facts(state) | {"aside": str(aside) if aside else None})
    elif aside is None:
        click.echo(f"{printable(store)} is whole at version {state.intact}; nothing to repair")
    else:
        for line in _damages(state.damages):
            click.echo(line)
        click.echo(
            f"back at version {state.intact} of {state.newest}: {several(state.rows, 'row')}\n"
            f"{several(len(state.damages), 'damaged file')} moved to {printable(aside)}"
        )


@command.command()
@_STORE
@options.as_json
@options.quiet
def compact(store: Path, as_json: bool, quiet: bool) -> None:
    """Join the small files of a store, and remove versions older than a day.

    Rows that are marked deleted stay: a file that comes back takes its vector from there.
    """
    from imrep import store as stores
    from imrep.store import survey
    from imrep.store.commits import Writer

    before = survey.of(stores.open(store))
    with screen.writing(store, again="repeat the command"), Writer(store) as writer:
        screen.remark(f"compacting {several(before['files'], 'file')}", quiet)
        writer.compact(always=True)
    after = survey.of(stores.open(store))
    names = ("files", "versions", "bytes")
    if as_json:
        options.write_json({name: {"before": before[name], "after": after[name]} for name in names})
        return
    changes = (f"{name} {before[name]:,} → {after[name]:,}" for name in names)
    click.echo(f"{click.style(printable(store), bold=True)}  {', '.join(changes)}")


@command.command()
@_STORE
@click.option(
    "-o",
    "--out",
    required=True,
    type=options.Output(dir_okay=False),
    help="File to write: .parquet (also without a suffix), .npz or .safetensors.",
)
@click.option("--where", metavar="SQL", help="Only rows that meet a condition, \"label = 'cat'\".")
@options.as_json
def export(store: Path, out: Path, where: str | None, as_json: bool) -> None:
    """Write the vectors of a store to one file, with paths and labels."""
    from imrep import store as stores
    from imrep.store.export import export as write

    out = out if out.suffix else out.with_suffix(".parquet")
    opened = stores.open(store)
    with screen.writing(out):
        rows = write(opened, out, where)
    if as_json:
        options.write_json({"out": str(out), "rows": rows, "dim": opened.facts.dim})
        return
    name = click.style(printable(out), bold=True)
    click.echo(f"{name}  {rows:,} vectors of {opened.facts.dim:,} numbers")


def _lines(store: Path, state: "Health") -> list[str]:
    """The state of a store, and what to do."""
    name = click.style(printable(store), bold=True)
    if state.is_sound:
        checked = several(state.files, "file")
        return [
            f"{name}  {several(state.rows, 'row')}, version {state.intact}: {checked}, all whole"
        ]
    lines = [f"{name}  version {state.newest}", *_damages(state.damages)]
    if state.doubled:
        lines.append(f"{state.doubled:,} rows repeat the path of another")
    if state.not_finite:
        lines.append(f"{several(state.not_finite, 'vector')} with NaN or infinity")
    if state.damages and state.intact is None:
        lines.append("No version is whole. Embed again into another -o.")
    elif state.damages:
        lines.append(
            f"Version {state.intact} is whole, {several(state.rows, 'row')}. "
            f"Go back to it: imrep store repair {printable(store)}"
        )
    else:
        lines.append("Another program wrote to the store. Embed again into another -o.")
    return lines


def _damages(damages: "tuple[Damage, ...]") -> list[str]:
    return [f"version {each.version}, {each.file}: {each.reason}" for each in damages]


def _facts(state: "Health") -> dict[str, Any]:
    return {
        "sound": state.is_sound,
        "newest": state.newest,
        "intact": state.intact,
        "rows": state.rows,
        "doubled": state.doubled,
        "not_finite": state.not_finite,
        "files": state.files,
        "damages": [
            {"version": each.version, "file": each.file, "reason": each.reason}
            for each in state.damages
        ],
    }
