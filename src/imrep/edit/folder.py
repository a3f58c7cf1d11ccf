"""A chain of operations on every picture of a data set, into a folder.

Pictures are shared among threads. After each a mark goes to a work folder beside the output, so a
run may be killed at any moment and the same call goes on with the next.
"""

import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import PIL.Image

from imrep import images
from imrep.codec.packed import SUFFIX
from imrep.datasets import Item
from imrep.edit.file import FLOATING, Chain, Edited, Progress, edit
from imrep.edit.measurements import Measurement
from imrep.edit.metadata import Figures
from imrep.errors import BadData, BadFile, BadImage, BadParameter
from imrep.io import files, provenance
from imrep.io import skipped as skipped_list
from imrep.ops import parallel
from imrep.workfolder import Shard, WorkFolder, digest

_FORMAT = 2  # raised when the same call gives other pictures
Facts = dict[str, Any]  # as JSON: what is told of a picture
Outcome = tuple[Shard, Facts]

_LARGE = 2**23  # pixels; such pictures go one by one, each shared among all threads


@dataclass(frozen=True)
class Spread:
    """What one operation measured in the pictures of a folder.

    Attributes:
        operation: Its name.
        ranges: Least and greatest of each number, by name.
        notes: What was noted, and of how many pictures.
    """

    operation: str
    ranges: dict[str, tuple[float, float]]
    notes: dict[str, int]


@dataclass(frozen=True)
class Folder:
    """What a run left behind.

    Attributes:
        path: The folder.
        written: Pictures in it.
        skipped: Path and reason of what is not.
        skipped_path: The list of these, beside the folder.
        figures: Means, where the chain packs.
        lost: What formats could not hold or what became something else, and of how many pictures.
        measured: What operations measured.
        unchanged: Pictures that came out as they were.
        resumed: Pictures of a run that was interrupted.
        seconds: Of this run.
    """

    path: Path
    written: int
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    figures: Figures | None
    lost: tuple[tuple[str, int], ...]
    measured: tuple[Spread, ...]
    unchanged: int
    resumed: int
    seconds: float


def edit_all(
    items: Sequence[Item], chain: Chain, out: Path, tell: Progress = lambda *_: None
) -> Folder:
    """Edit every picture into `out`, under its own name there.

    A name whose suffix is not written gets .png in addition, or .tif where its numbers are in units
    of their own. What cannot be read, or is refused by
    an operation, is skipped and named in `OUT.skipped.csv`; a parameter that is refused before any
    picture was written ends the run.

    Raises:
        BadData: Not one picture could be edited, two would have one name, or a name beside `out` is
            that of a file or folder which no run wrote.
        BadParameter: An operation refuses a parameter.
        Busy: Another run writes into `out`.
        OSError: The system does not let it be written; what is done is kept for the next call.
    """
    began = time.perf_counter()
    targets = _targets(items, out, (SUFFIX,) if chain.packs else images.SUFFIXES)
    listed = skipped_list.beside(out)
    files.check_folder_writable(out)
    skipped_list.check(listed)
    threads = parallel.workers() if chain.device == "cpu" else 1
    with parallel.one_thread(threads), WorkFolder(out, _key(items, chain)) as work:
        out.mkdir(parents=True, exist_ok=True)
        files.clear_drafts(out, below=True)
        provenance.mark_folder(out, "edited pictures")
        done = work.count()
        some = any(shard.rows for shard in work.shards())
        with closing(_outcomes(_Editor(items, chain, targets), done, some, threads)) as outcomes:
            for i, (shard, facts) in enumerate(outcomes, done):
                _remember(work, i, facts)
                work.save(i, shard)
                tell("editing", i + 1, len(items))
        skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
        measured = [row for shard in work.shards() for row in shard.vectors if row.size]
        told = _recalled(work, len(items))
        written = skipped_list.write(listed, skipped)
        work.discard()
    if len(skipped) == len(items):
        raise BadData(f"none of the {len(items)} pictures could be edited; {written} says why.")
    return Folder(
        out,
        len(items) - len(skipped),
        skipped,
        written,
        Figures(*np.mean(measured, axis=0).tolist()) if measured else None,
        tuple(Counter(words for each in told for words in each["lost"]).items()),
        _spreads([Measurement(*values) for each in told for values in each["measured"]]),
        sum(each["unchanged"] for each in told),
        done,
        time.perf_counter() - began,
    )


def _facts(found: Edited) -> Facts:
    """What is told of a picture at the end, kept for a run that goes on with this one."""
    return {
        "lost": [*found.lost] + ["further pictures in the file"] * found.further,
        "measured": [astuple(each) for each in found.measured],
        "unchanged": found.unchanged,
    }


def _remember(work: WorkFolder, number: int, facts: Facts) -> None:
    work.write(f"{number:06}.json", lambda draft: draft.write_text(json.dumps(facts)))


def _recalled(work: WorkFolder, count: int) -> list[Facts]:
    paths = (work.path / f"{number:06}.json" for number in range(count))
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def _spreads(measured: Sequence[Measurement]) -> tuple[Spread, ...]:
    """Ranges and counts, by operation in the order of the chain."""
    spreads = []
    for name in dict.fromkeys(each.operation for each in measured):
        records = [each for each in measured if each.operation == name]
        values: dict[str, list[float]] = {}
        for each in records:
            for key, value in each.values.items():
                values.setdefault(key, []).append(value)
        ranges = {key: (min(numbers), max(numbers)) for key, numbers in values.items()}
        notes = Counter(each.note for each in records if each.note)
        spreads.append(Spread(name, ranges, dict(notes)))
    return tuple(spreads)


class _Editor:
    """Edits a picture by its number; from several threads at once."""

    def __init__(self, items: Sequence[Item], chain: Chain, targets: Sequence[Path]) -> None:
        self._items, self._chain, self._targets = items, chain, targets
        self._one = threading.Lock()  # large picture at a time, so that memory is that of one
        self._threads = parallel.workers()
        self.numbers = range(len(items))

    def __call__(self, i: int) -> Outcome:
        """Figures in one row, or why there is no picture; and what is told of it.

        Raises:
            BadParameter: An operation refuses a parameter.
        """
        try:
            data = self._items[i].read()
            if _pixels(data) > _LARGE:
                with self._one, parallel.sharing(self._threads):
                    found = edit(data, self._chain, self._targets[i])
            else:
                found = edit(data, self._chain, self._targets[i])
        except (BadFile, BadImage) as error:
            return _skipped(i, error)
        row = astuple(found.figures) if found.figures else ()
        return Shard(np.array([row], np.float32), (i,), ()), _facts(found)

    def leniently(self, i: int) -> Outcome:
        """The same; a picture that a parameter does not suit is skipped."""
        try:
            return self(i)
        except BadParameter as error:
            return _skipped(i, error)


def _outcomes(
    editor: _Editor, start: int, some: bool, threads: int
) -> Generator[Outcome, None, None]:
    """What became of each picture; `some`: of those before `start` one was written."""
    numbers = iter(editor.numbers[start:])
    for i in numbers if not some else ():
        yield (outcome := editor(i))
        if outcome[0].rows:
            break
    yield from parallel.ordered_map(editor.leniently, numbers, threads)


def _skipped(i: int, error: Exception) -> Outcome:
    facts: Facts = {"lost": [], "measured": [], "unchanged": False}
    return Shard(np.empty((0, 0), np.float32), (), ((i, str(error)),)), facts


def _pixels(data: bytes) -> int:
    """As far as it can be told without decoding: 0 where it cannot."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            return image.width * image.height
    except Exception:  # decoders raise anything; the editor says why
        return 0


def _targets(items: Sequence[Item], out: Path, suffixes: Sequence[str]) -> list[Path]:
    """Where each picture goes: its own name, below `out` whatever that name holds."""
    found: dict[Path, str] = {}
    targets = []
    listed = all(item.file == Path(item.raw) for item in items)  # files, not members of a folder
    shared = os.path.commonpath([Path(item.raw).parent for item in items]) if listed else ""
    for item in items:
        name = PurePosixPath(item.raw)
        parts = (name.relative_to(shared) if listed else name).parts
        path = out.joinpath(*(part for part in parts if part not in ("/", "..")))
        if path.suffix.lower() not in suffixes:
            floating = path.suffix.lower() in FLOATING and ".tif" in suffixes
            added = ".tif" if floating else suffixes[0]
            path = path.with_name(path.name.removesuffix(SUFFIX) + added)
        if path in found and not item.refused:  # nothing is written for what cannot be read
            raise BadData(f"{found[path]} and {item.path} would both be {path}. Rename one.")
        if not item.refused:
            found[path] = item.path
        targets.append(path)
    return targets


def _key(items: Sequence[Item], chain: Chain) -> dict[str, object]:
    """Everything that decides the pictures."""
    stamps = [Path(path).stat().st_mtime_ns for path in chain.reads if Path(path).is_file()]
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "chain": chain.spec,
        "reading": chain.reading.key,
        "pictures": stamps,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
