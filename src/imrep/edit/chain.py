"""Chains of operations on images in memory."""

import itertools
import warnings
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

TYPES = {"Image": "an image", "Packed": "a packed image"}


def apply_edits(image: Image, chain: str) -> Image:
    """Images after a chain of operations, with no rounding between them.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        chain: As on the command line, "stretch, unsharp:alpha=0.7"; `imrep edit --help` lists the
            operations. Each is also a function, such as `imrep.edit.unsharp`. A parameter that is
            an image is given as a path.

    Raises:
        UnknownName: An operation does not exist.
        BadParameter: A parameter does not exist or is out of its range; or the chain packs or
            unpacks, which `imrep.pack` and `imrep.unpack` do.
        BadImage: An operation refuses the image.

    Example:
        >>> apply_edits(torch.rand(1, 3, 32, 48), "stretch, blur:sigma=1").shape
        torch.Size([1, 3, 32, 48])
    """
    steps = Chain(chain)
    if steps.packs or steps.unpacks:
        raise BadParameter(
            f"apply_edits needs operations from images to images, got {chain!r}. "
            "Use imrep.pack and imrep.unpack."
        )
    return steps.apply(image)


def edited(image: Image, chain: str) -> Any:
    """The old name of `apply_edits`, which also packs and unpacks; dropped by the next release."""
    warnings.warn(
        "edited is called apply_edits now; packing is imrep.pack. The next release drops edited.",
        FutureWarning,
        stacklevel=2,
    )
    return Chain(chain).apply(image)


class Chain:
    """Operations in order, and the additional images they take, which are read once.

    Args:
        text: As it is written on the command line.
        device: Where to compute.
        reading: How image files are read.

    Raises:
        UnknownName: An operation does not exist.
        BadParameter: A parameter does not exist, has another type, or is required and missing.
    """

    def __init__(self, text: str, device: str = "cpu", reading: Reading | None = None) -> None:
        self.steps: Sequence[Step] = operations.parse(text)
        self.device = device
        self.reading = reading or Reading()
        self._images: dict[str, Original] = {}
        for before, after in itertools.pairwise(step.operation for step in self.steps):
            if before.gives != after.takes:
                raise BadParameter(
                    f"{after.name} needs {TYPES[after.takes]}, got {TYPES[before.gives]} from "
                    f"{before.name}. Put compress last and decode first."
                )

    @property
    def spec(self) -> str:
        """The chain as text, with every parameter given."""
        return ", ".join(step.spec for step in self.steps)

    @property
    def slug(self) -> str:
        """For the name of a file: the operations without their parameters."""
        return "-".join(step.operation.name for step in self.steps)

    @property
    def unpacks(self) -> bool:
        """Whether it begins with a packed image."""
        return self.steps[0].operation.takes == "Packed"

    @property
    def packs(self) -> bool:
        """Whether it ends with a packed image."""
        return self.steps[-1].operation.gives == "Packed"

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Paths of the additional images."""
        return tuple(path for step in self.steps for path in step.images.values())

    def apply(self, image: Image | Packed) -> Any:
        """The result of the last step on images (b, 1|3, h, w), or on a packed image.

        Raises:
            BadParameter: The first step takes a packed image and this is none, or vice versa.
        """
        if self.unpacks != isinstance(image, Packed):
            first = self.steps[0].operation
            type_ = TYPES["Packed" if isinstance(image, Packed) else "Image"]
            raise BadParameter(f"{first.name} needs {TYPES[first.takes]}, got {type_}.")
        with parallel.one_thread():  # images and strips are shared among threads instead
            if self.packs or not isinstance(image, Tensor) or image.ndim != 4 or len(image) < 2:
                return self._apply_steps(image)
            return torch.cat(each(self._apply_steps, image.split(1), image))

    def _apply_steps(self, image: Any) -> Any:
        for step in self.steps:
            image = self.step(step, image)
        return image

    def step(self, step: Step, image: Any, original: Original | None = None) -> Any:
        """The result of one step.

        Args:
            step: One of `steps`.
            image: Its input.
            original: The file that the input comes from: additional images are converted to its
                colours and units.
        """
        additional = {
            name: self._image(path, original or Original(image)).to(image)
            for name, path in step.images.items()
        }
        params = {**step.params, **additional}
        function, name = step.operation.load(), step.operation.name
        if original is None or original.samples.common or step.operation.gives != "Image":
            return function(image, **params)
        return float_range.apply_unclipped(function, name, image, params)

    def original(self, source: str | Path | bytes) -> Original:
        """The image in a file, in its own colours."""
        return images.original(
            source,
            max_pixels=self.reading.max_pixels,
            data_range=self.reading.data_range,
            own_scale=True,
        )

    def _image(self, path: str, original: Original) -> Image:
        """In the edited image's colours and units where the file states them, else in sRGB."""
        if path not in self._images:
            self._images[path] = self.original(path)
        additional = self._images[path]
        if not additional.samples.stated:
            # Back to the file's own numbers, and from these to the scale of the edited image.
            black, white = original.samples.black, original.samples.white
            numbers = additional.pixels * (additional.samples.white - additional.samples.black)
            return (numbers + additional.samples.black - black) / (white - black)
        same = (additional.profile, additional.encoding) == (original.profile, original.encoding)
        return additional.pixels if same else images.read(path, **self.reading.keywords)
