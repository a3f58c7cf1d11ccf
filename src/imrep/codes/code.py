"""The base of all kinds of code."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import Tensor

from imrep.types import Vectors

_LABELS = 4  # more of them than this are counted in a repr, not listed


@dataclass(frozen=True, repr=False)
class Code:
    """Base of all kinds. Fields are tensors, tuples of tensors or of codes, or plain metadata."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name; members of a tuple become `name.0`, `name.1`."""
        tensors: dict[str, Tensor] = {}
        for field in fields(self):
            tensors |= _tensors(field.name, getattr(self, field.name))
        return tensors

    def map(self, f: Callable[[Tensor], Tensor]) -> "Code":
        """The same code with `f` applied to every tensor."""
        return replace(
            self, **{field.name: _apply(f, getattr(self, field.name)) for field in fields(self)}
        )

    def __len__(self) -> int:
        return len(next(iter(self.tensors().values())))

    def __getitem__(self, which: slice) -> "Code":
        return self.map(lambda t: t[which])

    def __repr__(self) -> str:
        """The kind, and the type and shape of each tensor; fields at None or empty are left out."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        parts = [f"{name}={_summary(value)}" for name, value in pairs if not _empty(value)]
        return f"{type(self).__name__}({', '.join(parts)})"

    def pool(self, cells: int = 2) -> Vectors:
        """One vector per image whatever the image's size. Each kind says how."""
        raise TypeError(f"{type(self).__name__} is a base of codes and has no pooling")


def _summary(value: Any) -> str:
    """A field of a code as text: a tensor as `float32[2, 3, 8, 8]`."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, tuple):
        if len(value) > _LABELS and all(isinstance(label, str) for label in value):
            return f"({len(value)} labels)"
        return f"({', '.join(map(_summary, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, tuple) and not value)


def _tensors(name: str, value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {name: value}
    if isinstance(value, Code):
        return {f"{name}.{key}": tensor for key, tensor in value.tensors().items()}
    if isinstance(value, tuple):
        parts = [_tensors(f"{name}.{i}", part) for i, part in enumerate(value)]
        return {key: tensor for part in parts for key, tensor in part.items()}
    return {}


def _apply(f: Callable[[Tensor], Tensor], value: Any) -> Any:
    if isinstance(value, Tensor):
        return f(value)
    if isinstance(value, Code):
        return value.map(f)
    if isinstance(value, tuple):
        return tuple(_apply(f, part) for part in value)
    return value
