"""What is asked of codes, parameters and types that make no sense: a refusal by name, no crash."""

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
from imrep.testing._tools import SAME, close, embed, hold, names, photo, ready

_HALF = 2e-2  # what weights may lose in half precision
_HUGE = 10**9


def poisoned_codes_are_refused_by_name(rep: Representation) -> None:
    """NaN or infinity in any tensor: BadCode that names the representation and the tensor."""
    rep = ready(rep)
    code = rep.encode(photo(batch=1))
    for name, tensor in code.tensors().items():
        if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel():
            continue
        for bad in (math.nan, math.inf):
            poisoned = _changed(code, name, lambda t, bad=bad: _one_set(t, bad))
            for what in ("pool", "invert", "picture"):
                if what == "invert" and rep.inverse == "none":
                    continue
                _refuses(rep, what, poisoned, f"{bad} in {name}")


def codes_that_do_not_fit_are_refused(rep: Representation) -> None:
    """Of another kind, size, type, number of channels or images: imrep's own error, or an answer.

    An answer must be finite.
    """
    rep = ready(rep)
    for what, code in _misshapen(rep.encode(photo(batch=2))):
        for method in ("pool", "invert", "picture"):
            try:
                made = _answer(rep, method, code)
            except ImrepError as error:
                if not isinstance(error, NoInverse):
                    names(rep, error)
            except Exception as error:
                raise AssertionError(
                    f"{rep.spec}.{method} raises {type(error).__name__} for a code {what}: {error}"
                ) from error
            else:
                good = made.is_floating_point() and bool(made.isfinite().all())
                hold(good, f"{rep.spec}.{method} answers NaN or infinity to a code {what}")


def extreme_parameters_work_or_are_refused(rep: Representation) -> None:
    """NaN, infinity and a thousand million: refused by imrep's own error, there or by `embed`."""
    for key, value in _extremes(rep):
        try:
            other = copy.deepcopy(rep).set_params(**{key: value})
            if not other.needs_fit:
                embed(other, photo(40, 33, batch=1))
        except ImrepError as error:
            hold(bool(str(error)), f"{rep.name} refuses {key}={value!r} without a word")
        except Exception as error:
            raise AssertionError(
                f"{rep.name} raises {type(error).__name__} at {key}={value!r}: {error}"
            ) from error


def its_own_type_does_not_matter(rep: Representation) -> None:
    """Moved to half or double, it embeds the image's type, or refuses by imrep's own error."""
    rep = ready(rep)
    wanted = embed(rep)
    for kind, within in ((torch.float16, _HALF), (torch.bfloat16, math.inf), (torch.float64, SAME)):
        other = copy.deepcopy(rep).to(kind)
        for image in (photo(), photo().double()):
            try:
                vectors = embed(other, image)
            except ImrepError as error:
                names(rep, error)
                continue
            same = rep.card.dtype == "float32" or vectors.dtype == image.dtype
            hold(same, f"{rep.spec} as {kind} makes {vectors.dtype} of {image.dtype}")
            close(vectors.to(wanted), wanted, f"{rep.spec} gives others as {kind}", within)


def images_for_pictures_must_fit(rep: Representation) -> None:
    """An image of another size, number or type than the code's is refused, or drawn over."""
    rep = ready(rep)
    code = rep.encode(photo())
    others: dict[str, Any] = {
        "of another size": photo(48, 80),
        "of another batch": photo(batch=3),
        "of half precision": photo().half(),
        "with NaN": photo() * math.nan,
        "as an array": photo().numpy(),
    }
    for what, image in others.items():
        try:
            rep.picture(code, image)
        except ImrepError as error:
            names(rep, error)
        except Exception as error:
            raise AssertionError(
                f"{rep.spec}.picture raises {type(error).__name__} for an image {what}: {error}"
            ) from error


def _refuses(rep: Representation, method: str, code: Code, what: str) -> None:
    try:
        _answer(rep, method, code)
    except BadCode as error:
        names(rep, error)
        hold("NaN" in str(error) or "infinity" in str(error), f"{rep.spec} blames else: {error}")
    else:
        raise AssertionError(f"{rep.spec}.{method} takes a code with {what}")


def _answer(rep: Representation, method: str, code: Any) -> Tensor:
    """What a method makes of a code; an inverse that iterates takes two steps."""
    call = getattr(rep, method)
    few = {"iterations": 2} if "iterations" in inspect.signature(call).parameters else {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of having taken no more than these
        return call(code, **few)


def _misshapen(code: Code) -> Iterator[tuple[str, Any]]:
    """Codes that no image has, and what is wrong with each."""
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
    yield "turned negative", code.map(lambda t: t if t.dtype == torch.bool else -t)
    yield "less its last numbers", code.map(lambda t: t[..., :-1] if t.ndim > 1 else t)
    yield "less its first channel", code.map(lambda t: t[:, 1:] if t.ndim > 1 else t)
    yield "with an axis more", code.map(lambda t: t[..., None])
    yield "without its last axis", code.map(lambda t: t[..., 0] if t.ndim > 1 else t)
    for name in code.tensors():
        yield f"whose {name} has an image less", _changed(code, name, lambda t: t[:1])
        yield f"without {name}", _changed(code, name, lambda t: None)
    yield from _plain(code)


def _plain(code: Code) -> Iterator[tuple[str, Any]]:
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
    field, dot, rest = name.partition(".")
    value = getattr(code, field)
    if not dot:
        return replace(code, **{field: f(value)})
    index, _, inner = rest.partition(".")
    parts = list(value)
    part = parts[int(index)]
    parts[int(index)] = _changed(part, inner, f) if inner else f(part)
    return replace(code, **{field: tuple(parts)})


def _one_set(tensor: Tensor, value: float) -> Tensor:
    changed = tensor.detach().clone(memory_format=torch.contiguous_format)
    changed.view(-1)[0] = value
    return changed


def _extremes(rep: Representation) -> Iterator[tuple[str, Any]]:
    for key, now in rep.get_params().items():
        annotation = str(rep._signature()[key].annotation)
        if isinstance(now, bool) or "bool" in annotation:
            continue
        if "int" in annotation:
            yield from ((key, _HUGE), (key, -_HUGE))
        if "float" in annotation:
            yield from ((key, v) for v in (math.nan, math.inf, -math.inf, 1e30, 1e-30))
