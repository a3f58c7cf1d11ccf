"""Whether a code can be used: its kind, and the types, shapes and values of its tensors.

Each kind of code says in its annotations which axes a field has; these are read here, so that one
check serves all kinds. What a representation's parameters add (how many channels, how many rows)
it says itself, in `check_code`.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any, cast, get_args

import torch
from jaxtyping import AbstractArray
from torch import Tensor

from imrep import checks
from imrep.checks import DTYPES
from imrep.codes import Code, Grid, Points, Views
from imrep.errors import BadCode, BadImage

_COMPLEX = (torch.complex64, torch.complex128)
_WIDEST = 1e6  # pixels: no keypoint is larger
_SLACK = 1e-3  # rounding
_REMEDY = "Use the code that encode gave."


def checked(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that takes a code, which is checked before."""

    @functools.wraps(method)
    def inner(representation: Any, code: Any, *args: Any, **options: Any) -> Any:
        if torch.compiler.is_compiling():  # a look at the values would break the graph
            return method(representation, code, *args, **options)
        representation._check_all(code)
        if method.__name__ == "picture":
            image = options.get("image", args[0] if args else None)
            if image is not None:
                same_images(code, image, representation.name)
        return method(representation, code, *args, **options)

    inner.unchecked = method  # type: ignore[attr-defined]
    return inner


def kind(cls: type) -> type[Code] | None:
    """The code that a class names in its base, as in `Representation[Map]`; None if it does not."""
    named = [found for base in cls.__dict__.get("__orig_bases__", ()) for found in get_args(base)]
    return next((k for k in named if isinstance(k, type) and issubclass(k, Code)), None)


def takes_a_code(name: str, member: Any) -> bool:
    """Whether it is a public method whose first argument is `code`; `check_code` is the check."""
    if name.startswith("_") or name == "check_code" or not inspect.isfunction(member):
        return False
    return inspect.getfullargspec(inspect.unwrap(member)).args[1:2] == ["code"]


def same_images(code: Code, image: Tensor, who: str) -> None:
    """Refuse what is no batch of images, or not as many and as large as a code came from.

    Raises:
        BadImage: Naming both.
    """
    checks.image(image, who, linear=True)
    height, width = getattr(code, "size", None) or image.shape[2:]
    if (len(image), *image.shape[2:]) != (len(code), height, width):
        raise BadImage(
            f"{who} needs the image of the code to draw it over, {len(code)} of {height}×{width}, "
            f"got {len(image)} of {image.shape[2]}×{image.shape[3]}. Give the image that was "
            "encoded, or none."
        )


def structure(code: Any, kind: type[Code], who: str) -> None:
    """Refuse what is no code of this kind, or one whose tensors do not fit together.

    Args:
        code: Candidate.
        kind: Which it must be.
        who: Name to blame.

    Raises:
        BadCode: Naming the field, what it needs and what it holds.
    """
    if not isinstance(code, kind):
        raise BadCode(f"{who} needs a {kind.__name__}, got {type(code).__name__}. {_REMEDY}")
    axes: dict[str, int] = {}
    for field in fields(code):
        value, (tensor, optional) = getattr(code, field.name), _annotated(cast(Any, field.type))
        if field.name == "size" and not _is_size(value, optional):
            raise BadCode(f"{who} needs size as (height, width), got {value!r}. {_REMEDY}")
        if tensor is None or (value is None and optional):
            continue
        parts = value if isinstance(value, tuple) else (value,)
        for i, part in enumerate(parts):
            name = f"{field.name}[{i}]" if isinstance(value, tuple) else field.name
            _check_tensor(part, name, tensor, axes, who)


def views(code: Views, representations: Sequence[Any], who: str) -> None:
    """Refuse codes that are not one of each representation, all of the same images.

    Raises:
        BadCode: Naming what is needed and what came.
    """
    if len(code.codes) != len(representations):
        raise BadCode(f"{who} needs {len(representations)} codes, got {len(code.codes)}. {_REMEDY}")
    for representation, part in zip(representations, code.codes, strict=True):
        structure(part, representation._code_kind, representation.name)
        representation.check_code(part)
    if len({len(part) for part in code.codes}) > 1:
        counts = ", ".join(str(len(part)) for part in code.codes)
        raise BadCode(f"{who} needs codes of the same images, got batches of {counts}. {_REMEDY}")


def numbers(code: Code, who: str) -> None:
    """Refuse a code that holds NaN or infinity, or positions that are not in the image.

    Raises:
        BadCode: Naming the tensor.
    """
    for name, tensor in code.tensors().items():
        real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
        if not real.is_floating_point() or not real.numel():
            continue
        extremes = torch.stack(torch.aminmax(real.detach()))
        if not bool(extremes.isfinite().all()):
            bad = "NaN" if bool(extremes.isnan().any()) else "infinity"
            raise BadCode(
                f"{who} needs finite numbers, got {bad} in {_indexed(name)}. "
                "Encode again, or try code.map(torch.nan_to_num)."
            )
    for name, tensor, low, high in _bounded(code):
        least, greatest = (float(end) for end in torch.aminmax(tensor.detach()))
        if least < low or greatest > high:
            raise BadCode(
                f"{who} needs {name} from {low:g} to {high:g}, got {least:.4g} to {greatest:.4g}. "
                f"{_REMEDY}"
            )


def maps(values: Tensor, who: str, channels: Sequence[int], size: Sequence[int]) -> None:
    """Refuse maps (batch, channel, height, width) of another number or size.

    Args:
        values: Candidate.
        who: Name to blame.
        channels: How many there may be.
        size: Height and width that they must have.

    Raises:
        BadCode: Naming both.
    """
    if values.shape[1] not in channels or tuple(values.shape[2:]) != tuple(size):
        count = " or ".join(map(str, dict.fromkeys(channels)))
        raise BadCode(
            f"{who} needs {count} maps of {size[0]}×{size[1]}, got {values.shape[1]} of "
            f"{values.shape[2]}×{values.shape[3]}. Use the parameters that encoded."
        )


def columns(values: Tensor, who: str, count: int) -> None:
    """Refuse rows of numbers (batch, …, number) that hold more or fewer.

    Raises:
        BadCode: Naming both.
    """
    if values.shape[-1] != count:
        raise BadCode(
            f"{who} needs {count} numbers in each row of values, got {values.shape[-1]}. "
            "Use the parameters that encoded."
        )


def _bounded(code: Code) -> Iterator[tuple[str, Tensor, float, float]]:
    """Fields that are positions, with the least and the greatest value that they may have."""
    if isinstance(code, Points) and code.present.any():
        x, y = code.xy[code.present].unbind(-1)
        yield from (("x", x, -1, code.size[1]), ("y", y, -1, code.size[0]))
        yield "extent", code.extent[code.present], 0, _WIDEST
        yield "angle", code.angle[code.present], -360, 360
    if isinstance(code, Grid):
        yield "guide", code.guide, -_SLACK, 1 + _SLACK


def _check_tensor(value: Any, name: str, kind: Any, axes: dict[str, int], who: str) -> None:
    """Type, then axes; `axes` collects how long each named one is."""
    if not isinstance(value, Tensor):
        raise BadCode(f"{who} needs {name} as a tensor, got {type(value).__name__}. {_REMEDY}")
    names = kind.dim_str.split() if kind is not Tensor else ["batch", *["_"] * (value.ndim - 1)]
    if not value.ndim or len(names) != value.ndim:
        wanted = ", ".join(names) or "batch, …"
        raise BadCode(f"{who} needs {name} ({wanted}), got {tuple(value.shape)}. {_REMEDY}")
    _check_type(value, name, kind, who)
    for axis, length in zip(names, value.shape, strict=True):
        if axis != "_" and axes.setdefault(axis, length) != length:
            raise BadCode(
                f"{who} needs {name} with {axis} of {axes[axis]} like the others, got {length} "
                f"in {tuple(value.shape)}. {_REMEDY}"
            )
        if axis == "channel" and not length:
            raise BadCode(f"{who} needs {name} of at least one channel, got none. {_REMEDY}")
    if not len(value):
        raise BadCode(f"{who} needs the code of at least one image, got an empty batch. {_REMEDY}")


def _check_type(value: Tensor, name: str, kind: Any, who: str) -> None:
    if kind is Tensor:
        allowed, wanted = value.dtype in (*DTYPES, *_COMPLEX), "float32, float64 or complex numbers"
    elif "bool" in kind.dtypes:
        allowed, wanted = value.dtype == torch.bool, "torch.bool"
    elif any(name.startswith("int") for name in kind.dtypes):
        whole = not value.is_floating_point() and not value.is_complex()
        allowed, wanted = whole and value.dtype != torch.bool, "whole numbers"
    else:
        allowed, wanted = value.dtype in DTYPES, "float32 or float64"
    if not allowed:
        raise BadCode(f"{who} needs {wanted} in {name}, got {value.dtype}. {_REMEDY}")


@functools.cache
def _annotated(annotation: Any) -> tuple[Any, bool]:
    """The tensor that a field is annotated with, if any, and whether it may be None."""
    choices = get_args(annotation) or (annotation,)
    optional = type(None) in choices
    tensors = [choice for choice in choices if _is_tensor(choice)]
    return (tensors[0] if tensors else None), optional


def _is_tensor(annotation: Any) -> bool:
    return annotation is Tensor or (
        isinstance(annotation, type) and issubclass(annotation, AbstractArray)
    )


def _is_size(value: Any, optional: bool) -> bool:
    if value is None:
        return optional
    pair = isinstance(value, tuple | list) and len(value) == 2
    return pair and all(isinstance(n, int) and n >= 1 for n in value)


def _indexed(name: str) -> str:
    """`bands.0` as it is written in Python."""
    return re.sub(r"\.(\d+)", r"[\1]", name)
