"""imrep: one interface over every way to represent an image, and a test of which one serves yours.

Everything is imported when it is first used: `import imrep` alone costs milliseconds.
"""

import importlib
from typing import TYPE_CHECKING

from imrep.registry.catalog import card, names

if TYPE_CHECKING:  # for editors and type checkers; at run time `__getattr__` imports each
    from imrep import edit, store
    from imrep.api import (
        classify,
        compare,
        embed,
        evaluate,
        export,
        find_duplicates,
        invert,
        load_exported,
        load_model,
        map,
        match,
        picture,
        search,
        train,
    )
    from imrep.base import Representation
    from imrep.codec import pack, unpack
    from imrep.edit.chain import apply_edits, edited
    from imrep.errors import ImrepError
    from imrep.factory import get, load
    from imrep.images import read, write
    from imrep.registry.cards import Card
    from imrep.sklearn.classifier import Classifier
    from imrep.sklearn.embedder import Embedder
    from imrep.sklearn.regressor import Regressor

__version__ = "0.1.0"

_LAZY = {
    "Card": "imrep.registry.cards",
    "Classifier": "imrep.sklearn.classifier",
    "Embedder": "imrep.sklearn.embedder",
    "ImrepError": "imrep.errors",
    "Regressor": "imrep.sklearn.regressor",
    "Representation": "imrep.base",
    "apply_edits": "imrep.edit.chain",
    "classify": "imrep.api",
    "compare": "imrep.api",
    "edit": "imrep.edit",
    "edited": "imrep.edit.chain",
    "embed": "imrep.api",
    "evaluate": "imrep.api",
    "export": "imrep.api",
    "find_duplicates": "imrep.api",
    "get": "imrep.factory",
    "invert": "imrep.api",
    "load": "imrep.factory",
    "load_exported": "imrep.api",
    "load_model": "imrep.api",
    "map": "imrep.api",
    "match": "imrep.api",
    "pack": "imrep.codec",
    "picture": "imrep.api",
    "read": "imrep.images",
    "search": "imrep.api",
    "store": "imrep.store",
    "train": "imrep.api",
    "unpack": "imrep.codec",
    "write": "imrep.images",
}

__all__ = [
    "Card",
    "Classifier",
    "Embedder",
    "ImrepError",
    "Regressor",
    "Representation",
    "apply_edits",
    "card",
    "classify",
    "compare",
    "edit",
    "edited",
    "embed",
    "evaluate",
    "export",
    "find_duplicates",
    "get",
    "invert",
    "load",
    "load_exported",
    "load_model",
    "map",
    "match",
    "names",
    "pack",
    "picture",
    "read",
    "search",
    "store",
    "train",
    "unpack",
    "write",
]


if not TYPE_CHECKING:  # a type checker that saw it would call every name an object

    def __getattr__(name: str) -> object:
        """Import torch only when an attribute that needs it is used."""
        if name not in _LAZY:
            raise AttributeError(f"imrep has no attribute {name!r}")
        module = importlib.import_module(_LAZY[name])
        return module if module.__name__ == f"imrep.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
