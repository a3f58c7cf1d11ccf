"""Chains of operations on files: what a picture was besides its pixels, it stays.

Depth, alpha, ICC profile, EXIF and resolution pass by the operations, which see colours only,
upright and as the file has them. Between operations there is no rounding. A chain may end by
packing the picture into few bytes, or begin by unpacking it.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep import images, operations, packed
from imrep.errors import BadParameter
from imrep.images import Original, Reading
from imrep.operations import Step
from imrep.ops import parallel
from imrep.ops.strips import each
from imrep.packed import Packed
from imrep.tasks import packing, ratecurve
from imrep.tasks.packing import Figures
from imrep.tasks.ratecurve import Point
from imrep.types import Image

__all__ = ["Chain", "Edited", "edit"]

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
_WORDS = {"Image": "a picture", "Packed": "a packed picture"}


@dataclass(frozen=True)
class Edited:
    """What was written of one picture.

    Args:
        path: Where to.
        picture: What it holds, in words: "4000×3000, 8 bits, RGB".
        kept: What came with the pixels and went on with them: "ICC profile", "EXIF" …
        lost: What the format could not hold: "16 bits", "transparency".
        figures: What packing took, where the chain ends with that.
        curve: What other qualities and methods of packing would take, where that was asked for.
        seconds: From reading to having written.
    """

    path: Path
    picture: str
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    figures: Figures | None
    curve: tuple[Point, ...]
    seconds: float


class Chain:
    """Operations in order, and the further pictures they take, read once.

    Args:
        text: As it is written on the command line.
        device: Where to compute.
        reading: How pictures are read.

    Raises:
        UnknownName: An operation does not exist.
        BadParameter: A parameter does not, has another type, or is needed and absent.
    """

    def __init__(self, text: str, device: str = "cpu", reading: Reading | None = None) -> None:
        self.steps: Sequence[Step] = operations.parse(text)
        self.device = device
        self.reading = reading or Reading()
        self._pictures: dict[str, Original] = {}
        for before, after in itertools.pairwise(step.operation for step in self.steps):
            if before.gives != after.takes:
                raise BadParameter(
                    f"{after.name} needs {_WORDS[after.takes]}, got {_WORDS[before.gives]} from "
                    f"{before.name}. Put compress last and decode first."
                )

    @property
    def spec(self) -> str:
        """How it is written, in full."""
        return ", ".join(step.spec for step in self.steps)

    @property
    def slug(self) -> str:
        """For the name of a file: its operations without their parameters."""
        return "-".join(step.operation.name for step in self.steps)

    @property
    def unpacks(self) -> bool:
        """Whether it begins with a packed picture."""
        return self.steps[0].operation.takes == "Packed"

    @property
    def packs(self) -> bool:
        """Whether it ends with one."""
        return self.steps[-1].operation.gives == "Packed"

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Paths of the further pictures."""
        return tuple(path for step in self.steps for path in step.pictures.values())

    def apply(self, image: Image | Packed) -> Any:
        """Images (b, 1|3, h, w) with values in [0, 1] after all steps, or what the last gives.

        Raises:
            BadParameter: The first step takes a packed picture, and this is none, or the opposite.
        """
        if self.unpacks != isinstance(image, Packed):
            first = self.steps[0].operation
            got = _WORDS["Packed" if isinstance(image, Packed) else "Image"]
            raise BadParameter(f"{first.name} needs {_WORDS[first.takes]}, got {got}.")
        with parallel.one_thread():  # images and strips are shared among threads instead
            if self.packs or not isinstance(image, Tensor) or image.ndim != 4 or len(image) < 2:
                return self._applied(image)
            return torch.cat(each(self._applied, image.split(1), image))

    def _applied(self, image: Any) -> Any:
        for step in self.steps:
            image = self.step(step, image)
        return image

    def original(self, source: str | Path | bytes) -> Original:
        """A picture in its own colours, read as the chain reads them."""
        return images.original(
            source, max_pixels=self.reading.max_pixels, data_range=self.reading.data_range
        )

    def step(self, step: Step, image: Any, profile: bytes | None = None) -> Any:
        """The image after one of the steps, whose further pictures share its `profile`."""
        pictures = {
            name: self._picture(path, profile).to(image) for name, path in step.pictures.items()
        }
        return step.operation.load()(image, **step.given, **pictures)

    def _picture(self, path: str, profile: bytes | None) -> Image:
        """In the colours of the edited one where it says that it has them, else in sRGB."""
        if path not in self._pictures:
            self._pictures[path] = self.original(path)
        found = self._pictures[path]
        if found.profile == profile:
            return found.pixels
        return images.read(path, **self.reading.keywords)


def edit(
    source: str | Path | bytes,
    chain: Chain,
    out: Path,
    tell: Progress = lambda *_: None,
    *,
    curve: Path | None = None,
) -> Edited:
    """Edit one file into another, which appears whole or not at all.

    Args:
        source: A path, or the bytes of a file.
        chain: What to do.
        out: Where to.
        tell: Told what is being done.
        curve: Where to draw likeness against bits per pixel, .png or .svg, if the chain packs.

    Raises:
        BadFile: The source cannot be read as an image, or as a packed one.
        BadImage: An operation refuses the picture.
        BadParameter: `out` or `curve` has a suffix that is not written, or there is no curve.
    """
    began = time.perf_counter()
    _fitting(source, chain)
    _writable(out, chain)
    if curve is not None:
        ratecurve.drawable(curve)
        if not chain.packs:
            raise BadParameter(f"a rate curve needs compress as the last step, got {chain.slug}.")
    with torch.no_grad():
        picture, packing_step = _edited(source, chain, tell)
        tell("writing", 0, 1)
        lost: tuple[str, ...] = ()
        found, points = None, tuple[Point, ...]()
        if packing_step:
            small = packing.keep(chain.step(packing_step, picture.pixels), picture)
            packed.write(small, out)
            found = packing.figures(small, picture.pixels)
            if curve is not None:
                points = tuple(ratecurve.curve(picture.pixels, progress=tell))
                ratecurve.draw(points, curve)
        else:
            lost = images.save(out, picture)
    seconds = time.perf_counter() - began
    return Edited(out, _words(picture, lost), _kept(picture, lost), lost, found, points, seconds)


def _edited(
    source: str | Path | bytes, chain: Chain, tell: Progress
) -> tuple[Original, Step | None]:
    """The picture to write, and the step that packs it, if there is one."""
    tell("reading", 0, 1)
    steps = list(chain.steps)
    last = steps.pop() if chain.packs else None
    if chain.unpacks:
        small = packed.read(source)
        before = packing.restored(small, chain.step(steps.pop(0), small))
    else:
        before = chain.original(source)
    shown = before.pixels.to(chain.device)
    for i, step in enumerate(steps):
        tell(step.operation.name, i, len(chain.steps))
        shown = chain.step(step, shown, before.profile)
    same = shown.shape[1] == before.pixels.shape[1]  # a profile of colours fits no gray picture
    return replace(before, pixels=shown, profile=before.profile if same else None), last


def _fitting(source: str | Path | bytes, chain: Chain) -> None:
    """Refuse a packed picture that is not unpacked, and a picture that would be."""
    if isinstance(source, bytes) or chain.unpacks == (Path(source).suffix == packed.SUFFIX):
        return
    name, first = Path(source).name, chain.steps[0].operation.name
    remedy = f"`compress` makes {packed.SUFFIX} files" if chain.unpacks else "Put decode before it"
    raise BadParameter(
        f"{first} needs {_WORDS[chain.steps[0].operation.takes]}, got {name}. {remedy}."
    )


def _writable(out: Path, chain: Chain) -> None:
    """Refuse a name that could not be written in the end."""
    suffixes = (packed.SUFFIX,) if chain.packs else images.SUFFIXES
    if out.suffix.lower() not in suffixes:
        raise BadParameter(
            f"edit needs a name ending in {', '.join(suffixes)} after {chain.slug}, "
            f"got {out.name!r}. Try {suffixes[0]}."
        )


def _words(picture: Original, lost: Sequence[str]) -> str:
    height, width = picture.pixels.shape[2:]
    bits = 8 if "16 bits" in lost else picture.bits
    colours = "gray" if picture.pixels.shape[1] == 1 else "RGB"
    words = f"{width}×{height}, {bits} bits, {colours}"
    return f"{words}, the first of several pictures" if picture.more else words


def _kept(picture: Original, lost: Sequence[str]) -> tuple[str, ...]:
    there = {
        "transparency": picture.alpha is not None and "transparency" not in lost,
        "ICC profile": picture.profile is not None and "the ICC profile of gray" not in lost,
        "EXIF": picture.exif is not None and "so long EXIF" not in lost,
    }
    return tuple(name for name, kept in there.items() if kept)
