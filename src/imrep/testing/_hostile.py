"""Questions about codes, parameters and types that make no sense: refused by name, no crash."""

import copy
import inspect
import math
import warnings
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from imrep.base import Representation
from imrep.codes import Code, Map, Vector
from imrep.errors import BadCode, ImrepError, NoInverse
from imrep.testing._tools import SAME, close, embed, photo, ready, require, says_its_name

_HALF = 2e-2  # what weights may lose in half precision
_HUGE = 10**9


def poisoned_codes_are_refused_by_name(rep: Representation) -> None:
    """NaN or infinity in any tensor: BadCode that names the representation and the tensor."""
    rep = ready(rep)
    code = rep.encode(photo(batch=1))
    for name, tensor in code.tensors().items():
        if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel():
            continue
        for value in (math.nan, math.inf):
            poisoned = _changed(code, name, lambda t, value=value: _first_set(t, value))
            for method in ("pool", "invert", "picture"):
                if method == "invert" and rep.inverse == "none":
                    continue
                _refuses(rep, method, poisoned, f"{value} in {name}")


def codes_that_do_not_fit_are_refused(rep: Representation) -> None:
    """Codes of another kind, size, type or number of channels or images: imrep's own error.

    Or a finite result.
    """
    rep = ready(rep)
    for what, code in _misshapen(rep.encode(photo(batch=2))):
        for method in ("pool", "invert", "picture"):
            try:
                result = _result(rep, method, code)
            except ImrepError as error:
                if not isinstance(error, NoInverse):
                    says_its_name(rep, error)
            except Exception as error:
                raise AssertionError(
                    f"{rep.spec}.{method} raises {type(error).__name__} for a code {what}: {error}"
                ) from error
            else:
                finite = result.is_floating_point() and bool(result.isfinite().all())
                require(finite, f"{rep.spec}.{method} gives NaN or infinity for a code {what}")


def extreme_parameters_work_or_are_refused(rep: Representation) -> None:
    """NaN, infinity and 10^9: refused by imrep's own error, by the constructor or by `embed`."""
    for key, value in _extremes(rep):
        try:
            changed = copy.deepcopy(rep).set_params(**{key: value})
            if not changed.needs_fit:
                embed(changed, photo(40, 33, batch=1))
        except ImrepError as error:
            require(bool(str(error)), f"{rep.name} refuses {key}={value!r} without a word")
        except Exception as error:
            raise AssertionError(
                f"{rep.name} raises {type(error).__name__} at {key}={value!r}: {error}"
            ) from error


def its_own_type_does_not_matter(rep: Representation) -> None:
    """Moved to half or double, it gives vectors of the image's type, or imrep's own error."""
    rep = ready(rep)
    expected = embed(rep)
    for kind, within in ((torch.float16, _HALF), (torch.bfloat16, math.inf), (torch.float64, SAME)):
        moved = copy.deepcopy(rep).to(kind)
        for image in (photo(), photo().double()):
            try:
                vectors = embed(moved, image)
            except ImrepError as error:
                says_its_name(rep, error)
                continue
            same = rep.card.dtype == "float32" or vectors.dtype == image.dtype
            require(same, f"{rep.spec} as {kind} gives {vectors.dtype} for {image.dtype}")
            close(
                vectors.to(expected), expected, f"{rep.spec} embeds differently as {kind}", within
            )


def images_for_pictures_must_fit(rep: Representation) -> None:
    """An image of another size, number or type than the code's is refused, or drawn over."""
    rep = ready(rep)
    code = rep.encode(photo())
    cases: dict[str, Any] = {
        "of another size": photo(48, 80),
        "of another batch": photo(batch=3),
        "of half precision": photo().half(),
        "with NaN": photo() * math.nan,
        "as an array": photo().numpy(),
    }
    for what, image in cases.items():
        try:
            rep.picture(code, image)
        except ImrepError as error:
            says_its_name(rep, error)
        except Exception as error:
            raise AssertionError(
                f"{rep.spec}.picture raises {type(error).__name__} for an image {what}: {error}"
            ) from error


def _refuses(rep: Representation, method: str, code: Code, what: str) -> None:
    try:
        _result(rep, method, code)
    except BadCode as error:
        says_its_name(rep, error)
        require(
            "NaN" in str(error) or "infinity" in str(error),
            f"{rep.spec} blames something else: {error}",
        )
    else:
        raise AssertionError(f"{rep.spec}.{method} accepts a code with {what}")


def _result(rep: Representation, method: str, code: Any) -> Tensor:
    """What a method returns for a code; an inverse that iterates takes two steps."""
    call = getattr(rep, method)
    options = {"iterations": 2} if "iterations" in inspect.signature(call).parameters else {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of an unfinished iteration
        return call(code, **options)


def _misshapen(code: Code) -> Iterator[tuple[str, Any]]:
    """Codes that no image has, and what is wrong with each, as a phrase after "a code"."""
    yield (
        "of another kind",
        Map(torch.rand(2, 2, 3, 3), (3, 3))
        if isinstance(code, Vector)
        else Vector(torch.rand(2, 9)),
    )
    yield "that is a tensor", torch.rand(2, 3, 8, 8)
    yield "of no image", code.map(lambda t: t[:0])
    yield "of whole numbers", code.map(lambda t: t.real.long())
    yield "of half precision", code.map(lambda t: t.half() if t.is_floating_point() else t)
    yield "of zeros", code.map(torch.zeros_like)
    yield "a million times as large", code.map(lambda t: t if t.dtype == torch.bool else 10**6 * t)
    yield "negated", code.map(lambda t: t if t.dtype == torch.bool else -t)
    yield "without its last numbers", code.map(lambda t: t[..., :-1] if t.ndim > 1 else t)
    yield "without its first channel", code.map(lambda t: t[:, 1:] if t.ndim > 1 else t)
    yield "with another axis", code.map(lambda t: t[..., None])
    yield "without its last axis", code.map(lambda t: t[..., 0] if t.ndim > 1 else t)
    for name in code.tensors():
        yield f"whose {name} has one image only", _changed(code, name, lambda t: t[:1])
        yield f"without {name}", _changed(code, name, lambda t: None)
    yield from _metadata(code)


def _metadata(code: Code) -> Iterator[tuple[str, Any]]:
    """Other sizes, and tuples that are too short."""
    for field in fields(code):
        value = getattr(code, field.name)
        if field.name == "size" and value:
            for size in ((value[0] + 8, value[1]), (value[1] + 1, value[0]), (0, 0), None, "64×64"):
                yield f"of size {size}", replace(code, **{field.name: size})
        if isinstance(value, tuple) and value and not isinstance(value[0], int | str):
            yield f"with one of its {field.name}", replace(code, **{field.name: value[:1]})
            yield f"with none of its {field.name}", replace(code, **{field.name: ()})


def _changed(code: Code, name: str, f: Any) -> Code:
    """The code with one of its tensors changed."""
    field, dot, remainder = name.partition(".")
    value = getattr(code, field)
    if not dot:
        return replace(code, **{field: f(value)})
    index, _, inner = remainder.partition(".")
    parts = list(value)
    part = parts[int(index)]
    parts[int(index)] = _changed(part, inner, f) if inner else f(part)
    return replace(code, **{field: tuple(parts)})


def _first_set(tensor: Tensor, value: float) -> Tensor:
    changed = tensor.detach().clone(memory_format=torch.contiguous_format)
    changed.view(-1)[0] = value
    return changed


def _extremes(rep: Representation) -> Iterator[tuple[str, Any]]:
    for key, value in rep.get_params(deep=False).items():
        annotation = str(rep._signature()[key].annotation)
        if isinstance(value, bool) or "bool" in annotation:
            continue
        if "int" in annotation:
            yield from ((key, _HUGE), (key, -_HUGE))
        if "float" in annotation:
            yield from ((key, v) for v in (math.nan, math.inf, -math.inf, 1e30, 1e-30))
