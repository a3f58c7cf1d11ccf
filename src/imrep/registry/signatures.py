"""Parameters of a function, read from its source: names, types, defaults, and what they do.

A renamed parameter keeps its old name for one release: `current` gives the new one.
"""

import ast
import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from imrep.errors import BadParameter

P = ParamSpec("P")
R = TypeVar("R")


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
    """The text of a docstring's Args section for each parameter."""
    _, _, section = doc.partition("Args:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if not line.startswith("    "):
            break
        if line[4:5] != " " and ":" in line:
            name, _, text = line.strip().partition(":")
            texts[name] = text.strip()
        elif name:
            texts[name] += " " + line.strip()
    return texts


def current(
    params: Mapping[str, Any], renamed: Mapping[str, str], caller: str, stacklevel: int = 3
) -> dict[str, Any]:
    """Parameters by their present names; an old name works, with a warning.

    Args:
        params: Values by present or old name, of any letter case.
        renamed: The present name of each old one.
        caller: The name that a message starts with.
        stacklevel: As `warnings.warn` counts, seen from here.

    Raises:
        BadParameter: If a value comes by both names.
    """
    present = {name: renamed.get(name.lower(), name) for name in params}
    outdated = {old: new for old, new in present.items() if old != new}
    spellings = {name.lower() for name in params}
    for old, new in outdated.items():
        if new in spellings:
            raise BadParameter(
                f"{caller} takes {new!r}, formerly {old!r}, once, got both. Leave {old!r} out."
            )
    for old, new in outdated.items():
        warnings.warn(
            f"{caller}: the parameter {old!r} is now called {new!r}; the next release "
            "knows the new name alone.",
            FutureWarning,
            stacklevel,
        )
    return {present[name]: value for name, value in params.items()}


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keyword arguments by their old names, as `old="new"`, with a warning."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def inner(*args: Any, **keywords: Any) -> R:
            return function(*args, **current(keywords, names, function.__name__))

        return inner

    return decorate
