"""A picture with all that goes with it, so that an edited one can be what it was otherwise."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import _colour, _pixels
from imrep.images._opened import Opened
from imrep.images._stored import StoredPixels

if TYPE_CHECKING:
    from torch import Tensor

_WHITE = (255, 255, 255)
_FINEST = 1e6  # dots per inch; a wave of light is 5e4
_ORIENTATION, _CAMERA, _GPS, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0x8825, 0xA002, 0xA003
# Tags up to 532 say how a TIFF stores its pixels, but for those that describe the picture.
_STRUCTURE = {*range(254, 533), 700, 34377, 34675, 37724} - {
    *(269, 270, 271, 272, 274, 282, 283, 285, 296, 297, 305, 306, 315, 316)
}


@dataclass(frozen=True)
class Original:
    """What a file holds, in its own colours.

    Attributes:
        pixels: (1, 1|3, h, w) float32 in [0, 1], upright; gray files have one channel. Under
            pixels that cannot be seen lies the colour of the nearest that can, so that a filter
            does not draw another one in.
        alpha: (1, 1, h, w) float32 in [0, 1], or None for an opaque picture.
        bits: 16 if the file holds more than 8 bits a channel, else 8.
        profile: Its ICC profile; None where there is none, or where `pixels` were converted to
            sRGB, as those of CMYK and CIELAB are.
        exif: EXIF as JPEG files have it, its orientation 1.
        dpi: Dots per inch across and down.
        more: Whether the file holds further frames or pages; they are not here.
    """

    pixels: "Tensor"
    alpha: "Tensor | None" = None
    bits: int = 8
    profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    more: bool = False


def original(picture: Opened, data_range: tuple[float, float] | None) -> Original:
    """The picture in an opened file, decoded here.

    Raises:
        BadFile: It cannot be read as an image; the message is the reason, on one line.
    """
    values, profile = _values(picture, data_range)
    image, turned = picture.image, picture.orientation
    values = np.ascontiguousarray(_pixels.upright(values, turned))
    shown, alpha = _parted(values)
    found = Original(
        pixels=shown,
        alpha=alpha,
        bits=8 if values.dtype == np.uint8 else 16,
        profile=profile,
        exif=_exif(image, values.shape[1], values.shape[0]),
        dpi=_dpi(image.info.get("dpi"), turned),
        more=_has_more(image),
    )
    return sound(found)


def _values(
    picture: Opened, data_range: tuple[float, float] | None
) -> tuple[NDArray, bytes | None]:
    """(h, w, 1 to 4) of uint8, or deeper in [0, 1]: gray or RGB, alpha or not; and the profile."""
    profile = picture.profile
    if (deep := _colour.stored_pixels(picture)) is not None:
        values = deep.values if _is_bytes(deep) else deep.unit(data_range, picture.name)
        return values, deep.profile or profile
    if picture.image.mode in ("CMYK", "LAB"):
        return np.asarray(_pixels.decoded(picture, None, _WHITE, data_range).pixels), None
    pixels = _pixels.stored(picture, 1) if picture.is_jpeg else picture.image
    return _colour.eight_bits(pixels).values, profile


def _is_bytes(stored: StoredPixels) -> bool:
    return stored.values.dtype == np.uint8 and stored.full == (0, 255) and not stored.premultiplied


def _parted(values: NDArray) -> "tuple[Tensor, Tensor | None]":
    """Colours and alpha as float32 in [0, 1], (1, channels, h, w) each."""
    import torch

    channels = values.shape[2] - 1 + values.shape[2] % 2
    planes = torch.empty(1, values.shape[2], *values.shape[:2])
    for i in range(values.shape[2]):
        planes[0, i] = torch.from_numpy(values[..., i].astype(np.float32))
    if values.dtype == np.uint8:
        planes.div_(255)
    shown, alpha = planes[:, :channels], planes[:, channels:]
    return (_filled(shown.clone(), alpha), alpha.clone()) if alpha.numel() else (shown, None)


def _filled(shown: "Tensor", alpha: "Tensor") -> "Tensor":
    """Colours that cannot be seen replaced by the nearest one that can."""
    hidden = (alpha[0, 0] == 0).numpy()
    if not hidden.any() or hidden.all():
        return shown
    import torch
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = torch.from_numpy(nearest).long()
    return shown[:, :, rows, columns]


def _has_more(image: Image.Image) -> bool:
    """A phone's JPEG is followed by previews and the like, which are no further pictures."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # what follows may be damaged; the first picture is here
        return False


def sound(picture: Original) -> Original:
    """With only as much of profile, EXIF and resolution as makes sense: a file may say anything."""
    return replace(
        picture,
        profile=_colour.understood(picture.profile, picture.pixels.shape[1]),
        exif=_readable(picture.exif),
        dpi=_possible(picture.dpi),
    )


def _exif(image: Image.Image, width: int, height: int) -> bytes | None:
    """What it says of the picture, orientation and size brought up to date."""
    try:
        exif = image.getexif()
        for tag in _STRUCTURE & set(exif):
            del exif[tag]
        if not len(exif):
            return None
        exif[_ORIENTATION] = 1
        camera = exif.get_ifd(_CAMERA)
        camera.update({tag: n for tag, n in ((_WIDTH, width), (_HEIGHT, height)) if tag in camera})
        exif.get_ifd(_GPS)  # what was not looked at is not written
        return exif.tobytes()
    except Exception:  # damaged EXIF raises anything; the pixels are still good
        return None


def _readable(exif: bytes | None) -> bytes | None:
    """Pillow writes what it cannot read, of a BigTIFF for one."""
    try:
        if exif:
            Image.Exif().load(exif)
        return exif
    except Exception:  # as above
        return None


def _dpi(dpi: object, turned: int) -> tuple[float, float] | None:
    try:
        across, down = (float(n) for n in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (down, across) if turned >= 5 else (across, down)


def _possible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    return dpi if dpi and all(1 <= n <= _FINEST for n in dpi) else None
