"""Modules and functions of others as representations, and one way to take either, or a spec."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imrep import checks
from imrep.base import Representation
from imrep.codes import Vector
from imrep.datasets import Item
from imrep.errors import BadParameter, short_repr
from imrep.registry import catalog
from imrep.registry.cards import Card
from imrep.types import Image

OBJECT = "object-"  # with what the fingerprints of objects begin; they are those of one process


class Wrapped(Representation[Vector]):
    """A module or function that turns images (b, 3, h, w), values in [0, 1], into vectors (b, d).

    It has no spec from which it could be built again, and nothing of it is cached: the fingerprint
    is that of this object in this process.

    Args:
        function: The module or function. A module is set to evaluation.
    """

    card = Card(title="An object of the caller's", family="object", cite="", differentiable=False)
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
        """What the function gives, as vectors (b, d).

        Raises:
            BadParameter: It gives something else.
        """
        found = self.function(checks.image(image, self.label))
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(image):
            came = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise BadParameter(
                f"{self.label} needs to give vectors ({len(image)}, d) for {len(image)} images, "
                f"got {came}. Pool and flatten inside it."
            )
        return Vector(found.to(image))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The function alone."""
        return {"function": self.function}

    def extra_repr(self) -> str:
        return self.label


class Ready(Representation[Vector]):
    """Vectors that were made elsewhere, one for each of some pictures.

    Args:
        label: What tables call it.
        paths: The pictures' paths, as the data set names them or as files.
        vectors: (n, d), finite numbers.

    Raises:
        BadParameter: There is not one vector for each path, or a number is not finite.
    """

    card = Card(title="Vectors made elsewhere", family="object", cite="", differentiable=False)
    name = "ready"

    def __init__(self, label: str, paths: Sequence[str | Path], vectors: Any) -> None:
        super().__init__()
        held = vectors.detach().cpu().numpy() if isinstance(vectors, Tensor) else vectors
        try:
            array = np.asarray(held, np.float32)
        except (TypeError, ValueError) as error:
            raise BadParameter(
                f"{label} needs vectors ({len(paths)}, d) of numbers, got {short_repr(vectors)}. "
                "Give (paths, array)."
            ) from error
        if array.ndim != 2 or len(array) != len(paths):
            raise BadParameter(
                f"{label} needs vectors ({len(paths)}, d), one for each path, got {array.shape}."
            )
        if not np.isfinite(array).all():
            raise BadParameter(
                f"{label} needs finite vectors, got NaN or infinity. Leave them out."
            )
        self.label = label
        self.vectors = array
        self.rows = {Path(path).as_posix(): row for row, path in enumerate(paths)}
        digest = hashlib.blake2b(array.tobytes(), digest_size=6)
        digest.update("\n".join(self.rows).encode(errors="surrogateescape"))
        self._fingerprint = f"{OBJECT}{digest.hexdigest()}"

    @property
    def spec(self) -> str:
        """The label; no spec that `get` takes."""
        return self.label

    @property
    def fingerprint(self) -> str:
        """Of the vectors and paths."""
        return self._fingerprint

    def of(self, items: Sequence[Item]) -> np.ndarray:
        """The vectors of these pictures, float32 (n, d).

        Raises:
            BadParameter: One of them has none.
        """
        rows = [self._row(item) for item in items]
        lacking = [item.path for item, row in zip(items, rows, strict=True) if row is None]
        if lacking:
            raise BadParameter(
                f"{self.label} needs a vector for every picture, got none for {len(lacking):,} of "
                f"{len(items):,}, the first {lacking[0]!r}. Give theirs, or leave the pictures out."
            )
        return np.asarray(self.vectors[np.array(rows, np.int64)])

    def encode(self, image: Image) -> Vector:
        """Never: other pictures have no vector.

        Raises:
            BadParameter: Always.
        """
        raise BadParameter(f"{self.label} needs pictures that it has vectors of, got others.")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """None: it is built from vectors."""
        return {}

    def _row(self, item: Item) -> int | None:
        names = [item.path] if item.file is None else [item.path, item.file.as_posix()]
        found = (self.rows.get(name) for name in names)
        return next((row for row in found if row is not None), self._by_file(item))

    def _by_file(self, item: Item) -> int | None:
        return None if item.file is None else self._files.get(item.file.resolve())

    @cached_property
    def _files(self) -> dict[Path, int]:
        return {Path(path).resolve(): row for path, row in self.rows.items()}


def resolve(given: object, who: str) -> Representation:
    """A representation from a spec, an instance, or a module or function from images to vectors.

    Args:
        given: The spec or object.
        who: Who asks, for the message.

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, or the object is none of these.
    """
    if isinstance(given, str):
        return catalog.get(given)
    if isinstance(given, Representation):
        return given
    if isinstance(given, type):
        raise BadParameter(
            f"{who} needs a representation, got the class {given.__name__}. Build it: "
            f"{given.__name__}()."
        )
    if isinstance(given, nn.Module) or callable(given):
        return Wrapped(given)
    raise BadParameter(
        f"{who} needs a spec, a representation, or a module or function from images to vectors, "
        f"got {type(given).__name__}. Try 'hog'."
    )


def typable(rep: Representation) -> bool:
    """Whether the representation's spec, typed elsewhere, builds the same one."""
    try:
        return catalog.get(rep.spec).fingerprint == rep.fingerprint
    except Exception:  # whatever building it raises, it cannot be typed
        return False
