"""A data set and a representation become one file of vectors, in bounded memory.

Files are read ahead on threads and batches encoded on others, each of which computes alone; the
vectors are the same however many there are. Every few hundred images a shard goes to a work folder
beside the output; the output is put together from shards at the end and renamed into place. So a
run may be killed at any moment: the same call goes on at the first shard that is missing and ends
with the same bytes. A work folder of another run (other images, spec or size) is recognised by its
key and thrown away.
"""

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import __version__, images
from imrep.base import Fitted, Representation, Sum
from imrep.datasets import Item
from imrep.embedding import batching
from imrep.embedding.batching import Batch, Skip
from imrep.embedding.checkpoints import Shard, WorkFolder, digest
from imrep.errors import BadData, BadImage
from imrep.io import files, provenance, vectors
from imrep.io import skipped as skipped_list
from imrep.ops import parallel
from imrep.types import Image

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many

SIZE = 64  # of the square, unless another is asked for
_FIT_ON = 3000  # images a codebook is fitted on
_REP, _FITTED, _CONFIG = "rep", "fitted.json", "config.json"
_FORMAT = 2  # raised when shards change their meaning


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is done.

    Args:
        size: Side of the square every image is read at; None keeps each at its own size.
        batch: Most images encoded at once.
        shard: Images to a shard: what a kill can cost.
        threads: Files read, and batches encoded, at once; a device other than the processor gets
            one batch at a time.
        seed: Of the choice of images that a codebook is fitted on.
        device: Where to encode.
        reading: How files become pixels.
    """

    size: int | None = SIZE
    batch: int = 64
    shard: int = 256
    threads: int = 2
    seed: int = 0
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING


@dataclass(frozen=True)
class Written:
    """What a run left behind."""

    path: Path
    rows: int
    dim: int
    skipped: tuple[tuple[str, str], ...]  # path and reason
    skipped_path: Path | None
    fitted_path: Path | None  # folder of the representation, where it was fitted here
    fitted_on: int
    resumed: int  # images taken over from a run that was interrupted
    seconds: float


def embed(
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the vectors of every image that can be read to `out`, by its suffix.

    Beside it come `OUT.skipped.csv` (path, reason) where files were skipped, and `OUT.rep/` where
    the representation had to be fitted first.

    Raises:
        BadParameter: If the suffix names no format.
        BadData: If not one image could be read, or a name beside `out` is that of a file or folder
            which no run wrote.
        Busy: If another run writes `out`.
        OSError: If the system does not let it be written; what is done is kept for the next call.
    """
    began, out = time.perf_counter(), Path(out)
    settings, progress = settings or Settings(), progress or (lambda *_: None)
    listed = skipped_list.beside(out)
    vectors.suffix(out)
    files.check_writable(out)
    skipped_list.check(listed)
    _check_fitted(out, rep)
    with (
        parallel.one_thread(_threads(settings)),
        WorkFolder(out, _key(items, rep, settings)) as work,
    ):
        rep = rep.to(settings.device).eval()
        fitted_on = _fit_once(items, rep, work, settings, progress)
        resumed = _encode(items, rep, work, settings, progress)
        for note in dict.fromkeys(note for shard in work.shards() for note in shard.notes):
            images.note(note)  # of shards taken over, too
        skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
        written = skipped_list.write(listed, skipped)
        if len(skipped) == len(items):
            work.discard()
            raise BadData(f"none of the {len(items)} files gave a vector; {written} says why.")
        rows, dim, draft = _assemble(items, rep, work, out.suffix, settings.size)
        fitted_path = _publish(out, draft, rep, work)
    seconds = time.perf_counter() - began
    return Written(out, rows, dim, skipped, written, fitted_path, fitted_on, resumed, seconds)


def fit(
    rep: Representation, items: Sequence[Item], settings: Settings, progress: Progress | None = None
) -> int:
    """Fit a representation, in place, on at most 3,000 of the images, drawn by the seed.

    Returns:
        How many images it saw.

    Raises:
        BadData: If not one image could be read.
    """
    count = min(len(items), _FIT_ON)
    drawn = np.random.default_rng(settings.seed).choice(len(items), count, replace=False)
    chosen = [items[i] for i in np.sort(drawn)]
    seen: list[int] = []

    def batches() -> Iterator[Image]:
        loaded = images.load_squares(
            chosen, settings.size, threads=settings.threads, **settings.reading.keywords
        )
        with closing(loaded), closing(batching.batches(loaded, settings.batch)) as parts:
            for part in parts:
                if isinstance(part, Batch):
                    seen.extend(part.rows)
                    yield part.images(settings.device)
                    if progress:
                        progress(f"fitting {rep.name}", len(seen), count)

    with parallel.one_thread(_threads(settings)):
        _fit(rep, _not_empty(batches(), count))
    return len(seen)


def _threads(settings: Settings) -> int:
    """How many batches are encoded at once."""
    return settings.threads if settings.device == "cpu" else 1


def _fit(rep: Representation, batches: Iterable[Image]) -> None:
    if isinstance(rep, Fitted | Sum):
        rep.fit(batches)


def _not_empty(batches: Iterator[Image], count: int) -> Iterator[Image]:
    first = next(batches, None)
    if first is None:
        raise BadData(f"none of the {count} files could be read as an image; nothing to fit on.")
    return itertools.chain([first], batches)


def _fit_once(
    items: Sequence[Item],
    rep: Representation,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> int:
    """Fit what needs it, or load what an earlier call fitted; how many images it was fitted on."""
    saved = work.path / _REP
    if rep.needs_fit and not saved.is_dir():
        count = fit(rep, items, settings, progress)

        def write(draft: Path) -> None:
            draft.mkdir()
            provenance.mark_folder(draft, "representation")
            rep.save(draft)
            facts = {"images": count, "size": settings.size, "seed": settings.seed}
            (draft / _FITTED).write_text(json.dumps(facts) + "\n")

        work.write(_REP, write)
    if not saved.is_dir():
        return 0
    rep.load_weights(saved)
    return int(json.loads((saved / _FITTED).read_text())["images"])


def _encode(
    items: Sequence[Item],
    rep: Representation,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> int:
    """Add the shards that are missing; how many images were there already."""
    size = settings.shard
    start = min(work.count() * size, len(items))
    loaded = images.load_squares(
        items[start:], settings.size, threads=settings.threads, **settings.reading.keywords
    )
    parts = batching.batches(loaded, settings.batch, start, size)
    encoded = parallel.ordered_map(
        lambda part: _encoded(part, rep, settings.device),
        parts,
        parallel.workers(),
        weight=lambda part: part.pixels,
        limit=parallel.PIXELS,
    )
    number, pieces = start // size, _Pieces()
    # Closed in this order: else an error leaves them to whichever thread collects garbage.
    with closing(loaded), closing(parts), closing(encoded), images.noting() as notes:
        for piece in encoded:
            pieces.add(piece)
            if isinstance(piece, _Vectors):
                progress(rep.spec, piece.rows[-1] + 1, len(items))
            if pieces.count == min(size, len(items) - number * size):
                work.save(number, replace(pieces.shard(), notes=tuple(notes)))
                number, pieces = number + 1, _Pieces()
    return start


@dataclass(frozen=True)
class _Vectors:
    """What became of a batch: vectors, or why there are none."""

    rows: list[int]
    values: NDArray[np.float32] | BadImage


def _encoded(part: Batch | Skip, rep: Representation, device: str) -> _Vectors | Skip:
    if isinstance(part, Skip):
        return part
    try:
        with torch.no_grad():  # a thread has its own
            return _Vectors(part.rows, _finite(rep.embed(part.images(device)), rep))
    except BadImage as error:  # the same for all: they have one shape
        return _Vectors(part.rows, error)


@dataclass
class _Pieces:
    """A shard as it grows."""

    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Images that are accounted for."""
        return len(self.rows) + len(self.skipped)

    def add(self, piece: _Vectors | Skip) -> None:
        if isinstance(piece, Skip):
            self.skipped.append((piece.row, piece.reason))
        elif isinstance(piece.values, BadImage):
            self.skipped += [(row, str(piece.values)) for row in piece.rows]
        else:
            self.rows += piece.rows
            self.vectors.append(piece.values)

    def shard(self) -> Shard:
        vectors = np.concatenate(self.vectors or [np.empty((0, 0), np.float32)])
        return Shard(vectors, tuple(self.rows), tuple(sorted(self.skipped)))


def _finite(vectors: torch.Tensor, rep: Representation) -> NDArray[np.float32]:
    values: NDArray[np.float32] = vectors.float().cpu().numpy()
    if not np.isfinite(values).all():
        raise BadImage(f"{rep.spec} gave numbers that are not finite.")
    return values


def _assemble(
    items: Sequence[Item], rep: Representation, work: WorkFolder, suffix: str, size: int | None
) -> tuple[int, int, Path]:
    """Put the shards together: rows, length of a vector, and the file in the work folder."""
    rows = [row for shard in work.shards() for row in shard.rows]
    dim = next(shard.vectors.shape[1] for shard in work.shards() if shard.rows)
    columns: dict[str, list[str | None]] = {
        "path": [items[row].path for row in rows],
        "label": [items[row].label for row in rows],
    }
    facts = {
        "spec": rep.spec,
        "fingerprint": rep.fingerprint,
        "size": "native" if size is None else str(size),
        "imrep": __version__,
    }
    pieces = (shard.vectors for shard in work.shards() if shard.rows)
    table = vectors.Table(pieces, len(rows), dim, columns, facts)
    draft = work.write(f"vectors{suffix}", lambda path: vectors.write(path, table))
    return len(rows), dim, draft


def _check_fitted(out: Path, rep: Representation) -> None:
    """Refuse to fit what could not be kept, since another folder has its name."""
    folder = _fitted_folder(out)
    if rep.needs_fit and folder.exists() and not _was_fitted(folder):
        raise BadData(
            f"{rep.name} needs {folder}/ to keep its codebook in, got a folder that imrep embed "
            "did not write. Move it away or use another -o."
        )


def _fitted_folder(out: Path) -> Path:
    return out.with_name(f"{out.name}.rep")


def _was_fitted(folder: Path) -> bool:
    """Whether it is what an earlier run left."""
    return (folder / _FITTED).is_file() and (folder / _CONFIG).is_file()


def _publish(out: Path, draft: Path, rep: Representation, work: WorkFolder) -> Path | None:
    """Give the results their names; whatever moment we are killed at, a second call repairs."""
    folder, saved = _fitted_folder(out), work.path / _REP
    if _was_fitted(folder) and _fingerprint(folder) != rep.fingerprint:
        folder.replace(work.path / "replaced")  # of an earlier output of this name
    if saved.is_dir() and not folder.exists():
        copied = work.write("copied", lambda copy: shutil.copytree(saved, copy))
        copied.replace(folder)
    files.publish(draft, out)
    fitted = saved.is_dir()
    work.discard()
    return folder if fitted else None


def _fingerprint(folder: Path) -> str:
    return str(json.loads((folder / _CONFIG).read_text()).get("fingerprint"))


def _key(items: Sequence[Item], rep: Representation, settings: Settings) -> dict[str, object]:
    """Everything that decides the vectors."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "spec": rep.spec,
        "fingerprint": rep.fingerprint,
        "size": settings.size,
        "shard": settings.shard,
        "seed": settings.seed,
        "reading": settings.reading.key,
        "items": digest([[item.path, item.label, item.stamp] for item in items]),
    }
