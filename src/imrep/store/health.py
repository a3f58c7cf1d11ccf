"""Whether the files of a store are whole, and the way back to its last whole version.

A version is whole if its manifest can be read and every file that it names has the size and, where
imrep noted one, the digest that it had. A repair moves newer manifests and damaged files to
`_imrep/aside/`; nothing is deleted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from imrep.errors import BadData
from imrep.io.digests import digest_of_file
from imrep.io.files import sync
from imrep.store import layout
from imrep.store.commits import Writer, system_errors
from imrep.store.table import Store, is_interruption, reason
from imrep.store.table import open as open_store


@dataclass(frozen=True)
class Damage:
    """A file that is not as it was written.

    Args:
        version: The newest version that names it.
        file: Its path in the folder of the store.
        reason: What is wrong with it.
    """

    version: int
    file: str
    reason: str


@dataclass(frozen=True)
class Health:
    """The state of a store.

    Args:
        newest: The newest version.
        intact: The newest version without damage; None where there is none.
        damages: Of the versions after that.
        rows: Rows of the whole version, without those marked deleted.
        doubled: Paths with more than one row; 0 in a store that imrep alone writes.
        not_finite: Vectors with NaN or infinity.
        files: Files of data that were compared with their digests.
    """

    newest: int
    intact: int | None
    damages: tuple[Damage, ...]
    rows: int = 0
    doubled: int = 0
    not_finite: int = 0
    files: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.damages or self.doubled or self.not_finite)


def check(path: Path, progress: Callable[[str, int, int], None] | None = None) -> Health:
    """Examine the versions of a store from the newest to the first that is whole.

    Raises:
        BadData: It is no store.
        StoreMismatch: It has another format.
    """
    if not layout.is_table(path):
        open_store(path)  # raises what is wrong
    manifests = layout.manifests(path)
    examined = _Examined(path, layout.digests(path), progress or (lambda *_: None))
    damages: list[Damage] = []
    for manifest in manifests:
        new = list(examined.damages(manifest))
        if not new:
            store = Store(path, layout.lance().dataset(str(path), version=layout.version(manifest)))
            return Health(
                newest=layout.version(manifests[0]),
                intact=layout.version(manifest),
                damages=tuple(damages),
                rows=store.facts.rows,
                doubled=_doubled(store),
                not_finite=_not_finite(store),
                files=len(examined.reasons),
            )
        damages += [each for each in new if each.file not in {old.file for old in damages}]
    return Health(layout.version(manifests[0]), None, tuple(damages))


def repair(
    path: Path, progress: Callable[[str, int, int], None] | None = None
) -> tuple[Health, Path | None]:
    """Go back to the last whole version of a damaged store.

    Where none is whole, as after a compaction, the newest version loses the rows of damaged files.

    Returns:
        What was wrong, and the folder of the pieces that moved; None where nothing was damaged.

    Raises:
        BadData: It is no store, or no version is whole and the newest manifest is damaged.
        Busy: Another process writes it.
        OSError: The system refuses.
    """
    if not layout.is_table(path):
        open_store(path)
    with Writer(path, damaged=True) as writer:
        health = check(writer.path, progress)
        if not health.damages:
            return health, None
        with system_errors(path):
            if health.intact is None:
                rows = _drop(path, writer, health)
                return replace(health, rows=rows), _move(writer.path, health)
            return health, _move(writer.path, health)


def _drop(path: Path, writer: Writer, health: Health) -> int:
    """Make a version without the damaged files of the newest; the number of its rows.

    Raises:
        BadData: The newest manifest itself is damaged.
    """
    damaged = {damage.file: damage for damage in health.damages}
    if any(file.startswith(f"{layout.VERSIONS}/") for file in damaged):
        raise BadData(
            f"{path} needs a whole version to go back to, got none: {health.damages[0].file}: "
            f"{health.damages[0].reason}. Embed again into another -o."
        )
    writer.drop(
        fragment.fragment_id
        for fragment in writer.dataset.get_fragments()
        if any(file in damaged for file, _ in _files_of(fragment))
    )
    return len(open_store(path))


def _move(path: Path, health: Health) -> Path:
    """Move what is newer than the whole version, and what is damaged, out of Lance's sight."""
    number = sum(True for _ in (path / layout.OWN / layout.ASIDE).glob("*"))
    aside = path / layout.OWN / layout.ASIDE / f"{number:03}"
    intact = health.newest if health.intact is None else health.intact
    manifests = [file for file in layout.manifests(path) if layout.version(file) > intact]
    if health.intact is None:  # the newest version does without what is damaged
        manifests = []
    damaged = [path / damage.file for damage in health.damages]
    hint = path / layout.VERSIONS / layout.HINT  # names the version that goes
    for file in [hint, *manifests, *damaged]:
        if not file.exists():
            continue
        target = aside / file.relative_to(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        digest = path / layout.OWN / layout.DIGESTS / file.name
        if digest.exists():
            digest.replace(target.with_name(f"{target.name}.digest"))
        sync(target.parent)
    for folder in (layout.VERSIONS, layout.DATA, layout.OWN):
        if (path / folder).is_dir():
            sync(path / folder)
    return aside


@dataclass
class _Examined:
    """Versions that are examined; each file is read once."""

    path: Path
    digests: dict[str, str]
    progress: Callable[[str, int, int], None]

    def __post_init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def damages(self, manifest: Path) -> Iterator[Damage]:
        """What is wrong with a version."""
        number, name = layout.version(manifest), f"{layout.VERSIONS}/{manifest.name}"
        if why := self._differs(manifest):
            yield Damage(number, name, why)
            return
        try:
            dataset = layout.lance().dataset(str(self.path), version=number)
            files = list(_files(dataset))
        except BaseException as error:
            if is_interruption(error):
                raise
            yield Damage(number, name, reason(error))
            return
        for done, (file, size) in enumerate(files, 1):
            if file not in self.reasons:
                self.reasons[file] = self._wrong(self.path / file, size)
            self.progress("checking", done, len(files))
            if self.reasons[file]:
                yield Damage(number, file, self.reasons[file])
        if all(not self.reasons[file] for file, _ in files) and (why := self._unread(dataset)):
            yield Damage(number, name, why)

    def _wrong(self, file: Path, size: int | None) -> str:
        if not file.is_file():
            return "it is missing"
        length = file.stat().st_size
        if size is not None and length != size:
            return f"it has {length:,} of {size:,} bytes"
        return self._differs(file)

    def _differs(self, file: Path) -> str:
        noted = self.digests.get(file.name)
        return "its bytes changed" if noted and digest_of_file(file) != noted else ""

    def _unread(self, dataset: Any) -> str:
        """Why the rows cannot be read; only files that others wrote have no digest."""
        if all(Path(file).name in self.digests for file, _ in _files(dataset)):
            return ""
        try:
            for _ in dataset.to_batches():
                pass
        except BaseException as error:
            if is_interruption(error):
                raise
            return reason(error)
        return ""


def _files(dataset: Any) -> Iterator[tuple[str, int | None]]:
    """Path and bytes of each file that a version names; None where it states no size."""
    for fragment in dataset.get_fragments():
        yield from _files_of(fragment)


def _files_of(fragment: Any) -> Iterator[tuple[str, int | None]]:
    for file in fragment.data_files():
        yield f"{layout.DATA}/{file.path}", file.file_size_bytes or None
    if deletions := fragment.deletion_file():
        yield deletions, None


def _doubled(store: Store) -> int:
    paths = store.dataset.to_table(columns=["path"])["path"]
    return len(paths) - int(pc.count_distinct(paths).as_py())


def _not_finite(store: Store) -> int:
    count = 0
    for batch in store.batches(["vector"]):
        values = batch["vector"].flatten().to_numpy(zero_copy_only=False)
        count += int((~np.isfinite(values).reshape(len(batch), -1).all(axis=1)).sum())
    return count
