"""Bring a store up to date with a data set: what is new or changed is embedded, no more.

Rows are committed every 2,000 images or ten seconds, so that a run may be killed at any moment: the
same call does what is missing. An image is known by its path and stamp (size and time of the file),
else by the digest of its bytes: one that was renamed or copied takes the stored vector. The row of
an image that is not in the data any more is marked deleted, and keeps its vector.
"""

import json
import time
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from imrep import __version__
from imrep.base import Representation, Supervised
from imrep.datasets import Item
from imrep.embedding import engine, vector_file
from imrep.errors import BadData, BadFile, StoreMismatch, WorkersLost
from imrep.io import skipped as skipped_list
from imrep.io.digests import digest
from imrep.io.files import check_folder_writable, resolved
from imrep.ops import parallel
from imrep.store import codebook, commits
from imrep.store.changes import Changes, StoredRows, compare, new_row
from imrep.store.commits import Writer
from imrep.store.encoding import ReadImage, encode
from imrep.store.summary import Summary
from imrep.store.table import Store
from imrep.store.table import open as open_store
from imrep.types import Progress

ROWS = 2000  # in a commit
_BYTES = 2**26  # of vectors in a commit
Encoder = Callable[
    [Sequence[Item], Representation, Container[str], vector_file.Settings],
    Generator[ReadImage, None, None],
]
_PROBE = 64  # images whose bytes are compared where no path of a store is in the data


@dataclass(frozen=True, kw_only=True)
class Settings(vector_file.Settings):
    """Settings of a run.

    Args:
        size: Side of the square every image is read at; None keeps each at its own size.
        batch: Images encoded at once, at most.
        shard: Rows in a commit, at most.
        seconds: Between two commits.
        threads: Files decoded, and batches encoded, at once.
        seed: Of the sample of images that a codebook is fitted on.
        dtype: Of the stored numbers, float32 or float16; None for that of the store, and float32
            in a new one.
        data: Where the images are; "" where that is unknown.
        device: Where to encode.
        reading: How files become pixels.
        compiles: Whether a network in half precision is compiled, where that pays.
    """

    shard: int = ROWS
    seconds: float = 10.0
    dtype: str | None = None
    data: str = ""

    @property
    def origin(self) -> str:
        """The absolute path of the images; "" where there is no file of that name."""
        return str(resolved(self.data)) if self.data and Path(self.data).exists() else ""


def embed(
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
) -> Summary:
    """Bring the store `out` up to date with `items`; it is created where there is none.

    Beside it appear `OUT.skipped.csv` (path, reason) where files were skipped, and `OUT.rep/` where
    the representation had to be fitted first. `encoder` embeds the images: None for
    this process, or the workers of a cluster (`distributed.Encoder`).

    Raises:
        StoreMismatch: The store holds vectors of another representation, size or type.
        NotFitted: It has to be trained on labels first.
        BadData: No image could be read; the store is damaged or of other images; or a name beside
            it is that of a file or folder which no run wrote.
        Busy: Another run writes it.
        WorkersLost: Some images were not embedded by any worker; the others are committed.
        OSError: The system refuses to write; what was committed remains.
    """
    began, out = time.perf_counter(), Path(out)
    settings, progress = settings or Settings(), progress or (lambda *_: None)
    listed = skipped_list.beside(out)
    check_name(out)
    skipped_list.check(listed)
    codebook.check(out, rep)
    if isinstance(rep, Supervised):
        rep.require_training()
    with (
        parallel.one_thread(engine.thread_count(settings.threads, settings.device)),
        Writer(out) as writer,
    ):
        store = open_store(out) if writer.exists else None
        rep = rep.to(settings.device).eval()
        has_fit = rep.needs_fit
        fitted_on = codebook.fit_once(
            rep, items, out, settings, settings.seed, progress, has_rows=bool(store)
        )
        if store is not None:
            _check_facts(store, rep, settings)
        stored = StoredRows(store)
        changes = compare(items, stored)
        if store is not None:
            _check_data(store, stored, changes, settings)
        run = _Run(writer, rep, settings, stored, encoder or partial(encode, progress=progress))
        run.read(changes, progress)
        skipped_path = skipped_list.write(listed, run.skipped)
        if not writer.exists:
            raise BadData(f"none of the {len(items)} files gave a vector; {skipped_path} says why.")
        run.mark(changes)
        if store is not None and settings.origin not in ("", store.facts.data):
            writer.restate({"data": settings.origin})
        writer.compact()
    facts = open_store(out).facts
    return Summary(
        path=out,
        rows=facts.rows,
        dim=facts.dim,
        version=facts.version,
        encoded=run.encoded,
        reused=run.reused,
        deleted=run.deleted,
        current=changes.current + len(changes.relabelled) + run.unchanged,
        skipped=tuple(run.skipped),
        skipped_path=skipped_path,
        fitted_path=codebook.beside(out) if has_fit else None,
        fitted_on=fitted_on,
        seconds=time.perf_counter() - began,
        rate=run.encoded / run.seconds if run.encoded else 0.0,
    )


def check_name(out: Path) -> None:
    """Refuse, before anything is read, a name under which no store can be written.

    Raises:
        BadData: There is a file, or a folder with something else.
        OSError: The system would refuse.
    """
    commits.check_folder(out)
    check_folder_writable(out if out.exists() else out.parent)


@dataclass
class _Run:
    """The rows on their way to the table."""

    writer: Writer
    rep: Representation
    settings: Settings
    stored: StoredRows
    encoder: Encoder
    skipped: list[tuple[str, str]] = field(default_factory=list)
    encoded: int = 0
    reused: int = 0
    unchanged: int = 0
    deleted: int = 0
    seconds: float = 0.0
    _pending: list[ReadImage] = field(default_factory=list)

    def read(self, changes: Changes, progress: Progress) -> None:
        """Embed what is new or changed, and commit it by and by."""
        began = committed = time.perf_counter()
        results = self.encoder(changes.read, self.rep, self.stored.by_digest, self.settings)
        try:
            with closing(results):
                for done, image in enumerate(results, 1):
                    self._add(image)
                    progress(self.rep.spec, done, len(changes.read))
                    if self._is_full(time.perf_counter() - committed):
                        self._commit()
                        committed = time.perf_counter()
        except WorkersLost:
            self._commit()
            raise
        self._commit()
        self.seconds = time.perf_counter() - began

    def _add(self, image: ReadImage) -> None:
        if image.reason:
            self.skipped.append((image.item.path, image.reason))
        elif image.vector is None and self.stored.states(image.item, image.digest):
            self.unchanged += 1
        else:
            self._pending.append(image)

    def mark(self, changes: Changes) -> None:
        """Give rows their new labels; mark those deleted whose image is gone or unreadable."""
        labels = {item.path: item.label for item in changes.relabelled}
        for rows in self._chunks(list(labels)):
            self._write([row | {"label": labels[str(row["path"])]} for row in rows])
        unreadable = [path for path, _ in self.skipped if self.stored.is_live(path)]
        gone = [*changes.gone, *unreadable]
        for rows in self._chunks(gone):
            self._write([row | {"deleted": True} for row in rows])
        self.deleted = len(gone)

    def _is_full(self, seconds: float) -> bool:
        count = len(self._pending)
        vector = next((each.vector for each in self._pending if each.vector is not None), None)
        size = 0 if vector is None else count * vector.nbytes
        full = count >= self.settings.shard or size >= _BYTES
        return full or (count > 0 and seconds >= self.settings.seconds)

    def _commit(self) -> None:
        """Write the pending rows: those of new paths, then those that replace others."""
        by_digest = self.stored.by_digest
        copied = [image for image in self._pending if image.vector is None]
        originals = self.stored.take([by_digest[image.digest] for image in copied])
        rows = [
            new_row(image.item, image.digest, *_measured(original))
            for image, original in zip(copied, originals, strict=True)
        ]
        rows += [
            new_row(image.item, image.digest, image.size, image.vector)
            for image in self._pending
            if image.vector is not None
        ]
        self.reused += len(copied)
        self.encoded += len(rows) - len(copied)
        self._pending = []
        self._write([row for row in rows if row["path"] not in self.stored.by_path], new=True)
        self._write([row for row in rows if row["path"] in self.stored.by_path])

    def _write(self, rows: list[dict[str, object]], *, new: bool = False) -> None:
        if not rows:
            return
        if not self.writer.exists:
            self._create(len(rows[0]["vector"]))  # type: ignore[arg-type]  # an array
        table = commits.table(rows, self.writer.schema)
        self.writer.append(table) if new else self.writer.upsert(table)

    def _create(self, dim: int) -> None:
        size = self.settings.size
        facts = {
            "spec": self.rep.spec,
            "fingerprint": self.rep.fingerprint,
            "size": "native" if size is None else str(size),
            "imrep": __version__,
            "data": self.settings.origin,
            "reading": _reading(self.settings),
        }
        self.writer.create(dim, self.settings.dtype or "float32", facts)

    def _chunks(self, paths: Sequence[str]) -> Iterator[list[dict[str, object]]]:
        for start in range(0, len(paths), self.settings.shard):
            chunk = paths[start : start + self.settings.shard]
            yield self.stored.take([self.stored.by_path[path] for path in chunk])


def _measured(row: dict[str, Any]) -> tuple[tuple[int, int], NDArray]:
    """Size and vector in a row."""
    return (row["width"], row["height"]), row["vector"]


def _reading(settings: Settings) -> str:
    """What decides the pixels of a file that can be read."""
    over, _, *more = settings.reading.key
    return json.dumps([over, *more])


def _check_facts(store: Store, rep: Representation, settings: Settings) -> None:
    """Refuse vectors that would not agree with those of the store."""
    facts = store.facts
    store.require(rep.spec, rep.fingerprint, "Embed with the first, or use another -o.")
    if facts.size != settings.size:
        stored, current = (
            f"{size} px" if size else "native" for size in (facts.size, settings.size)
        )
        raise StoreMismatch(
            f"{store.path} holds vectors of images at {stored}, not at {current}. "
            f"Use --size {facts.size or 'native'}, or another -o."
        )
    if settings.dtype not in (None, facts.dtype):
        raise StoreMismatch(
            f"{store.path} holds {facts.dtype}, not {settings.dtype}. "
            f"Use --dtype {facts.dtype}, or another -o."
        )
    if facts.reading != _reading(settings):
        raise StoreMismatch(
            f"{store.path} holds vectors of images read with {facts.reading}, not with "
            f"{_reading(settings)} (background, data range, crop). Use those, or another -o."
        )


def _check_data(store: Store, stored: StoredRows, changes: Changes, settings: Settings) -> None:
    """Refuse data that has nothing in common with the store: it would mark every row deleted."""
    facts = store.facts
    is_other = facts.rows and facts.data and facts.data != settings.origin
    if not is_other or changes.current or len(changes.gone) < facts.rows:
        return
    for item in changes.read[:_PROBE]:
        try:
            if digest(item.read()) in stored.by_digest:
                return
        except BadFile:
            continue
    raise BadData(
        f"{store.path} needs the images of {facts.data}, got {settings.origin or 'others'}, which "
        f"has none of them. Use another -o."
    )
