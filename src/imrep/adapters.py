"""Representations from a spec, an instance, a module or function, or vectors made elsewhere."""

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imrep import checks, factory, weights
from imrep.base import Representation
from imrep.codes import Vector
from imrep.errors import BadParameter, short_repr
from imrep.io.digests import digest
from imrep.registry.cards import Card
from imrep.types import Image

OWN = "object"  # family of what the user brings
OBJECT = "object-"  # prefix of the fingerprints of objects, which hold in one process


class Wrapped(Representation[Vector]):
    """A module or function that turns images (b, 3, h, w), values in [0, 1], into vectors (b, d).

    No spec builds it again, and nothing of it is cached: its fingerprint is that of this object in
    this process.

    Args:
        function: The module or function. A module is set to evaluation.
    """

    card = Card(title="An object of the caller's", family=OWN, cite="", differentiable=False)
    name = "object"

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.label = getattr(function, "__name__", "") or type(function).__name__
        self.label = "function" if self.label == "<lambda>" else self.label
        self._fingerprint = f"{OBJECT}{uuid.uuid4().hex[:12]}"
        self.eval()

    @property
    def spec(self) -> str:
        """The name of the module's class, or of the function; no spec that `get` takes."""
        return self.label

    @property
    def fingerprint(self) -> str:
        """Of this object in this process."""
        return self._fingerprint

    def encode(self, image: Image) -> Vector:
        """The vectors (b, d) that the function returns.

        Raises:
            BadParameter: It returns something else.
        """
        vectors = self.function(checks.image(image, self.label))
        if isinstance(vectors, np.ndarray):
            vectors = torch.from_numpy(vectors)
        if not isinstance(vectors, Tensor) or vectors.ndim != 2 or len(vectors) != len(image):
            shape = tuple(vectors.shape) if isinstance(vectors, Tensor) else type(vectors).__name__
            raise BadParameter(
                f"{self.label} needs to give vectors ({len(image)}, d) for {len(image)} images, "
                f"got {shape}. Pool and flatten inside it."
            )
        return Vector(vectors.to(image))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The function alone."""
        return {"function": self.function}

    def extra_repr(self) -> str:
        return self.label


class MadeOutside(Representation[Vector]):
    """Vectors that were made elsewhere, one for each image of a comparison.

    Args:
        label: Its name in tables.
        vectors: float32 (n, d), in the order of the images.
        ms: Milliseconds an image, as their maker states it; None where nobody knows.
    """

    card = Card(title="Vectors made elsewhere", family=OWN, cite="", differentiable=False)
    name = "outside"

    def __init__(self, label: str, vectors: np.ndarray, ms: float | None = None) -> None:
        super().__init__()
        self.label, self.vectors, self.ms = label, vectors, ms

    @property
    def spec(self) -> str:
        """The label; no spec that `get` takes."""
        return self.label

    @property
    def fingerprint(self) -> str:
        """Of the vectors in their order."""
        return f"outside-{digest(self.vectors.tobytes(), str(self.vectors.shape), size=10)}"

    def encode(self, image: Image) -> Vector:
        """Never: other images have no vector.

        Raises:
            BadParameter: Always.
        """
        raise BadParameter(f"{self.label} needs images that it has vectors of, got others.")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """None: it is built from vectors."""
        return {}


def resolve(value: object, caller: str, *, download: bool = False) -> Representation:
    """A representation from a spec, an instance, or a module or function from images to vectors.

    Args:
        value: The spec or object.
        caller: The name that an error message starts with.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, or the object is none of these.
        WeightsNeeded: Its weights are not on this machine, and `download` is false.
    """
    if isinstance(value, str):
        with weights.allow_download() if download else nullcontext():
            return factory.get(value)
    if isinstance(value, Representation):
        return value
    if isinstance(value, type):
        raise BadParameter(
            f"{caller} needs a representation, got the class {value.__name__}. Build it: "
            f"{value.__name__}()."
        )
    if isinstance(value, nn.Module) or callable(value):
        return Wrapped(value)
    raise BadParameter(
        f"{caller} needs a spec, a representation, or a module or function from images to vectors, "
        f"got {short_repr(value)}. Try 'hog'."
    )


def typable(rep: Representation) -> bool:
    """Whether the representation's spec builds the same one anywhere."""
    try:
        return factory.get(rep.spec).fingerprint == rep.fingerprint
    except Exception:  # whatever building it raises, the spec does not build it
        return False
