"""Checks of codes: their kind, and the types, shapes and values of their tensors.

Each kind of code declares the axes of its fields in annotations; these are read here, so that one
check serves all kinds. What depends on a representation's parameters (number of channels, of rows)
it checks itself, in `check_code`.
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
_MAX_EXTENT = 1e6  # pixels, of a keypoint
_TOLERANCE = 1e-3  # rounding
_REMEDY = "Use the code that encode gave."


def checked(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose argument `code` is checked before the call."""

    @functools.wraps(method)
    def inner(representation: Any, code: Any, *args: Any, **options: Any) -> Any:
        if torch.compiler.is_compiling():  # reading the values would break the graph
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
    """The kind of code in a class's base, as in `Representation[Map]`; None if there is none."""
    bases = cls.__dict__.get("__orig_bases__", ())
    arguments = [argument for base in bases for argument in get_args(base)]
    return next((a for a in arguments if isinstance(a, type) and issubclass(a, Code)), None)


def takes_a_code(name: str, member: Any) -> bool:
    """Whether it is a public method whose first argument is `code`, except `check_code` itself."""
    if name.startswith("_") or name == "check_code" or not inspect.isfunction(member):
        return False
    return inspect.getfullargspec(inspect.unwrap(member)).args[1:2] == ["code"]


def same_images(code: Code, image: Tensor, caller: str) -> None:
    """Refuse images whose number or size differs from those that a code came from.

    Raises:
        BadImage: With both sizes.
    """
    checks.image(image, caller, linear=True)
    height, width = getattr(code, "size", None) or image.shape[2:]
    if (len(image), *image.shape[2:]) != (len(code), height, width):
        raise BadImage(
            f"{caller} needs the image of the code to draw it over, {len(code)} of "
            f"{height}×{width}, got {len(image)} of {image.shape[2]}×{image.shape[3]}. "
            "Give the image that was encoded, or none."
        )


def structure(code: Any, kind: type[Code], caller: str) -> None:
    """Refuse what is no code of this kind, or whose tensors do not fit together.

    Args:
        code: Candidate.
        kind: The kind that it must be.
        caller: The name that messages start with.

    Raises:
        BadCode: With the field, what it needs and what it holds.
    """
    if not isinstance(code, kind):
        raise BadCode(f"{caller} needs a {kind.__name__}, got {type(code).__name__}. {_REMEDY}")
    axes: dict[str, int] = {}
    for field in fields(code):
        value, (tensor, optional) = getattr(code, field.name), _annotated(cast(Any, field.type))
        if field.name == "size" and not _is_size(value, optional):
            raise BadCode(f"{caller} needs size as (height, width), got {value!r}. {_REMEDY}")
        if tensor is None or (value is None and optional):
            continue
        parts = value if isinstance(value, tuple) else (value,)
        for i, part in enumerate(parts):
            name = f"{field.name}[{i}]" if isinstance(value, tuple) else field.name
            _check_tensor(part, name, tensor, axes, caller)


def views(code: Views, representations: Sequence[Any], caller: str) -> None:
    """Refuse codes that are not one of each representation, all of the same images.

    Raises:
        BadCode: With what is needed and what was given.
    """
    if len(code.codes) != len(representations):
        raise BadCode(
            f"{caller} needs {len(representations)} codes, got {len(code.codes)}. {_REMEDY}"
        )
    for representation, part in zip(representations, code.codes, strict=True):
        structure(part, representation._code_kind, representation.name)
        representation.check_code(part)
    if len({len(part) for part in code.codes}) > 1:
        counts = ", ".join(str(len(part)) for part in code.codes)
        raise BadCode(
            f"{caller} needs codes of the same images, got batches of {counts}. {_REMEDY}"
        )


def numbers(code: Code, caller: str) -> None:
    """Refuse a code that holds NaN or infinity, or positions outside the image.

    Raises:
        BadCode: With the tensor's name.
    """
    for name, tensor in code.tensors().items():
        real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
        if not real.is_floating_point() or not real.numel():
            continue
        extremes = torch.stack(torch.aminmax(real.detach()))
        if not bool(extremes.isfinite().all()):
            value = "NaN" if bool(extremes.isnan().any()) else "infinity"
            raise BadCode(
                f"{caller} needs finite numbers, got {value} in {_indexed(name)}. "
                "Encode again, or try code.map(torch.nan_to_num)."
            )
    for name, tensor, low, high in _bounded(code):
        minimum, maximum = (float(end) for end in torch.aminmax(tensor.detach()))
        if minimum < low or maximum > high:
            raise BadCode(
                f"{caller} needs {name} from {low:g} to {high:g}, "
                f"got {minimum:.4g} to {maximum:.4g}. {_REMEDY}"
            )


def maps(values: Tensor, caller: str, channels: Sequence[int], size: Sequence[int]) -> None:
    """Refuse maps (batch, channel, height, width) of another number or size.

    Args:
        values: Candidate.
        caller: The name that messages start with.
        channels: The numbers of channels allowed.
        size: Required height and width.

    Raises:
        BadCode: With both numbers and sizes.
    """
    if values.shape[1] not in channels or tuple(values.shape[2:]) != tuple(size):
        count = " or ".join(map(str, dict.fromkeys(channels)))
        raise BadCode(
            f"{caller} needs {count} maps of {size[0]}×{size[1]}, got {values.shape[1]} of "
            f"{values.shape[2]}×{values.shape[3]}. Use the parameters that encoded."
        )


def columns(values: Tensor, caller: str, count: int) -> None:
    """Refuse rows (batch, …, number) that do not hold `count` numbers.

    Raises:
        BadCode: With both counts.
    """
    if values.shape[-1] != count:
        raise BadCode(
            f"{caller} needs {count} numbers in each row of values, got {values.shape[-1]}. "
            "Use the parameters that encoded."
        )


def _bounded(code: Code) -> Iterator[tuple[str, Tensor, float, float]]:
    """Fields that are positions, with their minimum and maximum."""
    if isinstance(code, Points) and code.present.any():
        x, y = code.xy[code.present].unbind(-1)
        yield from (("x", x, -1, code.size[1]), ("y", y, -1, code.size[0]))
        yield "extent", code.extent[code.present], 0, _MAX_EXTENT
        yield "angle", code.angle[code.present], -360, 360
    if isinstance(code, Grid):
        yield "guide", code.guide, -_TOLERANCE, 1 + _TOLERANCE


def _check_tensor(value: Any, name: str, kind: Any, axes: dict[str, int], caller: str) -> None:
    """Check the type, then the axes; `axes` collects the length of each named one."""
    if not isinstance(value, Tensor):
        raise BadCode(f"{caller} needs {name} as a tensor, got {type(value).__name__}. {_REMEDY}")
    names = kind.dim_str.split() if kind is not Tensor else ["batch", *["_"] * (value.ndim - 1)]
    if not value.ndim or len(names) != value.ndim:
        required = ", ".join(names) or "batch, …"
        raise BadCode(f"{caller} needs {name} ({required}), got {tuple(value.shape)}. {_REMEDY}")
    _check_type(value, name, kind, caller)
    for axis, length in zip(names, value.shape, strict=True):
        if axis != "_" and axes.setdefault(axis, length) != length:
            raise BadCode(
                f"{caller} needs {name} with {axis} of {axes[axis]} like the others, got {length} "
                f"in {tuple(value.shape)}. {_REMEDY}"
            )
        if axis == "channel" and not length:
            raise BadCode(f"{caller} needs {name} of at least one channel, got none. {_REMEDY}")
    if not len(value):
        raise BadCode(
            f"{caller} needs the code of at least one image, got an empty batch. {_REMEDY}"
        )


def _check_type(value: Tensor, name: str, kind: Any, caller: str) -> None:
    if kind is Tensor:
        allowed = value.dtype in (*DTYPES, *_COMPLEX)
        required = "float32, float64 or complex numbers"
    elif "bool" in kind.dtypes:
        allowed, required = value.dtype == torch.bool, "torch.bool"
    elif any(name.startswith("int") for name in kind.dtypes):
        integer = not value.is_floating_point() and not value.is_complex()
        allowed, required = integer and value.dtype != torch.bool, "whole numbers"
    else:
        allowed, required = value.dtype in DTYPES, "float32 or float64"
    if not allowed:
        raise BadCode(f"{caller} needs {required} in {name}, got {value.dtype}. {_REMEDY}")


@functools.cache
def _annotated(annotation: Any) -> tuple[Any, bool]:
    """The tensor annotation of a field, if any, and whether it may be None."""
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
    """`bands.0` in Python's notation, `bands[0]`."""
    return re.sub(r"\.(\d+)", r"[\1]", name)
