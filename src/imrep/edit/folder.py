"""A chain of operations on every image of a dataset, into a folder.

Images are shared among threads. After each image a record goes to a work folder beside the output,
so that an interrupted run continues with the next image when it is called again.
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
from imrep.edit.file import FLOATING, Chain, EditedFile, edit_file
from imrep.edit.measurements import Measurement
from imrep.edit.rate_distortion import RateDistortion
from imrep.embedding import shards
from imrep.embedding.checkpoints import Shard, WorkFolder, digest
from imrep.errors import BadData, BadFile, BadImage, BadParameter
from imrep.io import files, provenance
from imrep.io import skipped as skipped_list
from imrep.ops import parallel
from imrep.types import Progress

_FORMAT = 2  # raised when the same call writes other images
_LARGE = 2**23  # pixels; such images are edited one by one, each on all threads

Record = dict[str, Any]  # what the summary needs of an image, as JSON
Outcome = tuple[Shard, Record]


@dataclass(frozen=True)
class MeasurementRange:
    """What one operation measured in the images of a folder.

    Attributes:
        operation: Its name.
        ranges: Minimum and maximum of each number, by name.
        notes: Remarks, and the number of images of each.
    """

    operation: str
    ranges: dict[str, tuple[float, float]]
    notes: dict[str, int]


@dataclass(frozen=True)
class EditedFolder:
    """What a run wrote.

    Attributes:
        path: The folder.
        image_count: Number of images in it.
        skipped: Path and reason of each image that is not.
        skipped_path: The list of these, beside the folder.
        figures: Mean rate and distortion, where the chain packs.
        lost: What formats could not hold or what was converted, and the number of images of each.
        measured: What operations measured.
        unchanged: Number of images whose pixels are the same.
        resumed: Number of images of an earlier, interrupted run.
        seconds: Of this run.
    """

    path: Path
    image_count: int
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    figures: RateDistortion | None
    lost: tuple[tuple[str, int], ...]
    measured: tuple[MeasurementRange, ...]
    unchanged: int
    resumed: int
    seconds: float


def edit_folder(
    items: Sequence[Item], chain: Chain, out: Path, progress: Progress = lambda *_: None
) -> EditedFolder:
    """Edit every image into `out`, under its own name there.

    A name whose suffix is not written gets .png in addition, or .tif where the file holds physical
    units. Images that cannot be read or that an operation refuses are skipped and listed in
    `OUT.skipped.csv`. A parameter that is refused before any image was written ends the run.

    Raises:
        BadData: No image could be edited, two would have the same name, or a name beside `out`
            belongs to a file or folder that no run wrote.
        BadParameter: An operation refuses a parameter.
        Busy: Another run writes into `out`.
        OSError: The system refuses to write; the next call continues with what is complete.
    """
    start = time.perf_counter()
    targets = _targets(items, out, (SUFFIX,) if chain.packs else images.SUFFIXES)
    list_path = skipped_list.beside(out)
    files.check_folder_writable(out)
    skipped_list.check(list_path)
    threads = parallel.workers() if chain.device == "cpu" else 1
    with parallel.one_thread(threads), WorkFolder(out, _key(items, chain)) as work:
        out.mkdir(parents=True, exist_ok=True)
        files.clear_drafts(out, below=True)
        provenance.mark_folder(out, "edited pictures")
        resumed = work.count()
        any_written = any(shard.rows for shard in work.shards())
        editor = _Editor(items, chain, targets)
        with closing(_outcomes(editor, resumed, any_written, threads)) as outcomes:
            for i, (shard, record) in enumerate(outcomes, resumed):
                _save_record(work, i, record)
                work.save(i, shard)
                progress("editing", i + 1, len(items))
        skipped = shards.skipped(work, items)
        figures = [row for shard in work.shards() for row in shard.vectors if row.size]
        records = _load_records(work, len(items))
        skipped_path = skipped_list.write(list_path, skipped)
        work.discard()
    if len(skipped) == len(items):
        raise BadData(f"none of the {len(items)} images could be edited; {skipped_path} says why.")
    return EditedFolder(
        out,
        len(items) - len(skipped),
        skipped,
        skipped_path,
        RateDistortion(*np.mean(figures, axis=0).tolist()) if figures else None,
        tuple(Counter(item for record in records for item in record["lost"]).items()),
        _ranges([Measurement(*values) for record in records for values in record["measured"]]),
        sum(record["unchanged"] for record in records),
        resumed,
        time.perf_counter() - start,
    )


def _record(edited: EditedFile) -> Record:
    return {
        "lost": [*edited.lost] + ["further images in the file"] * edited.further,
        "measured": [astuple(measurement) for measurement in edited.measured],
        "unchanged": edited.unchanged,
    }


def _save_record(work: WorkFolder, number: int, record: Record) -> None:
    work.write(f"{number:06}.json", lambda draft: draft.write_text(json.dumps(record)))


def _load_records(work: WorkFolder, count: int) -> list[Record]:
    paths = (work.path / f"{number:06}.json" for number in range(count))
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def _ranges(measured: Sequence[Measurement]) -> tuple[MeasurementRange, ...]:
    """Ranges and counts of each operation, in the order of the chain."""
    summary = []
    for name in dict.fromkeys(measurement.operation for measurement in measured):
        of_operation = [m for m in measured if m.operation == name]
        values: dict[str, list[float]] = {}
        for measurement in of_operation:
            for key, value in measurement.values.items():
                values.setdefault(key, []).append(value)
        ranges = {key: (min(numbers), max(numbers)) for key, numbers in values.items()}
        notes = Counter(m.note for m in of_operation if m.note)
        summary.append(MeasurementRange(name, ranges, dict(notes)))
    return tuple(summary)


class _Editor:
    """Edits an image by its number; several threads may call it."""

    def __init__(self, items: Sequence[Item], chain: Chain, targets: Sequence[Path]) -> None:
        self._items, self._chain, self._targets = items, chain, targets
        self._large = threading.Lock()  # bounds memory: one large image at a time
        self._threads = parallel.workers()
        self.numbers = range(len(items))

    def __call__(self, i: int) -> Outcome:
        """Rate and distortion as one row, or why the image was skipped; and its record.

        Raises:
            BadParameter: An operation refuses a parameter.
        """
        try:
            data = self._items[i].read()
            if _pixel_count(data) > _LARGE:
                with self._large, parallel.sharing(self._threads):
                    edited = edit_file(data, self._chain, self._targets[i])
            else:
                edited = edit_file(data, self._chain, self._targets[i])
        except (BadFile, BadImage) as error:
            return _skipped(i, error)
        row = astuple(edited.figures) if edited.figures else ()
        return Shard(np.array([row], np.float32), (i,), ()), _record(edited)

    def or_skip(self, i: int) -> Outcome:
        """The same, but an image that refuses a parameter is skipped."""
        try:
            return self(i)
        except BadParameter as error:
            return _skipped(i, error)


def _outcomes(
    editor: _Editor, start: int, any_written: bool, threads: int
) -> Generator[Outcome, None, None]:
    """The outcome of each image from `start` on.

    Until one image is written, a refused parameter is the user's error and ends the run; from then
    on it is a property of single images, such as their size.
    """
    numbers = iter(editor.numbers[start:])
    for i in numbers if not any_written else ():
        yield (outcome := editor(i))
        if outcome[0].rows:
            break
    yield from parallel.ordered_map(editor.or_skip, numbers, threads)


def _skipped(i: int, error: Exception) -> Outcome:
    record: Record = {"lost": [], "measured": [], "unchanged": False}
    return Shard(np.empty((0, 0), np.float32), (), ((i, str(error)),)), record


def _pixel_count(data: bytes) -> int:
    """From the file's header; 0 where Pillow cannot read it."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            return image.width * image.height
    except Exception:  # decoders raise arbitrary exceptions; editing reports the reason
        return 0


def _targets(items: Sequence[Item], out: Path, suffixes: Sequence[str]) -> list[Path]:
    """The output of each image: its own name, always below `out`."""
    sources: dict[Path, str] = {}
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
        if path in sources and not item.refused:  # nothing is written for unreadable images
            raise BadData(f"{sources[path]} and {item.path} would both be {path}. Rename one.")
        if not item.refused:
            sources[path] = item.path
        targets.append(path)
    return targets


def _key(items: Sequence[Item], chain: Chain) -> dict[str, object]:
    """All that determines the output."""
    stamps = [Path(path).stat().st_mtime_ns for path in chain.reads if Path(path).is_file()]
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "chain": chain.spec,
        "reading": chain.reading.key,
        "pictures": stamps,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
