"""Operations in order, on images in memory, and the further pictures that they take."""

import itertools
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep import images
from imrep.codec.packed import Packed
from imrep.edit import float_range
from imrep.errors import BadParameter
from imrep.images import Original, Reading
from imrep.ops import parallel
from imrep.ops.tiling import each
from imrep.registry import operations
from imrep.registry.operations import Step
from imrep.types import Image

WORDS = {"Image": "a picture", "Packed": "a packed picture"}


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
                    f"{after.name} needs {WORDS[after.takes]}, got {WORDS[before.gives]} from "
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
            got = WORDS["Packed" if isinstance(image, Packed) else "Image"]
            raise BadParameter(f"{first.name} needs {WORDS[first.takes]}, got {got}.")
        with parallel.one_thread():  # images and strips are shared among threads instead
            if self.packs or not isinstance(image, Tensor) or image.ndim != 4 or len(image) < 2:
                return self._applied(image)
            return torch.cat(each(self._applied, image.split(1), image))

    def _applied(self, image: Any) -> Any:
        for step in self.steps:
            image = self.step(step, image)
        return image

    def step(self, step: Step, image: Any, of: Original | None = None) -> Any:
        """The image after one of the steps, whose further pictures share the colours `of` one."""
        pictures = {
            name: self._picture(path, of or Original(image)).to(image)
            for name, path in step.pictures.items()
        }
        params = {**step.given, **pictures}
        if of is None or of.samples.common or step.operation.gives != "Image":
            return step.operation.load()(image, **params)
        return float_range.applied(step.operation.load(), step.operation.name, image, params)

    def original(self, source: str | Path | bytes) -> Original:
        """A picture in its own colours, read as the chain reads them."""
        return images.original(
            source,
            max_pixels=self.reading.max_pixels,
            data_range=self.reading.data_range,
            own_scale=True,
        )

    def _picture(self, path: str, of: Original) -> Image:
        """In the colours and units of the edited one where it says so, else in sRGB."""
        if path not in self._pictures:
            self._pictures[path] = self.original(path)
        found = self._pictures[path]
        if not found.samples.stated:
            black, white = of.samples.black, of.samples.white
            numbers = found.pixels * (found.samples.white - found.samples.black)
            return (numbers + found.samples.black - black) / (white - black)
        same = (found.profile, found.encoding) == (of.profile, of.encoding)
        return found.pixels if same else images.read(path, **self.reading.keywords)
