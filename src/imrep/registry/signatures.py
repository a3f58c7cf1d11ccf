"""Parameters of a function, read from its source: names, types, defaults, and what they do."""

import ast
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One keyword-only argument, as written."""

    name: str
    annotation: str
    default: Any  # None where there is none
    help: str
    needed: bool = False


def parameters(function: ast.FunctionDef, doc: str) -> tuple[Parameter, ...]:
    """The keyword-only arguments of a function, explained by the Args section of `doc`."""
    explained = helps(doc)
    pairs = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return tuple(
        Parameter(
            argument.arg,
            ast.unparse(argument.annotation) if argument.annotation else "",
            None if default is None else ast.literal_eval(default),
            explained.get(argument.arg, ""),
            default is None,
        )
        for argument, default in pairs
    )


def helps(doc: str) -> dict[str, str]:
    """What the docstring's Args section says of each parameter."""
    _, _, rest = doc.partition("Args:\n")
    found: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        if not line.startswith("    "):
            break
        if line[4:5] != " " and ":" in line:
            name, _, text = line.strip().partition(":")
            found[name] = text.strip()
        elif name:
            found[name] += " " + line.strip()
    return found
