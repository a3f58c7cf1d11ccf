"""Find the operations of `imrep edit` by name, and read chains of them, without importing torch.

The file's or folder's name is the name: `edit/operations/unsharp.py` is `unsharp`. A chain is
operations joined by commas, "stretch, unsharp:alpha=0.7,sigma=2": a part with = and no name goes on
with the one before.
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
from imrep.registry.signatures import Parameter, parameters

_ROOT = Path(__file__).parents[1] / "edit" / "operations"
_PICTURE = "Image"  # annotation of a parameter that is a further picture


@dataclass(frozen=True)
class Operation:
    """One operation, as written in its file."""

    name: str
    summary: str
    doc: str
    parameters: tuple[Parameter, ...]
    takes: str  # "Image", or "Packed" for what a file of compressed pictures holds
    gives: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        found: Callable[..., Any] = getattr(
            importlib.import_module(f"imrep.edit.operations.{self.name}"), self.name
        )
        return found


@dataclass(frozen=True)
class Step:
    """An operation with what is to be given to it.

    Args:
        operation: Which.
        given: Parameters with their values.
        pictures: Parameters that are pictures, with their paths.
    """

    operation: Operation
    given: dict[str, Any]
    pictures: dict[str, str]

    @property
    def spec(self) -> str:
        """How it is written."""
        named = {name.rstrip("_"): value for name, value in (self.given | self.pictures).items()}
        return specs.write(self.operation.name, named)


@cache
def names() -> tuple[str, ...]:
    """Every operation, sorted."""
    modules = [path.stem for path in _ROOT.glob("[a-z]*.py")]
    return tuple(sorted(modules + [path.parent.name for path in _ROOT.glob("[a-z]*/__init__.py")]))


def file(name: str) -> Path:
    """Where an operation is written: `blur.py`, or `denoise/__init__.py` of a folder."""
    folder = _ROOT / name / "__init__.py"
    return folder if folder.is_file() else _ROOT / f"{name}.py"


@cache
def entry(name: str) -> Operation:
    """What is written of one operation; "tone-map" is `tonemap`, "CLAHE" is `clahe`.

    Raises:
        UnknownName: If nothing has that name; the message offers the nearest.
    """
    stem = name.lower().replace("-", "").replace("_", "")
    if stem not in names():
        near = difflib.get_close_matches(stem, names(), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names())}."
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
        takes=_written(function.args.args[0].annotation),
        gives=_written(function.returns),
    )


def parse(chain: str) -> tuple[Step, ...]:
    """The steps of a chain.

    Raises:
        UnknownName: If one of them names nothing.
        BadParameter: If a parameter does not exist, has another type, or is needed and absent.
    """
    return tuple(_step(spec) for spec in specs.chain(chain))


def is_picture(parameter: Parameter) -> bool:
    """Whether it takes a further picture, which the command line reads from a path."""
    return parameter.annotation.partition(" ")[0] == _PICTURE


def _step(spec: str) -> Step:
    name, written = _only(spec)
    operation = entry(name)
    known = {parameter.name.rstrip("_"): parameter for parameter in operation.parameters}
    if unknown := sorted(written.keys() - known.keys()):
        raise BadParameter(
            f"{operation.name} has no parameter {unknown[0]!r}; "
            f"it takes {', '.join(known) or 'none'}"
        )
    if absent := [key for key, p in known.items() if p.needed and key not in written]:
        raise BadParameter(f"{operation.name} needs {' and '.join(absent)}. {_way(absent, known)}")
    plain = {key: known[key] for key in written if not is_picture(known[key])}
    return Step(
        operation,
        {
            parameter.name: specs.value(written[key], parameter.annotation, operation.name, key)
            for key, parameter in plain.items()
        },
        {known[key].name: text for key, text in written.items() if key not in plain},
    )


def _only(spec: str) -> tuple[str, dict[str, str]]:
    for name in filter(None, specs.names(spec)):
        entry(name)  # a name that is not there is said before what follows it
    views = specs.parse(spec)
    if len(views) > 1:
        raise BadParameter(f"{spec!r} adds operations with +. Join them by commas, first to last.")
    return views[0]


def _way(absent: list[str], known: dict[str, Parameter]) -> str:
    pairs = (f"{key}={'FILE' if is_picture(known[key]) else 'VALUE'}" for key in absent)
    return f"Write {','.join(pairs)} after its name and a colon."


def _written(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""
