"""Writing a store: one writer at a time, and commits that are on the disk when they return.

A commit has two steps. Lance writes data files that no version names yet; they are synced, and the
digest of each is noted beside them. Then a manifest makes them part of a new version; it is synced
with the folders. A power cut between the two leaves the version before, and files without a name.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imrep.errors import BadData, Busy
from imrep.io import provenance
from imrep.io.digests import digest_of_file
from imrep.io.files import refuse_read_only, resolved, sync
from imrep.io.locks import Lock
from imrep.store import layout
from imrep.store.durability import UnsyncedFiles
from imrep.store.table import open as open_store

_SYSTEM_ERROR = re.compile(r"os error (\d+)")
_RETENTION = timedelta(days=1)  # of old versions: readers, and a repair, may still need them
_MAX_FRAGMENTS = 8  # more files of rows than this slow down reading
_MAX_DELETED = 0.1  # share of rows that are gone from files


class Writer:
    """The only writer of a store, within a `with` block.

    Args:
        path: The folder of the store, which need not exist.
        damaged: Whether its newest version may be damaged, as when it is repaired.

    Raises:
        Busy: Another process writes it.
        BadData: The folder holds something else.
        OSError: It may not be written.
    """

    def __init__(self, path: Path, *, damaged: bool = False) -> None:
        self.path = resolved(path)
        self._name, self._damaged = path, damaged
        self._lance = layout.lance()
        self._lock = Lock(self.path / layout.OWN / layout.LOCK)
        self.commits = 0

    def __enter__(self) -> "Writer":
        check_folder(self._name, damaged=self._damaged)
        self._lock.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._lock.acquire():
            number = self._lock.owner()
            process = f" (pid {number})" if number else ""
            raise Busy(f"another run{process} writes {self._name}. Wait for it or use another -o.")
        self._unsynced = UnsyncedFiles(self.path)
        self._sync_unnoted()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()
        if not layout.is_table(self.path):  # nothing was written
            with suppress(OSError):
                (self.path / layout.OWN).rmdir()
                self.path.rmdir()

    @property
    def exists(self) -> bool:
        """Whether there is a table."""
        return layout.is_table(self.path)

    @property
    def dataset(self) -> Any:
        """The newest version of the table, as Lance has it."""
        return self._lance.dataset(str(self.path))

    @property
    def schema(self) -> pa.Schema:
        """Columns and facts of the table."""
        return self.dataset.schema

    def create(self, dim: int, dtype: str, facts: dict[str, str]) -> None:
        """Begin a table without rows.

        Args:
            dim: Numbers in a vector.
            dtype: float32 or float16.
            facts: spec, fingerprint, size and so on.
        """
        schema = layout.schema(dim, dtype, facts | {"format": str(layout.FORMAT)})
        with system_errors(self.path):
            provenance.write_mark(self.path, "store")
            self._lance.write_dataset(
                schema.empty_table(), str(self.path), schema=schema, mode="create"
            )
            self._sync_version()
        self.commits += 1

    def append(self, rows: pa.Table) -> None:
        """Add rows whose paths are new."""
        from lance.fragment import write_fragments

        check_finite(rows)
        self._commit(
            lambda: write_fragments(rows, str(self.path), mode="append", return_transaction=True)
        )

    def upsert(self, rows: pa.Table) -> None:
        """Replace the rows of these paths, or add them."""
        check_finite(rows)

        def merge() -> Any:
            builder = self.dataset.merge_insert("path")
            builder = builder.when_matched_update_all().when_not_matched_insert_all()
            transaction, _ = builder.execute_uncommitted(rows)
            return transaction

        self._commit(merge)

    def restate(self, facts: dict[str, str]) -> None:
        """Replace some of the facts."""
        values = {f"{layout.PREFIX}{name}": fact for name, fact in facts.items()}
        with system_errors(self.path):
            self.dataset.update_schema_metadata(values)
            self._sync_version()
        self.commits += 1

    def drop(self, fragments: Iterable[int]) -> None:
        """Leave out the rows of some files."""
        operation = self._lance.LanceOperation.Delete([], list(fragments), "damaged")
        with system_errors(self.path):
            self._lance.LanceDataset.commit(
                str(self.path), operation, read_version=self.dataset.version
            )
            self._sync_version()
        self.commits += 1

    def compact(self, *, always: bool = False) -> bool:
        """Join small files of rows, drop rows that were replaced, and versions older than a day.

        Args:
            always: Also where there are few files.

        Returns:
            Whether files were joined.
        """
        from lance.optimize import Compaction

        dataset = self.dataset
        fragments = [fragment.metadata for fragment in dataset.get_fragments()]
        removed = sum(each.num_deletions for each in fragments)
        stored = sum(each.physical_rows for each in fragments)
        if not always and len(fragments) <= _MAX_FRAGMENTS and removed <= _MAX_DELETED * stored:
            return False
        with system_errors(self.path):
            plan = Compaction.plan(dataset, {"materialize_deletions_threshold": 0.0})
            results = [task.execute(dataset) for task in plan.tasks]
            if results:
                self._sync_data()
                Compaction.commit(dataset, results)
                self._sync_version()
                self.commits += 1
            self._clean()
        return bool(results)

    def _clean(self) -> None:
        """Remove versions older than a day, and digests of files that are gone."""
        self.dataset.cleanup_old_versions(older_than=_RETENTION)
        folders = (layout.DATA, layout.DELETIONS, layout.VERSIONS)
        names = {file.name for folder in folders for file in (self.path / folder).glob("*")}
        for file in (self.path / layout.OWN / layout.DIGESTS).glob("*"):
            if file.name not in names:
                file.unlink()

    def _commit(self, write: Any) -> None:
        """Have `write` make a transaction, and make it a version of the table."""
        with system_errors(self.path):
            try:
                transaction = write()
                self._sync_data()
            except BaseException:
                for file in self._unsynced.files():  # they would still fill a full disk
                    file.unlink(missing_ok=True)
                raise
            self._lance.LanceDataset.commit(str(self.path), transaction)
            self._sync_version()
        self.commits += 1

    def _sync_data(self) -> None:
        """Sync files that no version names yet, with a digest of each beside it."""
        self._note_digests(layout.DATA, layout.DELETIONS)
        self._unsynced.sync()

    def _sync_version(self) -> None:
        """Sync the manifest of a new version, with its digest."""
        self._note_digests(layout.DATA, layout.DELETIONS, layout.VERSIONS)
        self._unsynced.sync()

    def _sync_unnoted(self) -> None:
        """Sync what a killed run committed last: Lance did not, and nothing says that it is."""
        noted = layout.digests(self.path)
        for folder in (layout.DATA, layout.DELETIONS, layout.TRANSACTIONS, layout.VERSIONS):
            files = [file for file in (self.path / folder).glob("*.*") if file.name not in noted]
            for file in files:
                sync(file)
            if files:
                sync(self.path / folder)

    def _note_digests(self, *folders: str) -> None:
        noted = self.path / layout.OWN / layout.DIGESTS
        noted.mkdir(parents=True, exist_ok=True)
        for file in self._unsynced.files():
            if file.parent.name in folders and file.name != layout.HINT:
                (noted / file.name).write_text(digest_of_file(file) + "\n")


def check_folder(path: Path, *, damaged: bool = False) -> None:
    """Refuse, before any work is done, a name under which no store can be written.

    Raises:
        BadData: There is a file, a folder with something else, or a damaged store.
        OSError: It may not be written.
    """
    target = resolved(path)
    if not target.exists():
        return
    if not target.is_dir():
        raise BadData(f"{path} needs to be a folder, a store, got a file. Use another -o.")
    for folder in (target, target / layout.VERSIONS, target / layout.DATA):
        refuse_read_only(folder)
    if layout.is_table(target):
        if not damaged:
            open_store(path)  # refuses what imrep did not write, too
        return
    foreign = sorted(each.name for each in target.iterdir() if not _is_leftover(each.name))
    if foreign:
        raise BadData(
            f"{path} needs to be a store that imrep embed wrote, got a folder with "
            f"{foreign[0]}. Use another -o."
        )


def _is_leftover(name: str) -> bool:
    """Whether a run that was killed before its first version may have left it."""
    folders = (layout.OWN, layout.VERSIONS, layout.DATA, layout.TRANSACTIONS)
    return name in folders or name.startswith(provenance.FOLDER)


def check_finite(rows: pa.Table) -> None:
    """Refuse vectors with NaN or infinity.

    Raises:
        BadData: There is one.
    """
    for chunk in rows["vector"].chunks:
        values: NDArray[np.floating] = chunk.flatten().to_numpy(zero_copy_only=False)
        finite = np.isfinite(values).reshape(len(chunk), -1).all(axis=1)
        if not finite.all():
            path = rows["path"][int(np.argmin(finite))].as_py()
            raise BadData(
                f"a store needs finite numbers, got NaN or infinity in the vector of {path}. "
                "Leave that image out, or store float32."
            )


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """A context that makes errors of the system, which Lance words itself, an OSError again."""
    try:
        yield
    except Exception as error:
        number = _SYSTEM_ERROR.search(str(error))
        if number is None or (isinstance(error, OSError) and error.errno):
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error


def table(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table; their vectors are arrays (d,)."""
    rows = list(rows)
    vector = schema.field("vector").type
    numbers = np.stack([np.asarray(row["vector"]) for row in rows])
    stored = numbers.astype("float16" if vector.value_type == pa.float16() else "float32")
    columns = {
        field.name: pa.array([row.get(field.name) for row in rows], field.type)
        for field in schema
        if field.name != "vector"
    }
    columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(stored.ravel()), type=vector)
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)
