"""Chains of operations on files: what a picture was besides its pixels, it stays.

Depth, alpha, ICC profile, EXIF and resolution pass by the operations, which see colours only,
upright and as the file has them. Between operations there is no rounding.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from imrep import images, operations
from imrep.images import Original
from imrep.operations import Step
from imrep.types import Image

__all__ = ["Chain", "Edited", "edit"]

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True)
class Edited:
    """What was written of one picture.

    Args:
        path: Where to.
        picture: What it holds, in words: "4000×3000, 8 bits, RGB".
        kept: What came with the pixels and went on with them: "ICC profile", "EXIF" …
        lost: What the format could not hold: "16 bits", "transparency".
        seconds: From reading to having written.
    """

    path: Path
    picture: str
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    seconds: float


class Chain:
    """Operations in order, and the further pictures they take, read once.

    Args:
        text: As it is written on the command line.
        device: Where to compute.

    Raises:
        UnknownName: An operation does not exist.
        BadParameter: A parameter does not, has another type, or is needed and absent.
    """

    def __init__(self, text: str, device: str = "cpu") -> None:
        self.steps: Sequence[Step] = operations.parse(text)
        self.device = device
        self._pictures: dict[str, Original] = {}

    @property
    def spec(self) -> str:
        """How it is written, in full."""
        return ", ".join(step.spec for step in self.steps)

    @property
    def slug(self) -> str:
        """For the name of a file: its operations without their parameters."""
        return "-".join(step.operation.name for step in self.steps)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Paths of the further pictures."""
        return tuple(path for step in self.steps for path in step.pictures.values())

    def apply(
        self, image: Image, profile: bytes | None = None, tell: Progress = lambda *_: None
    ) -> Image:
        """The image after all steps.

        Args:
            image: (b, 1|3, h, w), values in [0, 1].
            profile: Of its colours, which the further pictures are to share.
            tell: Told which operation works.
        """
        for i, step in enumerate(self.steps):
            tell(step.operation.name, i, len(self.steps))
            pictures = {
                name: self._picture(path, profile).to(image) for name, path in step.pictures.items()
            }
            image = step.operation.load()(image, **step.given, **pictures)
        return image

    def _picture(self, path: str, profile: bytes | None) -> Image:
        """In the colours of the edited one where it says that it has them, else in sRGB."""
        if path not in self._pictures:
            self._pictures[path] = images.original(path)
        found = self._pictures[path]
        return found.pixels if found.profile == profile else images.read(path)


def edit(
    source: str | Path | bytes, chain: Chain, out: Path, tell: Progress = lambda *_: None
) -> Edited:
    """Edit one file into another, which appears whole or not at all.

    Raises:
        BadFile: The source cannot be read as an image.
        BadImage: An operation refuses the picture.
        BadParameter: `out` has a suffix that is not written.
    """
    began = time.perf_counter()
    tell("reading", 0, 1)
    before = images.original(source)
    with torch.no_grad():
        shown = chain.apply(before.pixels.to(chain.device), before.profile, tell)
    same = shown.shape[1] == before.pixels.shape[1]  # a profile of colours fits no gray picture
    after = replace(before, pixels=shown, profile=before.profile if same else None)
    tell("writing", 0, 1)
    lost = images.save(out, after)
    deep = after.bits == 16 and "16 bits" not in lost
    return Edited(
        out, _words(after, 16 if deep else 8), _kept(after, lost), lost, time.perf_counter() - began
    )


def _words(picture: Original, bits: int) -> str:
    height, width = picture.pixels.shape[2:]
    colours = "gray" if picture.pixels.shape[1] == 1 else "RGB"
    return f"{width}×{height}, {bits} bits, {colours}"


def _kept(picture: Original, lost: Sequence[str]) -> tuple[str, ...]:
    there = {
        "transparency": picture.alpha is not None and "transparency" not in lost,
        "ICC profile": picture.profile is not None,
        "EXIF": picture.exif is not None,
    }
    return tuple(name for name, kept in there.items() if kept)
