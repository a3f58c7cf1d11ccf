"""Images segmented into a folder: the mask of each, its overlay, and the area of each class.

`masks/` holds paletted PNG files of class numbers, `overlays/` the classes' colours over the
images, `classes.csv` names and colours, `areas.csv` each class's share of each image. A finished
image goes into a hidden list, so that an interrupted run continues when it is called again.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from imrep import images
from imrep.datasets import Item
from imrep.drawing import overlay
from imrep.errors import BadData, BadFile
from imrep.images import Reading
from imrep.io import skipped as skipped_list
from imrep.io.digests import digest
from imrep.io.files import write_atomic, write_text
from imrep.io.names import printable
from imrep.io.output_folder import claimed
from imrep.ops.resize import resize
from imrep.ops.tiling import cut
from imrep.types import Image, Progress

__all__ = ["AREAS", "Areas", "Segmented", "Segmenting", "mask_of", "segment_folder"]

AREAS, _CLASSES, _FINISHED = "areas.csv", "classes.csv", ".segmented.jsonl"
_DEFAULT_SIDE = 512  # px of the short side, where neither the caller nor the weights say
_MAX_ASPECT = 4  # of the network's image, beyond which the long side decides
_STRIP = 1 << 22  # scores that are enlarged at once
_MAX_PALETTE = 256  # classes of a paletted PNG


@runtime_checkable
class Segmenting(Protocol):
    """A representation that tells the class of each pixel."""

    @property
    def spec(self) -> str:
        """From which it is rebuilt."""

    @property
    def fingerprint(self) -> str:
        """Of its parameters and weights."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    def colours(self) -> tuple[tuple[int, int, int], ...]:
        """Red, green and blue of each, 0 to 255."""

    @property
    def trained_side(self) -> int | None:
        """Short side in pixels of the images that it was trained on."""

    def segment(self, image: Image) -> Tensor:
        """Scores of each class and pixel, (b, classes, h, w)."""


@dataclass(frozen=True)
class Areas:
    """The areas in an image.

    Args:
        path: Its name in the data set.
        shares: Of each class, in [0, 1], in the order of the classes.
    """

    path: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Segmented:
    """What a run wrote.

    Args:
        folder: With `masks/`, `overlays/`, `areas.csv` and `classes.csv`.
        labels: Names of the classes.
        colours: Red, green and blue of each, 0 to 255.
        areas: Of each image.
        skipped: (path, reason) of the images that could not be read.
        resumed: Images of an earlier, interrupted run.
    """

    folder: Path
    labels: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    areas: tuple[Areas, ...]
    skipped: tuple[tuple[str, str], ...]
    resumed: int


def mask_of(rep: Segmenting, image: Image, side: int | None = None) -> NDArray[np.int64]:
    """The class of each pixel of one image, (h, w).

    The network sees the image with a short side of `side` pixels, and its scores are enlarged to
    the image's own size, strip by strip.

    Args:
        rep: In evaluation mode.
        image: (1, 3, h, w), on the device of the weights.
        side: None for that of the training, else 512, where the image is larger; 0 for its own.
    """
    height, width = image.shape[2:]
    with torch.no_grad():
        scores = rep.segment(resize(image, *_network_size(height, width, rep, side)).clamp(0, 1))
        rows = max(1, _STRIP // (scores.shape[1] * width))
        strips = [_enlarged(scores, part, height, width).argmax(1)[0] for part in cut(height, rows)]
    return torch.cat(strips).cpu().numpy()


def segment_folder(
    items: Sequence[Item],
    rep: Segmenting,
    out: Path,
    *,
    side: int | None = None,
    device: str = "cpu",
    reading: Reading = images.DEFAULT_READING,
    progress: Progress = lambda *_: None,
) -> Segmented:
    """Segment every image into `out`, under its own name there.

    Images that cannot be read are skipped and listed in `OUT.skipped.csv`.

    Args:
        items: The images.
        rep: In evaluation mode, on the device.
        out: The folder, which must be new or of an earlier run.
        side: As for `mask_of`.
        device: Of the weights.
        reading: How files are read.
        progress: Called after each image.

    Raises:
        BadData: No image could be read, or `out` holds something else.
        Busy: Another run writes into `out`.
        OSError: The system refuses to write; the next call continues with what is complete.
    """
    list_path = skipped_list.beside(out)
    skipped_list.check(list_path)
    writer = _Writer(items, rep, out, side, reading)
    with claimed(out, "segment"):
        finished = writer.finished()
        resumed = len(finished)
        for number, item in enumerate(items):
            if item.path not in finished:
                finished[item.path] = writer.write(item, device)
            progress("segmenting", number + 1, len(items))
        skipped = [(path, reason) for path, reason in finished.items() if isinstance(reason, str)]
        areas = [Areas(p, tuple(v)) for p, v in finished.items() if not isinstance(v, str)]
        if not areas:
            path, reason = skipped[0]
            raise BadData(f"segment needs images that can be read, got none: {path}: {reason}")
        writer.close(areas)
        skipped_list.write(list_path, skipped)
    return Segmented(out, rep.labels, rep.colours, tuple(areas), tuple(skipped), resumed)


def _network_size(height: int, width: int, rep: Segmenting, side: int | None) -> tuple[int, int]:
    """Height and width of the image that the network sees."""
    short, long = min(height, width), max(height, width)
    if side is None:
        side = rep.trained_side or min(short, _DEFAULT_SIDE)
    scale = 1.0 if side == 0 else min(side / short, _MAX_ASPECT * side / long)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _enlarged(scores: Tensor, rows: slice, height: int, width: int) -> Tensor:
    """Some rows of the scores (1, c, h, w) enlarged to `height` × `width`, by interpolation."""
    last = scores.shape[2] - 1
    y = torch.arange(rows.start, rows.stop, device=scores.device)
    y = (((y + 0.5) * scores.shape[2] / height) - 0.5).clamp(0, last)
    above = y.long()
    mixed = torch.lerp(
        scores[:, :, above],
        scores[:, :, (above + 1).clamp_max(last)],
        (y - above).to(scores)[:, None],
    )
    size = (len(y), width)
    return F.interpolate(mixed, size, mode="bilinear", align_corners=False)


class _Writer:
    """Writes the files of a run, and the list of what is finished."""

    def __init__(
        self,
        items: Sequence[Item],
        rep: Segmenting,
        out: Path,
        side: int | None,
        reading: Reading,
    ) -> None:
        self._rep, self._out, self._short_side, self._reading = rep, out, side, reading
        self._names = _names(items)
        stamps = (f"{item.path} {item.stamp}" for item in items)
        self._key = digest(rep.fingerprint, str(side), str(reading.key), *stamps)
        self._list = out / _FINISHED

    def finished(self) -> dict[str, Any]:
        """By path: the shares of an image, or why it was skipped; of this run, if interrupted."""
        lines = [*_lines(self._list)]
        if not lines or lines[0] != self._key:
            write_text(self._list, json.dumps(self._key) + "\n")
            return {}
        return dict(lines[1:])

    def write(self, item: Item, device: str) -> Any:
        """Segment an image and write its files; the shares, or why it was skipped."""
        try:
            image = images.read(item.read(), **self._reading.keywords).to(device)
        except BadFile as error:
            outcome: Any = str(error)
        else:
            mask = mask_of(self._rep, image, self._short_side)
            counts = np.bincount(mask.ravel(), minlength=len(self._rep.labels))
            outcome = (counts / mask.size).tolist()
            self._write_files(item, image.cpu(), mask)
        with self._list.open("a", encoding="utf-8") as file:
            file.write(json.dumps([item.path, outcome]) + "\n")
        return outcome

    def close(self, areas: Sequence[Areas]) -> None:
        """Write the tables, and forget what was finished."""
        labels = [*map(printable, self._rep.labels)]
        rows = [[each.path, *(f"{share:.6f}" for share in each.shares)] for each in areas]
        self._write_table(AREAS, [["path", *labels], *rows])
        colours = zip(labels, self._rep.colours, strict=True)
        classes = [[i, name, *rgb] for i, (name, rgb) in enumerate(colours)]
        self._write_table(_CLASSES, [["id", "name", "r", "g", "b"], *classes])
        self._list.unlink()

    def _write_files(self, item: Item, image: Image, mask: NDArray[np.int64]) -> None:
        name, colours = self._names[item.path], self._rep.colours
        write_atomic(self._out / "masks" / name, _encoded(mask, colours))
        drawn_over = overlay(image, torch.from_numpy(mask)[None], colours)
        images.write(self._out / "overlays" / name, drawn_over)

    def _write_table(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        write_text(self._out / name, text.getvalue())


def _encoded(mask: NDArray[np.int64], colours: Sequence[tuple[int, int, int]]) -> bytes:
    """A PNG of class numbers: with the colours as its palette, or of 16 bits for many classes."""
    if len(colours) > _MAX_PALETTE:
        picture = PIL.Image.fromarray(mask.astype(np.uint16))
    else:
        pixels = mask.astype(np.uint8).tobytes()
        picture = PIL.Image.frombytes("P", (mask.shape[1], mask.shape[0]), pixels)
        picture.putpalette([channel for colour in colours for channel in colour])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _names(items: Sequence[Item]) -> dict[str, str]:
    """The name of each image's files below the output: its own with .png, twice where needed."""
    plain = {item.path: _inside(item.path).with_suffix(".png").as_posix() for item in items}
    counts = Counter(plain.values())
    return {
        path: name if counts[name] == 1 else f"{_inside(path).as_posix()}.png"
        for path, name in plain.items()
    }


def _inside(path: str) -> PurePosixPath:
    return PurePosixPath(*(part for part in PurePosixPath(path).parts if part not in ("/", "..")))


def _lines(path: Path) -> Iterator[Any]:
    """The values of a file, without a line that a killed run left half."""
    texts = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for text in texts:
        try:
            yield json.loads(text)
        except ValueError:
            return
