"""`imrep list`: every representation, by family, without importing torch."""

import difflib
import shutil
import textwrap
from dataclasses import asdict
from typing import Any

import click
from click.shell_completion import CompletionItem

from imrep.cli import options
from imrep.registry import catalog

_FAMILIES = ("statistics", "local", "multiscale", "frequency", "spatial", "learned", "language")
_INVERSE = {"exact": "=", "approximate": "≈", "none": "·"}
_WEIGHTS = {"none": "·", "optional": "w", "required": "W", "included": "·", "trained": "T"}
_INDENT = 24
_LEGEND = (
    "= exact inverse   ≈ approximate inverse   ∇ gradients reach the image\n"
    "w weights help   W needed   T trained   imrep card NAME says more"
)


class _Family(click.ParamType):
    """A family of the catalogue, in any letter case."""

    name = "family"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        """The family's name."""
        families = _families([catalog.entry(name) for name in catalog.names()])
        family = str(value).lower()
        if family not in families:
            nearest = difflib.get_close_matches(family, families, n=1)
            choices = f"Use one of {', '.join(families)}."
            hint = f"Did you mean {nearest[0]!r}?" if nearest else choices
            self.fail(f"no family is called {value!r}. {hint}", param, context)
        return family

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The families that begin so."""
        return [CompletionItem(name) for name in _FAMILIES if name.startswith(incomplete.lower())]


@click.command(
    epilog=options.example(
        "imrep list --family local --inverse exact",
        "imrep list --json > representations.json",
    )
)
@click.option("--family", type=_Family(), metavar="NAME", help="Only this family.")
@click.option(
    "--inverse",
    type=click.Choice(list(_INVERSE), case_sensitive=False),
    help="Only those with this inverse at default parameters.",
)
@options.as_json
def command(family: str | None, inverse: str | None, as_json: bool) -> None:
    """Every representation, by family."""
    entries = [
        entry
        for entry in map(catalog.entry, catalog.names())
        if family in (None, entry.card.family) and inverse in (None, entry.card.inverse)
    ]
    if as_json:
        options.write_json([_facts(entry) for entry in entries])
        return
    for heading in _families(entries):
        click.secho(heading, bold=True)
        for entry in entries:
            if entry.card.family == heading:
                click.echo(_line(entry))
    if entries:
        click.secho(f"\n{_LEGEND}", dim=True)
    else:
        click.echo(_nothing(family, inverse), err=True)


def _families(entries: list[catalog.Entry]) -> list[str]:
    """The families of these entries, imrep's in its own order, then those of plugins."""
    families = {entry.card.family for entry in entries}
    return [f for f in _FAMILIES if f in families] + sorted(families.difference(_FAMILIES))


def _nothing(family: str | None, inverse: str | None) -> str:
    """Said where no representation passes the filters."""
    scope = f" of {family}" if family else ""
    quality = {"none": "no inverse", "exact": "an exact inverse"}.get(str(inverse))
    return f"no representation{scope} has {quality or 'an approximate inverse'}"


def _line(entry: catalog.Entry) -> str:
    card = entry.card
    gradient = "∇" if card.differentiable else "·"
    weights = _WEIGHTS[card.weights]
    marks = f"{_INVERSE[card.inverse]} {gradient} {weights}"
    columns = shutil.get_terminal_size((100, 24)).columns
    summary = textwrap.fill(
        entry.summary + _origin(entry),
        max(40, columns - 1),
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * _INDENT,
    ).lstrip()
    return f"  {click.style(f'{entry.name:13}', fg='cyan')} {marks}   {summary}"


def _origin(entry: catalog.Entry) -> str:
    """The package a plugin comes from."""
    package = entry.module.partition(".")[0]
    return "" if package == "imrep" else f" [{package}]"


def _facts(entry: catalog.Entry) -> dict[str, object]:
    parameters = {p.name: p.default for p in entry.parameters}
    return {
        "name": entry.name,
        "summary": entry.summary,
        **asdict(entry.card),
        "parameters": parameters,
        "package": entry.module.partition(".")[0],
    }
