"""Vectors in one file: parquet, npz or safetensors, written piece by piece.

Each holds the vectors as float32, the paths, the labels and the facts of their origin. Only one
piece is in memory at a time; the same pieces give the same bytes.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from safetensors import safe_open

from imrep.errors import BadParameter
from imrep.io.names import printable

Columns = Mapping[str, Sequence[str | None]]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: same vectors, same bytes


@dataclass(frozen=True)
class Table:
    """The vectors to write, with their texts and facts.

    Args:
        pieces: float32 arrays (n, dim), in order.
        rows: Sum of their n.
        dim: Length of a vector.
        columns: One text per row under each name; None where there is none.
        facts: The origin of the vectors: spec, fingerprint, size …
    """

    pieces: Iterable[NDArray[np.float32]]
    rows: int
    dim: int
    columns: Columns
    facts: Mapping[str, str]


def write(path: Path, table: Table) -> None:
    """Write `table` in the format that the suffix of `path` names.

    Texts that are not UTF-8 are written as `io.names.printable` spells them.
    """
    columns = {
        name: [None if text is None else printable(text) for text in column]
        for name, column in table.columns.items()
    }
    _WRITERS[suffix(path)](path, replace(table, columns=columns))


def read(path: Path) -> tuple[NDArray[np.float32], dict[str, list[str | None]]]:
    """The vectors (n, d) and the texts in a file of `write`; None where there is no text.

    Raises:
        BadParameter: The suffix names no format.
        OSError: The system refuses.
    """
    match suffix(path):
        case ".parquet":
            table = parquet.read_table(path)
            vector = table["vector"].combine_chunks()
            shape = len(vector), vector.type.list_size
            vectors = vector.flatten().to_numpy(zero_copy_only=False).reshape(shape)
            return vectors, table.drop_columns(["vector"]).to_pydict()
        case ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                texts = {
                    n[:-1]: arrays[n] for n in arrays.files if n != "vectors" and arrays[n].ndim
                }
                vectors = arrays["vectors"]
            return vectors, {n: [text or None for text in texts[n].tolist()] for n in texts}
        case _:
            with safe_open(path, "np") as tensors:
                metadata = tensors.metadata()
                lists = {n[:-1]: json.loads(metadata[n]) for n in ("paths", "labels")}
                return tensors.get_tensor("vectors"), lists


def suffix(path: Path) -> str:
    """The suffix of `path`, if it names a format.

    Raises:
        BadParameter: If it does not.
    """
    if path.suffix not in _WRITERS:
        raise BadParameter(
            f"vectors are written as {', '.join(_WRITERS)}, got {path.name!r}. "
            f"Try {path.with_suffix('.parquet').name}."
        )
    return path.suffix


def _parquet(path: Path, table: Table) -> None:
    """Columns, then `vector` as a list of fixed size, which pandas and others open directly."""
    vector = pa.list_(pa.float32(), table.dim)
    names = [pa.field(name, pa.string()) for name in table.columns]
    schema = pa.schema(
        [*names, pa.field("vector", vector)],
        metadata={f"imrep.{key}": value for key, value in table.facts.items()},
    )
    with parquet.ParquetWriter(path, schema, use_dictionary=list(table.columns)) as file:
        start = 0
        for piece in table.pieces:
            texts = [
                pa.array(column[start : start + len(piece)], pa.string())
                for column in table.columns.values()
            ]
            numbers = pa.FixedSizeListArray.from_arrays(pa.array(piece.ravel()), type=vector)
            file.write_table(pa.table([*texts, numbers], schema=schema))
            start += len(piece)


def _npz(path: Path, table: Table) -> None:
    """`vectors`, one array of text for each column ("" where there is none), the facts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:

        def member(name: str, dtype: str, shape: tuple[int, ...], parts: Iterable[bytes]) -> None:
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as out:
                header = {"descr": dtype, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(out, header)
                for part in parts:
                    out.write(part)

        member("vectors", "<f4", (table.rows, table.dim), _raw(table.pieces))
        for name, column in table.columns.items():
            width = max((len(text) for text in column if text), default=1)
            texts = (np.array(text or "", f"<U{width}").tobytes() for text in column)
            member(f"{name}s", f"<U{width}", (table.rows,), texts)
        for name, fact in table.facts.items():
            member(name, f"<U{max(1, len(fact))}", (), [np.array(fact).tobytes()])


def _safetensors(path: Path, table: Table) -> None:
    """`vectors`; columns as JSON lists and facts as text in the metadata."""
    lists = {f"{name}s": json.dumps(list(column)) for name, column in table.columns.items()}
    size = 4 * table.rows * table.dim
    tensor = {"dtype": "F32", "shape": [table.rows, table.dim], "data_offsets": [0, size]}
    header = json.dumps({"__metadata__": {**table.facts, **lists}, "vectors": tensor}).encode()
    header += b" " * (-len(header) % 8)  # the format asks for tensors that start at a multiple of 8
    with path.open("wb") as out:
        out.write(len(header).to_bytes(8, "little") + header)
        for part in _raw(table.pieces):
            out.write(part)


def _raw(pieces: Iterable[NDArray[np.float32]]) -> Iterator[bytes]:
    for piece in pieces:
        yield np.ascontiguousarray(piece, "<f4").tobytes()


_WRITERS: dict[str, Callable[[Path, Table], None]] = {
    ".parquet": _parquet,
    ".npz": _npz,
    ".safetensors": _safetensors,
}
