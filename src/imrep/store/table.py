"""Reading a store: its facts, its rows, its vectors. Rows marked deleted are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imrep.errors import BadData, BadParameter, ImrepError, StoreMismatch
from imrep.store import layout

_LIVE = "NOT deleted"
_DIGITS = 4  # digits of a fingerprint in a message
_PANIC = "PanicException"  # of Lance: derived from BaseException, and private


@dataclass(frozen=True)
class Facts:
    """The origin of the vectors, and their number.

    Args:
        spec: What embedded the images.
        fingerprint: Of that representation with its weights.
        size: Side of the squares it read, in pixels; None for images at their own size.
        imrep: Version of imrep that created the store.
        data: Absolute path of the images' folder, table or archive; "" where there is none.
        reading: Key of how files became pixels.
        rows: Vectors, without those marked deleted.
        deleted: Rows marked deleted.
        dim: Numbers in a vector.
        dtype: Of the stored numbers: float32 or float16.
        version: Of the table; each commit raises it.
    """

    spec: str
    fingerprint: str
    size: int | None
    imrep: str
    data: str
    reading: str
    rows: int
    deleted: int
    dim: int
    dtype: str
    version: int


class Store:
    """A store at the version it had when it was opened, whatever is written meanwhile.

    Args:
        path: Its folder.
        dataset: The Lance dataset.

    Raises:
        BadData: imrep did not write it.
        StoreMismatch: It has another format.
    """

    def __init__(self, path: Path, dataset: Any) -> None:
        self.path, self.dataset = path, dataset
        stored = layout.facts(dataset.schema)
        _check_format(path, stored)
        vector = dataset.schema.field("vector").type
        deleted = dataset.count_rows("deleted")
        self.facts = Facts(
            spec=stored["spec"],
            fingerprint=stored["fingerprint"],
            size=None if stored["size"] == "native" else int(stored["size"]),
            imrep=stored["imrep"],
            data=stored.get("data", ""),
            reading=stored.get("reading", ""),
            rows=dataset.count_rows() - deleted,
            deleted=deleted,
            dim=vector.list_size,
            dtype="float16" if vector.value_type == pa.float16() else "float32",
            version=dataset.version,
        )

    def __len__(self) -> int:
        return self.facts.rows

    def __repr__(self) -> str:
        facts = self.facts
        return f"Store({self.path}: {facts.rows:,} × {facts.dim:,} of {facts.spec})"

    def rows(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """The rows that are not marked deleted, in the order of the table.

        Args:
            columns: Names; by default path, digest, label, width, height.
            where: A condition in SQL, such as "label = 'cat' AND width >= 640".

        Raises:
            BadParameter: The condition or a column cannot be read.
            BadData: A file of the table is damaged.
        """
        return self._scanner(columns or layout.COLUMNS, where).to_table()

    def vectors(self, where: str | None = None) -> NDArray[np.float32]:
        """The vectors (n, d) of `rows(where=where)`, in their order, as float32.

        Raises:
            BadParameter: The condition cannot be read.
            BadData: A file of the table is damaged.
        """
        parts = [np.empty((0, self.facts.dim), np.float32)]
        parts += [array(batch["vector"]) for batch in self.batches(["vector"], where)]
        return np.concatenate(parts)

    def batches(self, columns: Sequence[str], where: str | None = None) -> Any:
        """The rows of some columns as record batches; one is in memory at a time."""
        return _guarded(self.path, self._scanner(columns, where).to_batches())

    def require(self, spec: str, fingerprint: str, remedy: str) -> None:
        """Refuse vectors that another representation made.

        Args:
            spec: Of what made them.
            fingerprint: Of the same.
            remedy: What to do otherwise, a sentence.

        Raises:
            StoreMismatch: The fingerprint is not that of the store.
        """
        facts = self.facts
        if facts.fingerprint != fingerprint:
            raise StoreMismatch(
                f"{self.path} was written by {facts.spec} ({facts.fingerprint[:_DIGITS]}…), "
                f"not by {spec} ({fingerprint[:_DIGITS]}…). {remedy}"
            )

    def _scanner(self, columns: Sequence[str], where: str | None) -> Any:
        names = self.dataset.schema.names
        if missing := [name for name in columns if name not in names]:
            raise BadParameter(
                f"{self.path} has the columns {', '.join(names)}, got {missing[0]!r}. Use those."
            )
        condition = f"({where}) AND {_LIVE}" if where else _LIVE
        try:
            scanner = self.dataset.scanner(columns=list(columns), filter=condition)
            scanner.explain_plan()  # parses the condition
        except (ValueError, OSError, RuntimeError) as error:
            raise BadParameter(
                f"{self.path} needs a condition such as label = 'cat', got {where!r} "
                f"({reason(error)}). It has the columns {', '.join(names)}."
            ) from error
        return _Scanner(self.path, scanner)


@dataclass(frozen=True)
class _Scanner:
    """A scan whose errors name the store."""

    path: Path
    scanner: Any

    def to_table(self) -> pa.Table:
        try:
            return self.scanner.to_table()
        except BaseException as error:
            raise damaged(self.path, error) from error

    def to_batches(self) -> Any:
        return self.scanner.to_batches()


def _guarded(path: Path, batches: Any) -> Any:
    try:
        yield from batches
    except GeneratorExit:
        raise
    except BaseException as error:
        raise damaged(path, error) from error


def open(path: str | Path) -> Store:
    """The store in a folder, at its newest version.

    Raises:
        BadData: There is none, imrep did not write it, or its newest version is damaged.
        StoreMismatch: It has another format.
        ExtraNeeded: pylance is not installed.

    Example:
        >>> import imrep.store
        >>> store = imrep.store.open("photos.lance")  # doctest: +SKIP
        >>> store.facts.spec, store.rows().num_rows, store.vectors().shape  # doctest: +SKIP
        ('hog', 2000, (2000, 324))
    """
    path = Path(path).expanduser()
    module = layout.lance()
    if not layout.is_table(path):
        state = "a folder without a table" if path.is_dir() else "no folder"
        state = "a file" if path.is_file() else state
        raise BadData(
            f"{path} needs to be a store that imrep embed wrote, got {state}. "
            f"Write one: imrep embed DATA SPEC -o {path.with_suffix('').name}.new{layout.SUFFIX}."
        )
    try:
        return Store(path, module.dataset(str(path)))
    except ImrepError:
        raise
    except BaseException as error:
        raise damaged(path, error) from error


def _check_format(path: Path, stored: dict[str, str]) -> None:
    if "format" not in stored:
        raise BadData(
            f"{path} needs to be a store that imrep embed wrote, got another Lance table. "
            "Use another name."
        )
    if stored["format"] != str(layout.FORMAT):
        newer = "Update imrep, or embed into another store."
        raise StoreMismatch(
            f"{path} has the format {stored['format']}, and this imrep reads {layout.FORMAT}. "
            f"{newer}"
        )


def damaged(path: Path, error: BaseException) -> BaseException:
    """What to raise for an error of Lance."""
    if is_interruption(error):
        return error
    return BadData(
        f"{path} needs whole files in its newest version, got a damaged one ({reason(error)}). "
        f"Go back to the last whole version: imrep store repair {path}."
    )


def is_interruption(error: BaseException) -> bool:
    """Whether an error is none of Lance, whose panics are no `Exception` either."""
    return not isinstance(error, Exception) and type(error).__name__ != _PANIC


def reason(error: BaseException) -> str:
    """The first sentence of an error of Lance, without the position in its source."""
    text = " ".join(str(error).split()).split(", rust/")[0].split(", /")[0]
    return text if len(text) <= 160 else f"{text[:160]}…"


def array(column: Any) -> NDArray[np.float32]:
    """A column of vectors as (n, d), float32."""
    size = column.type.list_size
    values: NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(-1, size).astype(np.float32, copy=False)
