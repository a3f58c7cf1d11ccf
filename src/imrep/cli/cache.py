"""`imrep cache info|clear`: what the cache of `compare` holds, and how to empty it."""

import difflib
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.cli.forgiving import Forgiving
from imrep.errors import BadParameter
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.embedding.cache.entries import Entry, Survey
    from imrep.embedding.cache.pruning import Removal

_MAX_FOREIGN = 3  # names of foreign files to print


@click.group(
    name="cache",
    cls=Forgiving,
    epilog=options.example(
        "imrep cache info",
        "imrep cache clear --older-than 30d --yes",
        "imrep cache clear --kind codes --kind refits --yes",
    ),
)
def command() -> None:
    """Inspect or clear the cache, from which compare resumes.

    compare stores what it computes: decoded images, vectors, predictions and the like. So an
    interrupted run resumes, a repeated one takes seconds, and one representation more computes only
    that one. Any entry may be deleted: what is missing is computed again.

    The cache is ~/.cache/imrep, or the folder that IMREP_CACHE names. When a compare ends and the
    cache takes more than 5 GB, the entries that no run has used for the longest time are deleted.
    IMREP_CACHE_LIMIT=20GB or compare --cache-limit 20GB sets another limit, none removes it. What a
    running process uses is never deleted, nor is any file that imrep did not write.
    """


@command.command()
@options.as_json
def info(as_json: bool) -> None:
    """Print where the cache is and how much of what it holds."""
    from imrep.embedding.cache import limits
    from imrep.embedding.cache.entries import survey
    from imrep.embedding.cache.leases import users
    from imrep.embedding.cache.location import root

    limit, cache = limits.limit(), root().absolute()
    content = survey(cache)
    processes = users(cache) if content.entries else {}
    if as_json:
        options.write_json(
            {"path": str(cache), "limit": limit, **_totals(content.entries)}
            | {"in_use": len(processes), "kinds": _by_kind(content), "foreign": content.foreign}
        )
        return
    click.secho(printable(cache), bold=True)
    for line in _table(content):
        click.echo(line)
    click.echo(_summary(content, limit))
    numbers = sorted({number for listed in processes.values() for number in listed})
    if numbers:
        listed = ", ".join(map(str, numbers))
        click.echo(f"{several(len(processes), 'entry', 'entries')} in use by process {listed}")
    if content.foreign:
        click.echo(_foreign(content.foreign))


@command.command()
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="NAME",
    help="Only entries of this kind, such as codes; repeatable.",
)
@click.option(
    "--older-than", metavar="AGE", help="Only entries that no run has used for 12h, 30d or 2w."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.as_json
@options.quiet
def clear(
    kinds: tuple[str, ...], older_than: str | None, yes: bool, as_json: bool, quiet: bool
) -> None:
    """Delete entries of the cache, by default all.

    Entries that a running process uses stay, and so does any file that imrep did not write.
    """
    from imrep.embedding.cache import pruning
    from imrep.embedding.cache.entries import survey
    from imrep.embedding.cache.location import root

    cache = root().absolute()
    chosen = _selected(survey(cache), kinds, older_than)
    if chosen and not yes:
        _confirm(chosen, str(printable(cache)))
    with screen.writing(cache), screen.Meter(quiet) as meter:
        removal = pruning.delete(chosen, meter) if chosen else pruning.Removal()
    if as_json:
        options.write_json(
            {"deleted": len(removal.deleted), "bytes": removal.bytes}
            | {"in_use": len(removal.in_use), "read_only": len(removal.read_only)}
        )
    else:
        _print(removal)


def _selected(
    content: "Survey", kinds: Sequence[str], older_than: str | None
) -> "tuple[Entry, ...]":
    """The entries of these kinds that were not used since.

    Raises:
        BadParameter: No kind has that name, or the age is none.
    """
    from imrep.embedding.cache import limits

    requested = {_kind(kind, content) for kind in kinds}
    until = time.time() - limits.seconds(older_than) if older_than is not None else float("inf")
    return tuple(
        entry
        for entry in content.entries
        if entry.used <= until and (not requested or entry.kind in requested)
    )


def _kind(name: str, content: "Survey") -> str:
    from imrep.embedding.cache.location import KINDS

    names = sorted({*KINDS, *(entry.kind for entry in content.entries)})
    if name.lower() in names:
        return name.lower()
    nearest = difflib.get_close_matches(name.lower(), names, n=1)
    remedy = f"Did you mean {nearest[0]!r}?" if nearest else f"Use one of {', '.join(names)}."
    raise BadParameter(f"the cache has no kind {name!r}. {remedy}")


def _confirm(chosen: "Sequence[Entry]", cache: str) -> None:
    """Ask on the terminal.

    Raises:
        BadParameter: There is none.
    """
    from imrep.embedding.cache.limits import as_text

    count = several(len(chosen), "entry", "entries")
    size = as_text(sum(entry.bytes for entry in chosen))
    if not sys.stdin.isatty():
        raise BadParameter(
            f"cache clear needs an answer before it deletes {count} of {cache} ({size}), and there "
            "is no terminal. Add --yes."
        )
    click.confirm(f"Delete {count} of {cache} ({size})?", abort=True, err=True)


def _print(removal: "Removal") -> None:
    from imrep.embedding.cache.limits import as_text

    count = several(len(removal.deleted), "entry", "entries")
    click.echo(f"{count} deleted, {as_text(removal.bytes)}")
    if removal.in_use:
        count = several(len(removal.in_use), "entry", "entries")
        click.echo(f"{count} in use by a running process stayed")
    if removal.read_only:
        count = several(len(removal.read_only), "entry", "entries")
        click.echo(f"{count} without write permission stayed")


def _by_kind(content: "Survey") -> dict[str, dict[str, Any]]:
    """The facts of each kind, the largest first."""
    names = {entry.kind for entry in content.entries}
    kinds = {
        name: _totals([entry for entry in content.entries if entry.kind == name]) for name in names
    }
    return dict(sorted(kinds.items(), key=lambda item: -item[1]["bytes"]))


def _totals(entries: "Sequence[Entry]") -> dict[str, Any]:
    times = [entry.used for entry in entries]
    return {
        "entries": len(entries),
        "bytes": sum(entry.bytes for entry in entries),
        "oldest_use": _date(min(times)) if times else None,
        "latest_use": _date(max(times)) if times else None,
    }


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "minutes")[:16]


def _table(content: "Survey") -> list[str]:
    from imrep.embedding.cache.limits import as_text
    from imrep.embedding.cache.location import KINDS

    kinds = _by_kind(content)
    if not kinds:
        return []
    width = max(map(len, kinds))
    head = f"{'':{width}}  {'size':>7}  {'entries':>7}  {'last used':16}"
    lines = [click.style(head, dim=True)]
    for name, facts in kinds.items():
        size, date = as_text(facts["bytes"]), facts["latest_use"]
        text = f"{name:{width}}  {size:>7}  {facts['entries']:7,}  {date}  {KINDS.get(name, '')}"
        lines.append(text.rstrip())
    return lines


def _summary(content: "Survey", limit: int | None) -> str:
    """The total beside the limit, and since when no run used the oldest entry."""
    from imrep.embedding.cache.limits import as_text

    if not content.entries:
        return "empty"
    of = "no limit" if limit is None else f"of {as_text(limit)}"
    text = f"{as_text(content.bytes)} {of}" if limit else f"{as_text(content.bytes)}, {of}"
    count = several(len(content.entries), "entry", "entries")
    text += f" in {count}; the oldest last used {_date(content.entries[0].used)}"
    if limit is not None and content.bytes > limit:
        text += "\nMore than the limit: the oldest are deleted when the next compare ends."
    return text


def _foreign(names: Sequence[str]) -> str:
    listed = ", ".join(printable(name) for name in names[:_MAX_FOREIGN])
    more = f" and {len(names) - _MAX_FOREIGN:,} more" if names[_MAX_FOREIGN:] else ""
    return f"not written by imrep, and left alone: {listed}{more}"
