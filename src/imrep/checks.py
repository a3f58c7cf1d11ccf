"""Checks at the door: each says who refused, what came, and what to do."""

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

_SLACK = 1e-3  # resizing and colour arithmetic may leave [0, 1] by rounding
_NEAR = 0.05  # so far outside it is rounding or ringing, and may be cut
_FEW = 16
_WHITES = (_FEW, 255, 1023, 4095, 16383, 65535, 2**32 - 1)
_WHITE = {
    torch.uint8: "Try x / 255",
    torch.uint16: "Try x.float() / 65535",  # torch divides no uint16
}
_LINEAR = 16.0  # a linear code may be asked about sums of images, never about 0..255


def image(
    x: Tensor, who: str, *, channels: int | None = None, at_least: int = 1, linear: bool = False
) -> Tensor:
    """Return `x` if it is a batch of images, or say why it is not.

    Args:
        x: Candidate, to be (batch, channel, height, width), float32 or float64, channels 1 or 3.
        who: Name to blame in the message.
        channels: Required number of channels, if it matters.
        at_least: Smallest height and width accepted, in pixels.
        linear: Whether sums and differences of images are welcome too (values within ±16).

    Raises:
        BadImage: Whose message names `who`, the fault, and the remedy.
    """
    if not isinstance(x, Tensor):
        remedy = "torch.from_numpy(x)" if type(x).__module__ == "numpy" else "imrep.read(path)"
        raise BadImage(f"{who} needs a torch tensor, got {type(x).__name__}. Try {remedy}.")
    if x.ndim != 4:
        remedy = f"x[{', '.join(['None'] * (4 - x.ndim))}]" if x.ndim < 4 else "x.flatten(0, -4)"
        shape = tuple(x.shape)
        raise BadImage(
            f"{who} needs (batch, channel, height, width), got shape {shape}. Try {remedy}."
        )
    _type(x, who)
    _shape(x, who, channels, at_least)
    if not torch.compiler.is_compiling():  # a look at the values would break the graph
        _values(x, who, linear)
    return x


def rescaling(x: Tensor) -> str:
    """What brings these values to [0, 1] without spoiling them, as a sentence without its stop.

    Only what lies just outside is to be cut. Whole numbers are divided by the white of their type,
    or by the least usual white that is not below the greatest of them.
    """
    if x.dtype in _WHITE:
        return _WHITE[x.dtype]
    if not x.numel():
        return "Leave it out"
    values = x.detach().double()
    low, high = values.min().item(), values.max().item()
    if low < -_NEAR:
        return _centred(low, high)
    if high <= 1 + _NEAR:
        return "Try x.clamp(0, 1)" if x.is_floating_point() else "Try x.float()"
    if high <= _FEW and not bool((values == values.round()).all()):
        return f"Try x / {math.ceil(high * 100) / 100:g}, or by what stands for white"
    white = next((white for white in _WHITES if high <= white), high)
    return f"Try x / {white:.10g}, or by what stands for white"


def tensor(x: object, who: str, what: str) -> None:
    """Refuse what is no tensor.

    Raises:
        BadImage: Naming what it is.
    """
    if not isinstance(x, Tensor):
        raise BadImage(f"{who} needs {what} as a tensor, got {type(x).__name__}. Try torch.tensor.")


def at_least(value: float, least: float, who: str, what: str) -> None:
    """Refuse a parameter below its least value, or no number."""
    _number(value, who, what)
    if not value >= least:
        raise BadParameter(f"{who} needs {what} of at least {least}, got {value}.")


def between(value: float, low: float, high: float, who: str, what: str) -> None:
    """Refuse a parameter outside [low, high], or no number."""
    _number(value, who, what)
    if not low <= value <= high:
        raise BadParameter(f"{who} needs {what} from {low} to {high}, got {value}.")


def whole(value: int, low: int, high: int, who: str, what: str) -> None:
    """Refuse a parameter that is no whole number from `low` to `high`."""
    between(value, low, high, who, what)
    if int(value) != value:
        raise BadParameter(f"{who} needs {what} to be a whole number, got {value}.")


def one_of(value: str, choices: Sequence[str], who: str, what: str) -> None:
    """Refuse a parameter that is none of the choices, and offer the nearest."""
    if value not in choices:
        nearest = difflib.get_close_matches(str(value).lower(), choices, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise BadParameter(
            f"{who} needs {what} to be one of {', '.join(choices)}, got {short_repr(value)}.{hint}"
        )


def _number(value: object, who: str, what: str) -> None:
    try:
        number = not isinstance(value, str | bytes) and complex(value).imag == 0  # type: ignore
    except OverflowError:  # a whole number beyond all floats
        number = True
    except (TypeError, ValueError, RuntimeError):
        number = False
    if not number:
        raise BadParameter(f"{who} needs {what} to be a number, got {short_repr(value)}.")


def _type(x: Tensor, who: str) -> None:
    """Half precision is refused by all: some operations have none, others lose what exact means."""
    if x.layout != torch.strided:
        raise BadImage(f"{who} needs a dense tensor, got {x.layout}. Try x.to_dense().")
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        if x.dtype not in DTYPES:
            remedy = "x.real" if x.is_complex() else "x.float()"
            raise BadImage(f"{who} needs float32 or float64, got {x.dtype}. Try {remedy}.")
    else:
        raise BadImage(
            f"{who} needs floating-point values in [0, 1], got {x.dtype}. {rescaling(x)}."
        )


def _shape(x: Tensor, who: str, channels: int | None, at_least: int) -> None:
    wanted = (channels,) if channels else (1, 3)
    if x.shape[1] not in wanted:
        raise BadImage(
            f"{who} needs {' or '.join(map(str, wanted))} channels, got {x.shape[1]}. "
            f"Try {_recoloured(x, wanted)}."
        )
    if x.shape[0] == 0:
        raise BadImage(f"{who} needs at least one image, got an empty batch. Leave it out.")
    if min(x.shape[2:]) < at_least:
        raise BadImage(
            f"{who} needs images of at least {at_least}×{at_least}, "
            f"got {x.shape[2]}×{x.shape[3]}. Enlarge them first."
        )


def _recoloured(x: Tensor, wanted: tuple[int, ...]) -> str:
    """What makes the channels right, most likely."""
    if x.shape[1] == 0:
        return "imrep.read(path)"
    if x.shape[1] == 1:
        return "x.expand(-1, 3, -1, -1)"
    if x.shape[3] in wanted:
        return "x.permute(0, 3, 1, 2)"
    return "x[:, :3]" if x.shape[1] == 4 and 3 in wanted else "x.mean(1, keepdim=True)"


def _centred(low: float, high: float) -> str:
    """What undoes values about zero."""
    if low >= -1 - _NEAR and high <= 1 + _NEAR:
        return "Try (x + 1) / 2, or leave out your normalising, it happens inside"
    return "Leave out your normalising, it happens inside"


def _values(x: Tensor, who: str, linear: bool) -> None:
    low, high = (float(v) for v in torch.aminmax(x.detach()))
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise BadImage(f"{who} needs finite values, got NaN or infinity. Try torch.nan_to_num(x).")
    bottom, top = (-_LINEAR, _LINEAR) if linear else (-_SLACK, 1 + _SLACK)
    if low < bottom or high > top:
        raise BadImage(
            f"{who} needs values in [0, 1], got {low:.4g} to {high:.4g}. {rescaling(x)}."
        )
