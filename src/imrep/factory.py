"""Representations from specs and from folders that `Representation.save` wrote."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imrep.base import Representation, Sum
from imrep.base.representation import annotation
from imrep.errors import BadParameter, UnknownName
from imrep.registry import catalog, specs
from imrep.registry.signatures import current


def get(spec: str, **params: Any) -> Representation:
    """Build a representation from `name`, `name:key=value,key=value`, or a sum `a+b` of those.

    Args:
        spec: For example `"hog"`, `"hog:cell=8,orientations=9"`, `"histogram+hog"`; or the folder
            of a saved one, `"vectors.parquet.rep"`. The letter case of names and keys is ignored.
        **params: Constructor arguments; they override those in `spec`. Not for sums.

    Raises:
        UnknownName: If nothing has that name. The message offers the nearest.
        BadParameter: If a parameter does not exist, has another type, or is out of range.
    """
    views = catalog.parse(spec)
    if len(views) == 1:
        return _build(*views[0], params)
    if params:
        raise BadParameter(
            f"{spec!r} is a sum; write {', '.join(sorted(params))} inside its views."
        )
    return Sum([_build(name, texts, {}) for name, texts in views])


def load(folder: str | Path) -> Representation:
    """Rebuild a representation saved with `Representation.save`: codebooks, weights and all.

    A class that is in no catalog (of a script or a notebook) must be defined before.

    Raises:
        BadParameter: If the folder holds none.
        UnknownName: If its class is neither in the catalog nor defined.
    """
    config = catalog.saved_config(folder)
    views = specs.parse(config["spec"])
    classes = config.get("classes") or [""] * len(views)
    built = [
        _of_class(name, texts, qualified, folder)
        for (name, texts), qualified in zip(views, classes, strict=True)
    ]
    rep = (built[0] if len(built) == 1 else Sum(built)).load_weights(folder)
    rep._folder = specs.text(str(folder))
    return rep


def _build(name: str, texts: dict[str, str], params: dict[str, Any]) -> Representation:
    """One view, from the catalog or from a folder."""
    if catalog.is_saved(name):
        if surplus := sorted(texts.keys() | params.keys()):
            raise BadParameter(
                f"{name!r} is a folder of a saved representation and takes no {surplus[0]!r}. "
                f"It holds {catalog.saved_config(name)['spec']}."
            )
        return load(name)
    entry = catalog.entry(name)
    typed, params = entry.typed(texts), current(params, entry.renamed, entry.name, stacklevel=4)
    parameters = {p.name: p for p in entry.parameters}
    specs.check_keys(params, parameters, entry.name)
    for key, value in params.items():
        specs.check_type(value, parameters[key].annotation, entry.name, key)
    return class_of(name)(**typed | params)


def class_of(name: str) -> Any:
    """The class of a representation in the catalogue.

    Raises:
        UnknownName: If nothing has that name.
    """
    entry = catalog.entry(name)
    return getattr(importlib.import_module(entry.module), entry.class_name)


def _of_class(
    name: str, texts: dict[str, str], qualified: str, folder: str | Path
) -> Representation:
    """One view of a saved representation, of the very class it was saved from."""
    defined = [cls for cls in _below(Representation) if cls.name == name]
    exact = [cls for cls in defined if f"{cls.__module__}.{cls.__qualname__}" == qualified]
    in_catalog = name in catalog.names() and not qualified.startswith("__main__.")
    if in_catalog and not exact:
        return _build(name, texts, {})
    if not exact and (name in catalog.names() or not defined):
        raise UnknownName(
            f"load needs the class {qualified or name} that {str(folder)!r} was saved from, got "
            "none. Define it, or import its module, before loading."
        )
    cls = (exact or defined)[-1]  # of one defined again, as notebooks do, the latest
    texts = current(texts, cls.renamed, name)
    signature = cls._signature().items()
    annotations = {key: annotation(parameter) for key, parameter in signature}
    return cls(**specs.typed(texts, annotations, name))


def _below(cls: type) -> Iterator[Any]:
    subclass: type
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _below(subclass)
