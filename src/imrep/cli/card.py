"""`imrep card SPEC`: facts, parameters and paper of a representation, without importing torch."""

import shutil
import textwrap
from dataclasses import asdict
from typing import Any

import click

from imrep import _native
from imrep.cli import options
from imrep.registry import catalog, specs
from imrep.registry.cards import Card
from imrep.registry.signatures import Parameter

_INVERSE = {
    "exact": "exact",
    "approximate": "approximate",
    "none": "none of its own",
}
_SUM = "Judged by its parts' votes, weighted; the vector is the parts side by side."
_LIBRARIES = {"kernels": "kernels", "jpeg": "a reader of JPEG coefficients"}
_WEIGHTS = {
    "none": "none needed",
    "optional": "optional",
    "required": "needed",
    "included": "part of imrep",
    "trained": "trained on your images",
}


@click.command(epilog=options.example("imrep card hog:cell=4"))
@click.argument("spec", type=options.SPEC)
@options.as_json
def command(spec: str, as_json: bool) -> None:
    """Print facts, parameters and paper of a representation.

    With a spec such as hog:cell=4, the parameters have the values of the spec. A sum a+b prints
    each of its views and how it is scored.
    """
    views = [(entry, entry.typed(texts)) for entry, texts in catalog.views(spec)]
    if as_json:
        facts = [_facts(entry, params) for entry, params in views]
        options.write_json(facts[0] if len(facts) == 1 else facts)
        return
    pages = [_page(entry, params) for entry, params in views]
    click.echo("\n\n".join([*pages, _SUM] if len(pages) > 1 else pages))


def _page(entry: catalog.Entry, params: dict[str, Any]) -> str:
    card = entry.card
    width = max(60, min(100, shutil.get_terminal_size((88, 24)).columns))
    lines = [
        f"{click.style(entry.name, fg='cyan', bold=True)}  {click.style(card.title, bold=True)}",
        textwrap.fill(entry.summary, width),
        "",
        *(_row(key, value, width) for key, value in _rows(entry)),
        *(_row(key, value, width) for key, value in _described(entry, params).items()),
    ]
    if entry.parameters:
        lines += ["", click.style("parameters", bold=True)]
        lines += [_parameter(p, params, _column(entry, params), width) for p in entry.parameters]
    return "\n".join(lines)


def _rows(entry: catalog.Entry) -> list[tuple[str, str]]:
    card = entry.card
    gradient = "reaches the image" if card.differentiable else "does not reach the image"
    rows = [
        ("family", card.family),
        ("inverse", _INVERSE[card.inverse] + _by_gradient(entry)),
        ("gradient", gradient),
        ("numbers", "float32" if card.dtype == "float32" else "float32 or float64, preserved"),
        ("reads", "pixels, or what a JPEG stores" if card.reads == "jpeg" else ""),
        ("weights", _WEIGHTS[card.weights]),
        ("needs", f"pip install 'imrep[{card.extra}]'" if card.extra else ""),
        ("compare", f"runs {' and '.join(card.contenders)}" if card.contenders else ""),
        ("short", ", ".join(entry.aliases)),
        ("text", "embedded in the same space" if card.text else ""),
        ("native", _kernels(card)),
        ("paper", card.cite),
        ("revision", str(card.revision)),
    ]
    return [(key, value) for key, value in rows if value]


def _described(entry: catalog.Entry, params: dict[str, Any]) -> dict[str, str]:
    """What the representation says of itself at these parameters; nothing without any."""
    if not entry.card.described or not params:
        return {}
    from imrep import factory

    # The architecture alone matters, so that nothing is read or downloaded.
    params = {**params, "weights": "random"}
    return factory.get(entry.name, **params).describe()


def _by_gradient(entry: catalog.Entry) -> str:
    gradual = entry.card.inverse == "none" and entry.card.differentiable
    return "; `imrep invert` searches by gradient" if gradual else ""


def _kernels(card: Card) -> str:
    return f"{_LIBRARIES[card.native]} in C, {_native.state(card.native)}" if card.native else ""


def _row(key: str, value: str, width: int) -> str:
    indent = " " * 12
    if len(key) > 9:  # a row of its own
        value = f"\n{indent}{textwrap.fill(value, width - 12, subsequent_indent=indent)}"
        return f"  {click.style(key, dim=True)}{value}"
    folded = textwrap.fill(value, width - 12, subsequent_indent=indent)
    return f"  {click.style(f'{key:9}', dim=True)} {folded}"


def _value(p: Parameter, params: dict[str, Any]) -> str:
    return specs.write("", {p.name: params.get(p.name, p.default)})


def _column(entry: catalog.Entry, params: dict[str, Any]) -> int:
    return min(28, max(len(_value(p, params)) for p in entry.parameters))


def _parameter(p: Parameter, params: dict[str, Any], column: int, width: int) -> str:
    assignment = _value(p, params).ljust(column)
    styled = click.style(assignment, fg="cyan", bold=p.name in params)
    default = f" [default: {p.default}]" if p.name in params else ""
    indent = " " * (column + 4)
    text = textwrap.fill(p.help + default, width, initial_indent=indent, subsequent_indent=indent)
    return f"  {styled}  {text.strip()}".rstrip()


def _facts(entry: catalog.Entry, params: dict[str, Any]) -> dict[str, object]:
    parameters = [asdict(p) | {"value": params.get(p.name, p.default)} for p in entry.parameters]
    return {
        "name": entry.name,
        "summary": entry.summary,
        **asdict(entry.card),
        "described": _described(entry, params),
        "native_state": _native.state(entry.card.native) if entry.card.native else "",
        "parameters": parameters,
        "doc": entry.doc,
    }
