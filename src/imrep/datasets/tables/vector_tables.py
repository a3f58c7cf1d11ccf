"""Vectors that were made elsewhere, with the paths of their images: from files and objects.

Nothing is ever unpickled: a pickle can run code.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imrep.datasets.tables import vector_columns, vector_numbers
from imrep.errors import BadData, ImrepError, short_repr
from imrep.io.names import printable

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt", ".bin")
_PICKLED = (
    "{name} was saved with pickle, which can run code. Save it with numpy.savez(vectors=..., "
    "paths=...)."
)


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Vectors, each with the path of its image.

    Args:
        name: What the user calls them.
        vectors: float32 (n, d), finite.
        paths: The path of each row, as written; None where the rows have none.
        columns: Names of the dimensions; empty where they have numbers only.
        notes: What was left out.
    """

    name: str
    vectors: np.ndarray
    paths: tuple[str, ...] | None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.paths is not None and len(self.paths) != len(self.vectors):
            raise BadData(
                f"{self.name} needs one vector for each of {len(self.paths):,} paths, got "
                f"{len(self.vectors):,}. Give as many paths as vectors."
            )
        vector_numbers.check(self.name, self.vectors, self.row_name, self.columns)

    def row_name(self, row: int) -> str:
        """How a message calls a row: its path, or its number from 1."""
        return _row_name(self.paths, row)


def read(name: str, source: Any) -> VectorTable:
    """The table in a file, an array, {path: row} or (paths, array).

    Args:
        name: What the user calls it, in messages.
        source: A path of a .parquet, .npz, .npy, .csv or .safetensors file; an array or tensor
            (n, d); a mapping from path to vector; or paths and such an array.

    Raises:
        BadData: It cannot be read, or holds anything but finite numbers.
    """
    if isinstance(source, str | Path):
        return _file(name, Path(source).expanduser())
    if isinstance(source, Mapping):
        return _pairs(name, tuple(source), list(source.values()))
    if isinstance(source, tuple) and len(source) == 2 and _are_paths(source[0]):
        return _pairs(name, source[0], source[1])
    return VectorTable(name, vector_numbers.array(name, source, _numbered), None)


def _pairs(name: str, paths: Sequence[Any], values: Any) -> VectorTable:
    if not all(isinstance(path, str | Path) for path in paths):
        stray = next(path for path in paths if not isinstance(path, str | Path))
        raise BadData(f"{name} needs paths, got {short_repr(stray)}. Give {{path: vector}}.")
    texts = tuple(printable(path) for path in paths)
    if not texts:
        raise BadData(f"{name} needs vectors, got none. Give {{path: vector}}.")
    array = vector_numbers.array(name, values, lambda row: _row_name(texts, row))
    return VectorTable(name, array, texts)


def _file(name: str, path: Path) -> VectorTable:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise BadData(_PICKLED.format(name=path.name))
    if suffix not in _READERS:
        kinds = ", ".join(_READERS)
        raise BadData(f"{name} needs a file of {kinds}; got {path.name}. Save it as one of these.")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "nothing"
        raise BadData(f"{name} needs a file of vectors, got {what} at {path}. Check the path.")
    try:
        table: VectorTable = _READERS[suffix](name, path)
    except ImrepError:
        raise
    except Exception as error:  # each library raises its own on damaged bytes
        why = " ".join(str(error).split())[:200]
        raise BadData(f"{path.name} cannot be read as {suffix} ({why}). Write it again.") from error
    return table


def _npy(name: str, path: Path) -> VectorTable:
    try:  # mapped, so that a damaged header cannot claim more memory than the file has bytes
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise BadData(_without_pickle(path, error)) from error
    return VectorTable(name, vector_numbers.array(name, array, _numbered), None)


def _npz(name: str, path: Path) -> VectorTable:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        if not {"vectors", "paths"} <= set(arrays.files):
            raise BadData(_needs_both(name, path, arrays.files))
        try:
            paths, vectors = arrays["paths"], arrays["vectors"]
        except ValueError as error:
            raise BadData(_without_pickle(path, error)) from error
    if paths.ndim != 1 or paths.dtype.kind not in "US":
        raise BadData(
            f"{name} needs texts as paths in {path.name}, got {paths.dtype} {paths.shape}. "
            "Save numpy.array(paths)."
        )
    texts = (
        [p.decode("utf-8", "surrogateescape") for p in paths] if paths.dtype.kind == "S" else paths
    )
    return _pairs(name, [str(text) for text in texts], vectors)


def _safetensors(name: str, path: Path) -> VectorTable:
    from safetensors import safe_open

    with safe_open(path, "pt") as tensors:  # torch, since numpy has no bfloat16
        metadata, keys = tensors.metadata() or {}, list(tensors.keys())
        if "vectors" not in keys or "paths" not in metadata:
            raise BadData(_needs_both(name, path, [*keys, *metadata]))
        vectors = tensors.get_tensor("vectors")
    return _pairs(name, json.loads(metadata["paths"]), vectors)


def _parquet(name: str, path: Path) -> VectorTable:
    from pyarrow import parquet

    return _of_columns(vector_columns.select(name, parquet.read_table(path), path.name))


def _csv(name: str, path: Path) -> VectorTable:
    return _of_columns(vector_columns.select_csv(name, path.read_bytes(), path.name))


def _of_columns(selected: vector_columns.Columns) -> VectorTable:
    return VectorTable(
        selected.name, selected.vectors, selected.paths, selected.columns, selected.notes
    )


def _needs_both(name: str, path: Path, present: Sequence[str]) -> str:
    listed = ", ".join(present) or "nothing"
    return (
        f"{name} needs vectors and paths in {path.name}, got {listed}. Save both, as in "
        "numpy.savez(vectors=..., paths=...)."
    )


def _without_pickle(path: Path, error: ValueError) -> str:
    """Of an array that numpy refuses: it holds objects, or is damaged."""
    if "pickle" in str(error).lower() or "object" in str(error).lower():
        return _PICKLED.format(name=path.name)
    why = " ".join(str(error).split())
    return f"{path.name} cannot be read as {path.suffix.lower()} ({why}). Write it again."


def _are_paths(paths: Any) -> bool:
    """Whether it is a sequence of paths, and no vector."""
    if isinstance(paths, str | Path) or not isinstance(paths, Sequence | np.ndarray):
        return False
    return len(paths) > 0 and isinstance(paths[0], str | Path)


def _numbered(row: int) -> str:
    return _row_name(None, row)


def _row_name(paths: Sequence[str] | None, row: int) -> str:
    return f"row {row + 1:,}" if paths is None or row >= len(paths) else paths[row]


_READERS = {
    ".parquet": _parquet,
    ".npz": _npz,
    ".npy": _npy,
    ".csv": _csv,
    ".tsv": _csv,
    ".safetensors": _safetensors,
}
