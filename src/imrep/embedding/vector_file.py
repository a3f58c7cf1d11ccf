"""A data set and a representation become one file of vectors, in bounded memory.

Every few hundred images a shard of vectors is stored in a work folder beside the output; at the end
the shards become the output, which is renamed into place. So a run may be killed at any moment: the
same call starts at the first shard that is missing and writes the same bytes (of a network that is
compiled, up to rounding). The work folder of another run (other images, spec or size) is recognised
by its key and discarded.
"""

import json
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from imrep import __version__, images
from imrep.base import Representation, Supervised
from imrep.datasets import Item
from imrep.embedding import compiling, engine, fitting, shards
from imrep.embedding.checkpoints import WorkFolder, digest
from imrep.errors import BadData
from imrep.io import files, vectors
from imrep.io import skipped as skipped_list
from imrep.ops import parallel
from imrep.types import Progress

SIZE = 64  # of the square, unless another is requested
_CONFIG = "config.json"
_FORMAT = 2  # raised when shards change their meaning


@dataclass(frozen=True, kw_only=True)
class Settings(shards.Settings):
    """Settings of a run.

    Args:
        size: Side of the square every image is read at; None keeps each at its own size.
        batch: Images encoded at once, at most.
        shard: Images in a shard: what a kill can cost.
        threads: Files decoded, and batches encoded, at once; a device other than the CPU gets one
            batch at a time.
        seed: Of the sample of images that a codebook is fitted on.
        device: Where to encode.
        reading: How files become pixels.
        compiles: Whether a network in half precision is compiled, where that pays.
    """

    size: int | None = SIZE
    batch: int = 64
    shard: int = 256
    seed: int = 0


@dataclass(frozen=True)
class OutputFile:
    """The file of vectors, and how it was made.

    Args:
        path: The file.
        rows: Vectors in it.
        dim: Numbers in a vector.
        skipped: Path and reason of the files that have none.
        skipped_path: The list of these, beside the output.
        fitted_path: Folder of the representation, where it was fitted in this run.
        fitted_on: Images it was fitted on.
        resumed: Images whose vectors an interrupted run had stored.
        seconds: Of this run.
    """

    path: Path
    rows: int
    dim: int
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    fitted_path: Path | None
    fitted_on: int
    resumed: int
    seconds: float


def embed(
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> OutputFile:
    """Write the vectors of every image that can be read to `out`, by its suffix.

    Beside it appear `OUT.skipped.csv` (path, reason) where files were skipped, and `OUT.rep/` where
    the representation had to be fitted first.

    Raises:
        BadParameter: If the suffix names no format.
        NotFitted: If it has to be trained on labels first.
        BadData: If no image could be read, or a name beside `out` is that of a file or folder
            which no run wrote.
        Busy: If another run writes `out`.
        OSError: If the system refuses to write; finished shards are kept for the next call.
    """
    (output,) = embed_together(items, [(rep, out)], settings, progress)
    return output


def embed_together(
    items: Sequence[Item],
    outputs: Sequence[tuple[Representation, str | Path]],
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> list[OutputFile]:
    """Write the vectors by several representations, each to its file: images are decoded once.

    Every file is the same as that of `embed`, and each is resumed by itself.

    Args:
        items: The data set.
        outputs: Each representation and its file.
        settings: Of all of them.
        progress: Called with a phrase, the number done and the total.

    Raises:
        As `embed`; what can be written is written before.
    """
    began, settings, progress = time.perf_counter(), settings or Settings(), progress or _silent
    runs = [_Run(rep, Path(out)) for rep, out in outputs]
    for run in runs:
        _check_names(run.out, skipped_list.beside(run.out), run.rep)
        if isinstance(run.rep, Supervised):
            run.rep.require_training()
    names = ", ".join(run.rep.spec for run in runs)

    def report(done: int, count: int, skipped: int) -> None:
        progress(f"{names} · {skipped} skipped" if skipped else names, done, count)

    with (
        parallel.one_thread(engine.thread_count(settings.threads, settings.device)),
        ExitStack() as stack,
    ):
        works = [stack.enter_context(WorkFolder(r.out, r.key(items, settings))) for r in runs]
        for run, work in zip(runs, works, strict=True):
            run.rep.to(settings.device).eval()
            run.fitted_on = fitting.fit_once(
                run.rep, items, work, settings, settings.seed, progress
            )
        remaining = [items[shards.stored(work, items, settings) :] for work in works]
        functions = [
            compiling.vectors(run.rep, own, settings, progress)
            for run, own in zip(runs, remaining, strict=True)
        ]
        pairs = list(zip(works, functions, strict=True))
        resumed = shards.fill_together(pairs, items, settings, report)
        output_files, failed = [], None
        for run, work, before in zip(runs, works, resumed, strict=True):
            try:
                output_files.append(_finish(run, items, work, settings.size, before, began))
            except BadData as error:
                failed = failed or error
        if failed is not None:
            raise failed
    return output_files


def _silent(*_: object) -> None:
    """No progress."""


class _Run:
    """A representation, its file, and its fingerprint, which takes a second of large weights."""

    def __init__(self, rep: Representation, out: Path) -> None:
        self.rep, self.out, self.fitted_on = rep, out, 0
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """That of the representation, once it is fitted."""
        return self.rep.fingerprint if self.fitted_on else self._fingerprint

    def key(self, items: Sequence[Item], settings: Settings) -> dict[str, object]:
        """Everything that decides the vectors."""
        self._fingerprint = self.rep.fingerprint
        return _key(items, self.rep.spec, self._fingerprint, settings)


def _finish(
    run: _Run, items: Sequence[Item], work: WorkFolder, size: int | None, resumed: int, began: float
) -> OutputFile:
    """Make the output of the shards.

    Raises:
        BadData: There is no vector.
    """
    out = run.out
    listed = skipped_list.beside(out)
    skipped = shards.skipped(work, items)
    skipped_path = skipped_list.write(listed, skipped)
    if len(skipped) == len(items):
        work.discard()
        raise BadData(f"none of the {len(items)} files gave a vector; {skipped_path} says why.")
    rows, dim, draft = _assemble(items, run, work, size)
    fitted_path = _publish(out, draft, run.rep, work)
    seconds = time.perf_counter() - began
    return OutputFile(
        out, rows, dim, skipped, skipped_path, fitted_path, run.fitted_on, resumed, seconds
    )


def check_name(out: Path) -> None:
    """Refuse, before anything is read, a name under which no vectors can be written.

    Raises:
        BadParameter: Its suffix names no format.
        OSError: The system would refuse.
    """
    vectors.suffix(out)
    files.check_writable(out)


def _check_names(out: Path, listed: Path, rep: Representation) -> None:
    """Refuse a name that cannot be written, before any work is done."""
    check_name(out)
    skipped_list.check(listed)
    folder = _fitted_folder(out)
    if rep.needs_fit and folder.exists() and not _was_fitted(folder):
        raise BadData(
            f"{rep.name} needs {folder}/ to keep its codebook in, got a folder that imrep embed "
            "did not write. Move it away or use another -o."
        )


def _assemble(
    items: Sequence[Item], run: _Run, work: WorkFolder, size: int | None
) -> tuple[int, int, Path]:
    """Join the shards: number of rows, length of a vector, and the file in the work folder."""
    rows = [row for shard in work.outlines() for row in shard.rows]
    dim = next(shard.vectors.shape[1] for shard in work.shards() if shard.rows)
    columns: dict[str, list[str | None]] = {
        "path": [items[row].path for row in rows],
        "label": [items[row].label for row in rows],
    }
    facts = {
        "spec": run.rep.spec,
        "fingerprint": run.fingerprint,
        "size": "native" if size is None else str(size),
        "imrep": __version__,
    }
    pieces = (shard.vectors for shard in work.shards() if shard.rows)
    table = vectors.Table(pieces, len(rows), dim, columns, facts)
    draft = work.write(f"vectors{run.out.suffix}", lambda path: vectors.write(path, table))
    return len(rows), dim, draft


def _fitted_folder(out: Path) -> Path:
    return out.with_name(f"{out.name}.rep")


def _was_fitted(folder: Path) -> bool:
    """Whether an earlier run wrote it."""
    return (folder / fitting.SUMMARY).is_file() and (folder / _CONFIG).is_file()


def _publish(out: Path, draft: Path, rep: Representation, work: WorkFolder) -> Path | None:
    """Move the results to their names; a second call repairs a run that is killed here."""
    folder, saved = _fitted_folder(out), fitting.folder(work)
    if _was_fitted(folder) and _fingerprint(folder) != rep.fingerprint:
        folder.replace(work.path / "replaced")  # of an earlier output of this name
    if saved.is_dir() and not folder.exists():
        # A copy: `saved` must stay until the output has its name, for the run after a kill.
        copied = work.write("copied", lambda copy: shutil.copytree(saved, copy))
        copied.replace(folder)
    files.publish(draft, out)
    fitted = saved.is_dir()
    work.discard()
    return folder if fitted else None


def _fingerprint(folder: Path) -> str:
    return str(json.loads((folder / _CONFIG).read_text()).get("fingerprint"))


def _key(
    items: Sequence[Item], spec: str, fingerprint: str, settings: Settings
) -> dict[str, object]:
    """Everything that decides the vectors, as JSON can hold it."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "spec": spec,
        "fingerprint": fingerprint,
        "size": settings.size,
        "shard": settings.shard,
        "seed": settings.seed,
        "reading": settings.reading.key,
        "items": digest([[item.path, item.label, item.stamp] for item in items]),
    }
