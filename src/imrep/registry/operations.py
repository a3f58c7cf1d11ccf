"""Find the operations of `imrep edit` by name, and parse chains of them, without importing torch.

An operation is named after its file or folder: `edit/operations/unsharp.py` is `unsharp`. A chain
is operations joined by commas, "stretch, unsharp:alpha=0.7,sigma=2": a part with = and without a
name is a parameter of the operation before it.
"""

import ast
import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from imrep.errors import BadParameter, UnknownName
from imrep.registry import specs
from imrep.registry.signatures import Parameter, current, parameters

_ROOT = Path(__file__).parents[1] / "edit" / "operations"
_IMAGE = "Image"  # annotation of a parameter that is an additional image


@dataclass(frozen=True)
class Operation:
    """One operation, as its file defines it."""

    name: str
    summary: str
    doc: str
    parameters: tuple[Parameter, ...]
    renamed: dict[str, str]  # old names of parameters and the present ones
    takes: str  # "Image", or "Packed" for a compressed image
    gives: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module = importlib.import_module(f"imrep.edit.operations.{self.name}")
        function: Callable[..., Any] = getattr(module, self.name)
        return function


@dataclass(frozen=True)
class Step:
    """An operation with its arguments.

    Args:
        operation: The operation.
        params: The values of its parameters.
        images: The paths of its parameters that are images.
    """

    operation: Operation
    params: dict[str, Any]
    images: dict[str, str]

    @property
    def spec(self) -> str:
        """The step as text."""
        values = {name.rstrip("_"): value for name, value in (self.params | self.images).items()}
        return specs.write(self.operation.name, values)


@cache
def names() -> tuple[str, ...]:
    """Every operation, sorted."""
    modules = [path.stem for path in _ROOT.glob("[a-z]*.py")]
    return tuple(sorted(modules + [path.parent.name for path in _ROOT.glob("[a-z]*/__init__.py")]))


def file(name: str) -> Path:
    """Where an operation is defined: `blur.py`, or `denoise/__init__.py` of a folder."""
    folder = _ROOT / name / "__init__.py"
    return folder if folder.is_file() else _ROOT / f"{name}.py"


@cache
def entry(name: str) -> Operation:
    """One operation; "tone-map" is `tonemap`, "CLAHE" is `clahe`.

    Raises:
        UnknownName: No operation has that name; the message offers the nearest.
    """
    stem = name.lower().replace("-", "").replace("_", "")
    if stem not in names():
        nearest = difflib.get_close_matches(stem, names(), n=1)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else f"There are {', '.join(names())}."
        raise UnknownName(f"no operation is called {name!r}. {hint}")
    tree = ast.parse(file(stem).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    function = next(node for node in functions if not node.name.startswith("_"))
    doc = ast.get_docstring(function) or ""
    return Operation(
        name=stem,
        summary=doc.partition("\n")[0],
        doc=doc,
        parameters=parameters(function, doc),
        renamed=_renamed(function),
        takes=_source(function.args.args[0].annotation),
        gives=_source(function.returns),
    )


def parse(chain: str) -> tuple[Step, ...]:
    """The steps of a chain.

    Raises:
        UnknownName: No operation has one of the names.
        BadParameter: A parameter does not exist, has another type, or is required and missing.
    """
    return tuple(_step(spec) for spec in specs.chain(chain))


def is_image(parameter: Parameter) -> bool:
    """Whether it takes an additional image, which the command line reads from a path."""
    return parameter.annotation.partition(" ")[0] == _IMAGE


def _step(spec: str) -> Step:
    name, arguments = _parsed(spec)
    operation = entry(name)
    by_name = {parameter.name.rstrip("_"): parameter for parameter in operation.parameters}
    arguments = current(arguments, operation.renamed, operation.name)
    arguments = specs.matched(arguments, by_name, operation.name)
    if missing := [key for key, p in by_name.items() if p.needed and key not in arguments]:
        remedy = _remedy(missing, by_name)
        raise BadParameter(f"{operation.name} needs {' and '.join(missing)}. {remedy}")
    plain = {key: by_name[key] for key in arguments if not is_image(by_name[key])}
    return Step(
        operation,
        {
            parameter.name: specs.value(arguments[key], parameter.annotation, operation.name, key)
            for key, parameter in plain.items()
        },
        {by_name[key].name: path for key, path in arguments.items() if key not in plain},
    )


def _parsed(spec: str) -> tuple[str, dict[str, str]]:
    """The name and the arguments of one operation, as text."""
    for name in filter(None, specs.names(spec)):
        entry(name)  # an unknown name is reported before errors in what follows it
    views = specs.parse(spec)
    if len(views) > 1:
        raise BadParameter(f"{spec!r} adds operations with +. Join them by commas, first to last.")
    return views[0]


def _remedy(missing: list[str], by_name: dict[str, Parameter]) -> str:
    pairs = (f"{key}={'FILE' if is_image(by_name[key]) else 'VALUE'}" for key in missing)
    return f"Write {','.join(pairs)} after its name and a colon."


def _renamed(function: ast.FunctionDef) -> dict[str, str]:
    """The arguments of the decorator `renamed`, if there is one."""
    return {
        str(keyword.arg): ast.literal_eval(keyword.value)
        for call in function.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "renamed"
        for keyword in call.keywords
    }


def _source(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""
