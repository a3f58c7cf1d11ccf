"""What a store consists of: columns, facts in the metadata of the schema, folders.

A store is a Lance dataset, a folder with `_versions/` (a manifest for each commit), `data/`,
`_deletions/` and `_transactions/`. imrep adds `_imrep/`: the lock of the writer, the digest of
every data file, and the pieces that a repair moved aside.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from imrep.errors import ExtraNeeded

FORMAT = 1  # raised when columns or facts change their meaning
SUFFIX = ".lance"
DTYPES = {"float32": pa.float32(), "float16": pa.float16()}
PREFIX = "imrep."  # of the facts, as in a parquet of vectors

VERSIONS, DATA, DELETIONS, TRANSACTIONS = "_versions", "data", "_deletions", "_transactions"
HINT = "latest_version_hint.json"  # in _versions: where Lance looks first
OWN = "_imrep"
LOCK, DIGESTS, ASIDE = "lock", "digests", "aside"  # in _imrep

TEXTS = ("path", "digest", "label")
SIZES = ("width", "height")
COLUMNS = (*TEXTS, *SIZES)  # of an image; then vector, deleted, stamp


def schema(dim: int, dtype: str, facts: dict[str, str]) -> pa.Schema:
    """Columns and facts of a store of vectors with `dim` numbers."""
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("digest", pa.string(), nullable=False),
            pa.field("label", pa.string()),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("vector", pa.list_(DTYPES[dtype], dim)),
            pa.field("deleted", pa.bool_(), nullable=False),
            pa.field("stamp", pa.string()),
        ],
        metadata={f"{PREFIX}{name}": fact for name, fact in facts.items()},
    )


def digests(path: Path) -> dict[str, str]:
    """The digest that was noted of each file of data, of deletions, and of each manifest."""
    files = (path / OWN / DIGESTS).glob("*")
    return {file.name: file.read_text().strip() for file in files}


def facts(schema: pa.Schema) -> dict[str, str]:
    """The facts in the metadata of a schema; empty where imrep did not write it."""
    stored = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    return {
        name.removeprefix(PREFIX): value
        for name, value in stored.items()
        if name.startswith(PREFIX)
    }


def is_table(path: Path) -> bool:
    """Whether a folder has a version of a Lance table, be it damaged."""
    return any(manifests(path))


def manifests(path: Path) -> list[Path]:
    """The manifests of a table, the newest first."""
    files = {version(file): file for file in (path / VERSIONS).glob("*.manifest")}
    return [files[number] for number in sorted(files, reverse=True) if number]


def version(manifest: Path) -> int:
    """The number of a version by the name of its manifest; 0 where that is no number.

    Lance counts down from 2^64 - 1 in the names, so that the newest is listed first.
    """
    if not manifest.stem.isdigit():
        return 0
    number = int(manifest.stem)
    return 2**64 - 1 - number if number > 2**63 else number


def lance() -> Any:
    """The package that reads and writes Lance tables.

    Raises:
        ExtraNeeded: It is not installed.
    """
    os.environ.setdefault("LANCE_LOG", "error")  # its warnings of damage would precede the message
    try:
        return import_module("lance")
    except ImportError as error:
        raise ExtraNeeded(
            "a .lance store needs the package pylance. pip install 'imrep[store]'"
        ) from error
