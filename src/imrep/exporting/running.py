"""Vectors or answers of images by an exported file alone."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.datasets import Item
from imrep.embedding import engine, shards
from imrep.embedding.checkpoints import WorkFolder, digest
from imrep.errors import BadData, BadFile, BadParameter
from imrep.exporting import metadata, onnx_file, torch_file
from imrep.exporting.metadata import Metadata
from imrep.io.digests import digest as digest_of
from imrep.ops import parallel
from imrep.types import Image, Progress

_BATCH, _SHARD = 64, 256
_FORMAT = 1  # raised when shards change their meaning


@dataclass(frozen=True)
class Outputs:
    """What a model gives for images.

    Attributes:
        values: (n, d) float32: vectors, probabilities or a number; of the readable images.
        paths: Their names.
        labels: Their labels in the data set, None where there is none.
        skipped: Path and reason of the others.
    """

    values: NDArray[np.float32]
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    skipped: tuple[tuple[str, str], ...]


class ExportedModel:
    """A file of `export`, for images."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            BadFile: There is none, it is no model, or another program wrote it.
            BadParameter: Its suffix is another.
            ExtraNeeded: A package is not installed.
        """
        if path.suffix not in (".onnx", ".pt2"):
            raise BadParameter(f"run needs a model, .onnx or .pt2, got {path.name!r}.")
        if not path.is_file():
            raise BadFile(f"{path} needs to be a model that imrep export wrote, got no such file.")
        self.path = path
        self._run = onnx_file.Session(path) if path.suffix == ".onnx" else torch_file.Program(path)
        self.metadata: Metadata = metadata.parsed(self._run.texts, path)

    def squares(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Output rows of RGB squares (n, size, size, 3) uint8."""
        return self._run(np.ascontiguousarray(pixels))

    def of_items(
        self,
        items: Sequence[Item],
        *,
        out: Path | None = None,
        threads: int = 1,
        reading: images.Reading = images.DEFAULT_READING,
        progress: Progress | None = None,
    ) -> Outputs:
        """Output rows of images.

        Args:
            items: The images.
            out: The output that they are for: an interrupted run of it resumes. None keeps nothing.
            threads: Files decoded, and batches computed, at once.
            reading: How files become pixels.
            progress: Called with a phrase, images done, and all.

        Raises:
            BadData: None of the images can be read.
            Busy: Another run writes `out`.
            OSError: The system refuses to write.
        """
        with ExitStack() as stack:
            stack.enter_context(parallel.one_thread(threads))
            if out is None:
                out = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "outputs"
            work = stack.enter_context(WorkFolder(out, self._key(items, reading)))
            outputs = self._filled(work, items, threads, reading, progress)
            work.discard()
        return outputs

    def _filled(
        self,
        work: WorkFolder,
        items: Sequence[Item],
        threads: int,
        reading: images.Reading,
        progress: Progress | None,
    ) -> Outputs:
        settings = shards.Settings(
            size=self.metadata.size,
            batch=_BATCH,
            shard=_SHARD,
            threads=engine.thread_count(threads, "cpu"),
            reading=self.metadata.framed(reading),
        )
        report = progress or (lambda *_: None)
        what = self.metadata.spec
        shards.fill(work, items, self._rows, settings, lambda d, n: report(what, d, n))
        skipped = shards.skipped(work, items)
        if len(skipped) == len(items):
            path, reason = skipped[0] if skipped else ("the data", "it holds no image.")
            raise BadData(f"none of the {len(items)} files can be read; {path}: {reason}")
        stored = [shard for shard in work.shards() if shard.rows]
        values = np.concatenate([shard.vectors for shard in stored])
        read = [items[row] for shard in stored for row in shard.rows]
        paths, labels = tuple(item.path for item in read), tuple(item.label for item in read)
        return Outputs(values, paths, labels, skipped)

    def _rows(self, batch: Image) -> NDArray[np.float32]:
        """Rows of images (n, 3, size, size) in [0, 1], whose levels are whole 255ths."""
        squares = (batch * 255).round().to("cpu").byte().permute(0, 2, 3, 1)
        return self.squares(squares.contiguous().numpy())

    def _key(self, items: Sequence[Item], reading: images.Reading) -> dict[str, object]:
        """Everything that decides the rows."""
        return {
            "format": _FORMAT,
            "decoder": images.DECODER,
            "model": digest_of(self.path.read_bytes()),
            "reading": self.metadata.framed(reading).key,
            "items": digest([[item.path, item.stamp] for item in items]),
        }
