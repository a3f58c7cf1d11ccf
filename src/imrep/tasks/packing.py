"""What a picture is besides its pixels, kept in a packed file and taken out again."""

import base64
import binascii
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.edit.decode import decode
from imrep.errors import BadFile
from imrep.images import Original, sound
from imrep.ops.similarity import psnr, ssim
from imrep.packed import Packed
from imrep.types import Image

_TYPES = {8: torch.uint8, 16: torch.uint16}


@dataclass(frozen=True)
class Figures:
    """What packing costs and takes.

    Args:
        bytes: Of the file.
        bits_per_pixel: Of the file, with all that it holds.
        psnr: Of the unpacked picture beside the one that was packed, in dB.
        ssim: Likewise, at most 1.
    """

    bytes: int
    bits_per_pixel: float
    psnr: float
    ssim: float


def figures(packed: Packed, shown: Image) -> Figures:
    """Unpack it once, and compare."""
    again = decode(packed)
    shown = shown.cpu()
    return Figures(len(packed.data), packed.bits_per_pixel, psnr(again, shown), ssim(again, shown))


def keep(packed: Packed, picture: Original) -> Packed:
    """With the picture's depth, alpha, profile, EXIF and resolution."""
    words = {"bits": str(picture.bits)}
    for name, value in (("profile", picture.profile), ("exif", picture.exif)):
        if value:
            words[name] = base64.b64encode(value).decode()
    if picture.dpi:
        words["dpi"] = " ".join(map(str, picture.dpi))
    tensors: dict[str, Tensor] = {}
    if picture.alpha is not None:
        top = 2**picture.bits - 1
        levels = picture.alpha[0, 0].mul(top).round().int()
        tensors["alpha"] = levels.to(_TYPES[picture.bits])
    return packed.adding(words, tensors)


def restored(packed: Packed, shown: Image) -> Original:
    """The picture that was packed, with its unpacked pixels.

    Raises:
        BadFile: If what was kept with it makes no sense; anybody may have written the file.
    """
    try:
        bits = int(packed.extra.get("bits", "8"))
        alpha = _alpha(packed.tensors.get("alpha"), shown)
        said = Original(
            shown,
            alpha,
            bits if bits in _TYPES else 8,
            profile=_bytes(packed, "profile"),
            exif=_bytes(packed, "exif"),
            dpi=_dpi(packed),
        )
    except (ValueError, binascii.Error) as error:
        raise BadFile(f"an .imr file needs to say what it keeps, got {error}.") from error
    return sound(said)


def _alpha(levels: Tensor | None, shown: Image) -> Tensor | None:
    if levels is None:
        return None
    if levels.shape != shown.shape[2:] or levels.dtype not in _TYPES.values():
        raise BadFile(
            f"an .imr file needs alpha of {tuple(shown.shape[2:])}, got {levels.dtype} of "
            f"{tuple(levels.shape)}."
        )
    return (levels.float() / torch.iinfo(levels.dtype).max)[None, None]


def _bytes(packed: Packed, name: str) -> bytes | None:
    words = packed.extra.get(name)
    return base64.b64decode(words, validate=True) if words else None


def _dpi(packed: Packed) -> tuple[float, float] | None:
    numbers = [float(word) for word in packed.extra.get("dpi", "").split()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
