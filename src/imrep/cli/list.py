"""`imrep list`: every representation, by family, without importing torch."""

import shutil
import textwrap
from dataclasses import asdict

import click

from imrep.cli import options
from imrep.registry import catalog

_FAMILIES = ("statistics", "local", "multiscale", "frequency", "spatial", "learned", "language")
_INVERSE = {"exact": "=", "approximate": "≈", "none": "·"}
_INDENT = 24
_LEGEND = (
    "= exact inverse   ≈ approximate inverse   ∇ gradients reach the image\n"
    "w weights help   W weights needed   imrep card NAME says more"
)


@click.command(epilog=options.example("imrep list --json > representations.json"))
@options.as_json
def command(as_json: bool) -> None:
    """Every representation, by family."""
    entries = [catalog.entry(name) for name in catalog.names()]
    if as_json:
        options.write_json([_facts(entry) for entry in entries])
        return
    families = {entry.card.family for entry in entries}
    unknown = sorted(families.difference(_FAMILIES))
    for family in [f for f in _FAMILIES if f in families] + unknown:
        click.secho(family, bold=True)
        for entry in entries:
            if entry.card.family == family:
                click.echo(_line(entry))
    click.secho(f"\n{_LEGEND}", dim=True)


def _line(entry: catalog.Entry) -> str:
    card = entry.card
    gradient = "∇" if card.differentiable else "·"
    weights = {"none": "·", "optional": "w", "required": "W"}[card.weights]
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
