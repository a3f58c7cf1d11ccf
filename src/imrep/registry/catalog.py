"""Find representations by name, without importing torch.

The file name is the name: `represent/multiscale/laplacian.py` is `laplacian`, and the class in
`represent/local/sift/__init__.py` is `sift`. Cards, parameters and summaries are read from the
source with `ast`; `factory` imports a module to build an instance of it. Other packages join
through the entry-point group `imrep.representations`.

The folder of a saved representation stands where a name does; a name, or an alias of a name and
parameters, has precedence over a folder of the same name.
"""

import ast
import difflib
import importlib
import importlib.util
import json
import warnings
from collections.abc import Container
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from imrep.errors import BadParameter, UnknownName, short_repr
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.registry.signatures import Parameter, current, parameters

_ROOT = Path(__file__).parents[1] / "represent"
_GROUP = "imrep.representations"
_UNREADABLE = (
    SyntaxError,
    TypeError,
    ValueError,
)  # of a source that is not as literal as it must be


@dataclass(frozen=True)
class Entry:
    """One representation, as written in its file."""

    name: str
    module: str
    class_name: str
    card: Card
    summary: str
    doc: str
    parameters: tuple[Parameter, ...]
    example: str = ""  # a spec that builds quickly and offline, where the bare name does not
    renamed: dict[str, str] = field(default_factory=dict)  # parameters' old names to present ones
    aliases: dict[str, str] = field(default_factory=dict)  # short names to parameters as in a spec

    def typed(self, texts: dict[str, str]) -> dict[str, Any]:
        """The values of a spec as the types of the parameters.

        Raises:
            BadParameter: If there is no such parameter, or a text cannot be read as its type.
        """
        annotations = {parameter.name: parameter.annotation for parameter in self.parameters}
        texts = current(texts, self.renamed, self.name, stacklevel=5)
        return specs.typed(texts, annotations, self.name)


def names() -> tuple[str, ...]:
    """Every name `get` accepts, sorted."""
    return tuple(sorted(_modules()))


@cache
def entry(name: str) -> Entry:
    """Read one representation's facts from its source; its name or an alias in any letter case.

    Raises:
        UnknownName: If nothing has that name; the message offers the nearest. Or if its file
            cannot be read without running it; the message says what is not literal.
    """
    if name not in _modules():
        by_lower = {spelling.lower(): spelling for spelling in names()}
        if (spelling := by_lower.get(name.lower())) is not None:
            return entry(spelling)
        if (alias := aliases().get(name.lower())) is not None:
            return entry(alias[0])
        by_lower |= {alias: alias for alias in aliases()}
        nearest = difflib.get_close_matches(name.lower(), by_lower, n=1)
        hint = "`imrep list` shows all of them."
        if nearest:
            hint = f"Did you mean {by_lower[nearest[0]]!r}?"
        if Path(name).is_dir():
            hint = "There is a folder of that name, without the config.json that `save` writes."
        raise UnknownName(f"no representation is called {name!r}. {hint}")
    module, path = _modules()[name]
    try:
        fields = _read(name, module, path)
    except _UNREADABLE as error:
        raise UnknownName(
            f"{name} needs a literal card and literal defaults in {_short(path)}, got {error}. "
            "Write values, not expressions."
        ) from error
    if fields is None:
        raise UnknownName(f"{_without_class(path)}.")
    return fields


@cache
def aliases() -> dict[str, tuple[str, str]]:
    """Short names, in lower case, to the name of a representation and parameters of a spec."""
    return {
        alias.lower(): (name, texts)
        for name in names()
        for alias, texts in entry(name).aliases.items()
        if alias.lower() not in map(str.lower, _modules())
    }


def name_of(module: str) -> str:
    """The name of the representation that a module belongs to, as in `get`.

    It is that of the module itself or of the innermost folder around it that is a representation;
    for a module of neither, its last component.
    """
    names = {listed: name for name, (listed, _) in _modules().items()}
    enclosing = module
    while enclosing and enclosing not in names:
        enclosing = enclosing.rpartition(".")[0]
    return names.get(enclosing, module.rpartition(".")[2])


def card(name: str) -> Card:
    """The card of one representation.

    Raises:
        BadParameter: `name` is no text.
        UnknownName: Nothing has that name.
    """
    if not isinstance(name, str):
        raise BadParameter(f"card needs a name such as 'hog', got {short_repr(name)}. Try names().")
    return entry(name).card


def views(spec: str) -> list[tuple[Entry, dict[str, str]]]:
    """The entry of each view of a spec, with its parameters as text; a saved folder's own.

    Raises:
        UnknownName: If nothing has one of the names.
        BadParameter: If the spec cannot be read.
    """
    entries: list[tuple[Entry, dict[str, str]]] = []
    for name, texts in parse(spec):
        if is_saved(name):
            entries += views(saved_config(name)["spec"])
        else:
            own = entry(name)
            entries.append((own, current(texts, own.renamed, own.name, stacklevel=4)))
    return entries


def parse(spec: str) -> list[tuple[str, dict[str, str]]]:
    """Name and parameters, still text, of each view of a spec; a saved folder's path as its name.

    An alias is replaced by what it stands for.

    Raises:
        UnknownName: If nothing has one of the names; they are checked before the parameters.
        BadParameter: If the spec cannot be read.
    """
    if not isinstance(spec, str):
        raise BadParameter(
            f"a spec needs to be text such as 'hog:cell=4', got {spec!r}. Try 'hog'."
        )
    if is_saved(spec):
        return [(spec, {})]
    for name in filter(None, specs.names(spec)):
        if not is_saved(name):
            entry(name)
    return [_without_alias(*view) for view in specs.parse(spec)]


def _without_alias(name: str, texts: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A view by its representation's name; the spec's parameters override those of an alias."""
    if name.lower() in map(str.lower, _modules()) or is_saved(name):
        return name, texts
    own, parameters = aliases()[name.lower()]
    ((_, preset),) = specs.parse(f"{own}:{parameters}")
    stated = {key.lower() for key in texts}
    return own, {key: text for key, text in preset.items() if key not in stated} | texts


def is_saved(name: str) -> bool:
    """Whether no representation but a folder with a config.json has that name."""
    if not isinstance(name, str) or name.lower() in map(str.lower, _modules()):
        return False
    try:
        return (Path(name) / "config.json").is_file() and name.lower() not in aliases()
    except (OSError, ValueError):  # too long for a path, or with a null byte
        return False


def saved_config(folder: str | Path) -> dict[str, Any]:
    """The config.json of a saved representation: its spec, its fingerprint, its classes.

    Raises:
        BadParameter: If the folder holds none.
    """
    try:
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        return {**config, "spec": str(config["spec"])}
    except (OSError, ValueError, KeyError, TypeError):
        path = short_repr(str(folder) if isinstance(folder, Path) else folder)
        raise BadParameter(
            f"load needs a folder with the config.json that `save` writes, got {path}. "
            "A network from elsewhere is cnn:arch=NAME,weights=FOLDER."
        ) from None


def own_sources() -> dict[str, tuple[str, Path]]:
    """Module and source of imrep's own representations: a file, or a folder's `__init__.py`."""
    files = [(path.stem, path) for path in _ROOT.glob("*/[a-z]*.py")]
    folders = [(path.parent.name, path) for path in _ROOT.glob("*/[a-z]*/__init__.py")]
    modules = ((name, path.relative_to(_ROOT).parts[0], path) for name, path in files + folders)
    return {
        name: (f"imrep.represent.{family}.{name}", path) for name, family, path in sorted(modules)
    }


@cache
def _modules() -> dict[str, tuple[str, Path]]:
    """Module and source file of every representation, ours and plugins'."""
    sources = own_sources()
    for point in entry_points(group=_GROUP):
        path = _source(point.module)
        if reason := _unfit(point, path, sources):
            message = f"plugin {point.name} = {point.value} is left out: {reason}."
            warnings.warn(message, stacklevel=2)
        elif path is not None:
            sources[point.name] = (point.module, path)
    return sources


def _unfit(point: EntryPoint, path: Path | None, names: Container[str]) -> str:
    """Why an entry point defines no representation; "" if it does."""
    if point.name in names:
        return "the name is taken"
    if path is None:
        return "its source file does not exist"
    try:
        fields = _read(point.name, point.module, path)
    except _UNREADABLE as error:
        return f"its card cannot be read ({error})"
    return "" if fields else _without_class(path)


def _without_class(path: Path) -> str:
    """That a source defines no representation, and for a folder where the class belongs."""
    other = ", which is not read from the folder's other files" if path.stem == "__init__" else ""
    return f"{_short(path)} defines no class with a literal `card = Card(...)`{other}"


def _short(path: Path) -> str:
    """The name of a file; of an `__init__.py` with that of its folder."""
    return f"{path.parent.name}/{path.name}" if path.stem == "__init__" else path.name


def _source(module: str) -> Path | None:
    """The file of a plugin's module, found without importing the package around it."""
    top, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # __main__ may have no spec
        spec = None
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin else None
    for root in spec.submodule_search_locations or ():
        stem = Path(root).joinpath(*inner)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None


def _read(name: str, module: str, path: Path) -> Entry | None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and isinstance(call := _assigned(node, "card"), ast.Call):
            doc = ast.get_docstring(node) or ""
            example, renamed = _assigned(node, "example"), _assigned(node, "renamed")
            short = _assigned(node, "aliases")
            init = _constructor(node)
            return Entry(
                name=name,
                module=module,
                class_name=node.name,
                card=_literal(call),
                summary=doc.partition("\n")[0],
                doc=doc,
                parameters=parameters(init, doc) if init else (),
                example=ast.literal_eval(example) if example else "",
                renamed=ast.literal_eval(renamed) if renamed else {},
                aliases=ast.literal_eval(short) if short else {},
            )
    return None


def _assigned(node: ast.ClassDef, name: str) -> ast.expr | None:
    """What a class body gives to a name, annotated or not."""
    for item in node.body:
        if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == name:
            return item.value
        if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == name:
            return item.value
    return None


def _constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    functions = (item for item in node.body if isinstance(item, ast.FunctionDef))
    return next((function for function in functions if function.name == "__init__"), None)


def _literal(call: ast.Call) -> Card:
    return Card(**{str(k.arg): ast.literal_eval(k.value) for k in call.keywords})
