"""Checks of arguments: messages name the caller, what it needs, what came, and a remedy."""

import difflib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imrep.errors import BadImage, BadParameter, short_repr

DTYPES = (torch.float32, torch.float64)  # of images and of codes, in every representation

MAX_CELLS = 64  # per side of the grid that a vector averages over
MAX_ITERATIONS = 10**6
MAX_SIDE = 8192  # pixels of a square or a map that images are brought to

_TOLERANCE = 1e-3  # by which resizing and colour arithmetic may exceed [0, 1] by round-off
_CLIP_MARGIN = 0.05  # values this far outside are round-off or ringing, and may be clipped
_SMALL_WHITE = 16  # of digits 0 … 16
_WHITES = (_SMALL_WHITE, 255, 1023, 4095, 16383, 65535, 2**32 - 1)
_WHITE = {
    torch.uint8: "Try x / 255",
    torch.uint16: "Try x.float() / 65535",  # torch divides no uint16
}
_LINEAR = 16.0  # limit of sums and differences of images; 0..255 is refused


def image(
    x: Tensor, caller: str, *, channels: int | None = None, at_least: int = 1, linear: bool = False
) -> Tensor:
    """Return `x` if it is a batch of images, or refuse it.

    Args:
        x: (batch, 1|3, height, width), float32 or float64, in [0, 1].
        caller: Name at the start of the message.
        channels: Required number of channels; None for 1 or 3.
        at_least: Least height and width, in pixels.
        linear: Whether sums and differences of images are allowed (values within ±16).

    Raises:
        BadImage: Naming `caller`, the fault, and the remedy.
    """
    if not isinstance(x, Tensor):
        remedy = "torch.from_numpy(x)" if type(x).__module__ == "numpy" else "imrep.read(path)"
        raise BadImage(f"{caller} needs a torch tensor, got {type(x).__name__}. Try {remedy}.")
    if x.ndim != 4:
        remedy = f"x[{', '.join(['None'] * (4 - x.ndim))}]" if x.ndim < 4 else "x.flatten(0, -4)"
        shape = tuple(x.shape)
        raise BadImage(
            f"{caller} needs (batch, channel, height, width), got shape {shape}. Try {remedy}."
        )
    _type(x, caller)
    _shape(x, caller, channels, at_least)
    if not torch.compiler.is_compiling():  # reading values would break the graph
        _values(x, caller, linear)
    return x


def rescaling(x: Tensor) -> str:
    """How to rescale these values to [0, 1], as a sentence without its full stop.

    Values just outside are clipped. Integers are divided by the white of their type, or by the
    smallest usual white that is not below their maximum.
    """
    if x.dtype in _WHITE:
        return _WHITE[x.dtype]
    if not x.numel():
        return "Leave it out"
    values = x.detach().double()
    low, high = values.min().item(), values.max().item()
    if low < -_CLIP_MARGIN:
        return _centred(low, high)
    if high <= 1 + _CLIP_MARGIN:
        return "Try x.clamp(0, 1)" if x.is_floating_point() else "Try x.float()"
    if high <= _SMALL_WHITE and not bool((values == values.round()).all()):
        return f"Try x / {math.ceil(high * 100) / 100:g}, or by what stands for white"
    white = next((white for white in _WHITES if high <= white), high)
    return f"Try x / {white:.10g}, or by what stands for white"


def tensor(x: object, caller: str, name: str) -> None:
    """Refuse what is not a tensor.

    Raises:
        BadImage: Naming its type.
    """
    if not isinstance(x, Tensor):
        raise BadImage(
            f"{caller} needs {name} as a tensor, got {type(x).__name__}. Try torch.tensor."
        )


def at_least(value: float, minimum: float, caller: str, name: str) -> None:
    """Refuse a parameter below its minimum, or that is no number."""
    _number(value, caller, name)
    if not value >= minimum:
        raise BadParameter(f"{caller} needs {name} of at least {minimum}, got {value}.")


def between(value: float, low: float, high: float, caller: str, name: str) -> None:
    """Refuse a parameter outside [low, high], or that is no number."""
    _number(value, caller, name)
    if not low <= value <= high:
        raise BadParameter(f"{caller} needs {name} from {low} to {high}, got {value}.")


def integer(value: int, low: int, high: int, caller: str, name: str) -> None:
    """Refuse a parameter that is no integer from `low` to `high`."""
    between(value, low, high, caller, name)
    if int(value) != value:
        raise BadParameter(f"{caller} needs {name} to be a whole number, got {value}.")


def one_of(value: str, choices: Sequence[str], caller: str, name: str) -> None:
    """Refuse a parameter that is none of the choices; the message offers the nearest."""
    if value not in choices:
        nearest = difflib.get_close_matches(str(value).lower(), choices, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise BadParameter(
            f"{caller} needs {name} to be one of {', '.join(choices)}, "
            f"got {short_repr(value)}.{hint}"
        )


def _number(value: object, caller: str, name: str) -> None:
    try:
        number = not isinstance(value, str | bytes) and complex(value).imag == 0  # type: ignore
    except OverflowError:  # an integer beyond the range of floats
        number = True
    except (TypeError, ValueError, RuntimeError):
        number = False
    if not number:
        raise BadParameter(f"{caller} needs {name} to be a number, got {short_repr(value)}.")


def _type(x: Tensor, caller: str) -> None:
    """Refuse half precision, which some operations lack and with which no inverse is exact."""
    if x.layout != torch.strided:
        raise BadImage(f"{caller} needs a dense tensor, got {x.layout}. Try x.to_dense().")
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        if x.dtype not in DTYPES:
            remedy = "x.real" if x.is_complex() else "x.float()"
            raise BadImage(f"{caller} needs float32 or float64, got {x.dtype}. Try {remedy}.")
    else:
        raise BadImage(
            f"{caller} needs floating-point values in [0, 1], got {x.dtype}. {rescaling(x)}."
        )


def _shape(x: Tensor, caller: str, channels: int | None, at_least: int) -> None:
    allowed = (channels,) if channels else (1, 3)
    if x.shape[1] not in allowed:
        raise BadImage(
            f"{caller} needs {' or '.join(map(str, allowed))} channels, got {x.shape[1]}. "
            f"Try {_recoloured(x, allowed)}."
        )
    if x.shape[0] == 0:
        raise BadImage(f"{caller} needs at least one image, got an empty batch. Leave it out.")
    if min(x.shape[2:]) < at_least:
        raise BadImage(
            f"{caller} needs images of at least {at_least}×{at_least}, "
            f"got {x.shape[2]}×{x.shape[3]}. Enlarge them first."
        )


def _recoloured(x: Tensor, allowed: tuple[int, ...]) -> str:
    """The likely remedy for a wrong number of channels."""
    if x.shape[1] == 0:
        return "imrep.read(path)"
    if x.shape[1] == 1:
        return "x.expand(-1, 3, -1, -1)"
    if x.shape[3] in allowed:
        return "x.permute(0, 3, 1, 2)"
    return "x[:, :3]" if x.shape[1] == 4 and 3 in allowed else "x.mean(1, keepdim=True)"


def _centred(low: float, high: float) -> str:
    """The remedy for values around zero."""
    if low >= -1 - _CLIP_MARGIN and high <= 1 + _CLIP_MARGIN:
        return "Try (x + 1) / 2, or leave out your normalising, it happens inside"
    return "Leave out your normalising, it happens inside"


def _values(x: Tensor, caller: str, linear: bool) -> None:
    low, high = (float(v) for v in torch.aminmax(x.detach()))
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise BadImage(
            f"{caller} needs finite values, got NaN or infinity. Try torch.nan_to_num(x)."
        )
    bottom, top = (-_LINEAR, _LINEAR) if linear else (-_TOLERANCE, 1 + _TOLERANCE)
    if low < bottom or high > top:
        raise BadImage(
            f"{caller} needs values in [0, 1], got {low:.4g} to {high:.4g}. {rescaling(x)}."
        )
