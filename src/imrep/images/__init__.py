"""Pictures in and out: files of every format there is a reader for, upright and in sRGB.

`read` gives a whole image as a tensor, `square` the canvas that `compare` and `embed` look at,
`load_squares` many of them on threads. Whatever a file holds, the answer is an image or a
`BadFile` that says why not. All functions may be called from several threads.
"""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imrep.errors import BadParameter
from imrep.images import _decode, _original, _pixels, _profiles, _saving
from imrep.images._decode import MAX_PIXELS, START, looks_like_image
from imrep.images._metadata import COLOUR, Encoding, Metadata
from imrep.images._notes import assumption, note, noting
from imrep.images._original import Original, sound
from imrep.images._reading import DEFAULT_READING, Reading
from imrep.images._samples import BY_BITS, UINT8, UINT16, Samples
from imrep.images._saving import SUFFIXES, Plan
from imrep.images._squares import Facts, Source, batch, load_squares, square
from imrep.io.files import write_atomic
from imrep.io.marks import marked
from imrep.io.names import as_path

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "BY_BITS",
    "COLOUR",
    "DECODER",
    "DEFAULT_READING",
    "MAX_PIXELS",
    "START",
    "SUFFIXES",
    "UINT8",
    "UINT16",
    "Encoding",
    "Facts",
    "Metadata",
    "Original",
    "Plan",
    "Reading",
    "Samples",
    "assumption",
    "batch",
    "content",
    "digest",
    "fetch",
    "kind",
    "load_squares",
    "looks_like_image",
    "note",
    "noting",
    "original",
    "plan",
    "read",
    "save",
    "save_planned",
    "sound",
    "square",
    "write",
]

DECODER = 3  # raised when the same file gives other pixels; part of the key of every cache

_STARTS = {
    ".png": re.compile(rb"\x89PNG"),
    ".jpg": re.compile(rb"\xff\xd8\xff"),
    ".tif": re.compile(rb"II[*+]\0|MM\0[*+]"),
    ".webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def digest(data: bytes) -> str:
    """BLAKE2b of `data` as 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def fetch(source: str | Path | bytes) -> bytes:
    """The bytes of a file, or `source` itself if it is bytes.

    Raises:
        BadFile: Missing, a folder, a device, unreadable, empty, or over 2 GiB.
    """
    return _decode.fetch(source)[0]


def read(
    source: Source,
    *,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    longest: int | None = None,
) -> "Tensor":
    """The image in a file at its own size, upright, in sRGB: (1, 3, h, w) float32 in [0, 1].

    The first frame of an animation, the first page of a document that is no thumbnail; gray as
    three equal channels. Depth, sign, what is white, alpha, gamma and profile are what the file
    says; a profile that cannot be understood is ignored. Numbers without a stated range, such as
    floats, are taken as they are within [0, 1] and need `data_range` otherwise.

    Args:
        source: A path, the bytes of a file, or a picture of Pillow's.
        over: Colour that shows through transparent pixels, as CSS writes it.
        max_pixels: Greatest width × height that is decoded, whatever Pillow's own limit.
        data_range: The numbers of black and white in a file that does not state them, such as
            floats (`Reading`).
        longest: Most pixels along the longer side of what is given, antialiased; None leaves the
            image at its own size.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
        BadParameter: `over` is no colour.

    Example:
        >>> import imrep, tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     imrep.write(f"{folder}/gray.png", torch.full((1, 3, 4, 6), 0.2))
        ...     image = imrep.read(f"{folder}/gray.png")
        >>> tuple(image.shape), round(image.mean().item(), 3)
        ((1, 3, 4, 6), 0.2)
    """
    from imrep.ops.resize import shrunk_pixels

    reading, ground = Reading(over, max_pixels, data_range), _profiles.colour(over)
    with _decode.opening(source, reading.max_pixels) as picture:
        pixels = np.asarray(_pixels.decoded(picture, None, ground, reading.data_range).pixels)
        return shrunk_pixels(_pixels.upright(pixels, picture.orientation), longest)


def write(path: str | Path, image: "Tensor", *, mark: str = "") -> None:
    """Write one image by the suffix of `path`: .png, .jpg, .tif or .webp (lossless), 8 bits.

    The file appears whole or not at all: it is written under another name and then renamed.

    Args:
        path: Where to; missing folders are made.
        image: (1, 1|3, h, w) or (1|3, h, w), floating, in [0, 1].
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Raises:
        BadParameter: Another suffix.
        BadImage: Another shape, dtype or range.
    """
    from imrep import checks

    path = as_path(path, "write")
    _saving.form(path, "write")
    batch = checks.image(image[None] if getattr(image, "ndim", 0) == 3 else image, "write")
    if len(batch) != 1:
        raise BadParameter(f"write needs one image, got {len(batch)}. Write them one by one.")
    data = _saving.coded(_saving.plan(Original(batch), path, "write"))
    write_atomic(path, marked(data, mark) if mark else data)


def original(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    own_scale: bool = False,
) -> Original:
    """The picture in a file in its own colours, with its alpha, type of numbers and metadata.

    Args:
        source: A path, the bytes of a file, or a picture of Pillow's.
        max_pixels: Greatest width × height that is decoded.
        data_range: Black and white of numbers whose file does not state them. Where it is None,
            floats within [0, 1] are taken as they are, and other such files are refused.
        own_scale: Instead of that refusal, the least and the greatest number of the file stand for
            black and white until `save` undoes it, to the same numbers in the same type.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
    """
    reading = Reading(max_pixels=max_pixels, data_range=data_range)
    with _decode.opening(source, reading.max_pixels) as picture:
        return _original.original(picture, reading.data_range, own_scale)


def plan(path: str | Path, picture: Original, caller: str = "save") -> Plan:
    """What `save` will write of a picture, and what will be lost.

    Args:
        path: Where to.
        picture: What `original` gave, or made of it.
        caller: Whom messages name.

    Raises:
        BadParameter: As `save`.
    """
    return _saving.plan(picture, Path(path), caller)


def kind(path: str | Path) -> str:
    """Pillow's name of the format that a name asks for: PNG, JPEG, TIFF, WEBP.

    Raises:
        BadParameter: None that is written.
    """
    return _saving.form(Path(path), "save")


def content(source: str | Path | bytes) -> str:
    """The suffix that fits what a file holds, whatever its name is; "" for a format not written.

    Raises:
        BadFile: The file cannot be read.
    """
    start = _decode.fetch(source)[0][:16]
    return next((suffix for suffix, found in _STARTS.items() if found.match(start)), "")


def save(path: str | Path, picture: Original, *, mark: str = "") -> tuple[str, ...]:
    """Write a picture with all that goes with it; the file appears whole or not at all.

    A JPEG that was one keeps its quantisation tables and its chroma's resolution, a lossy WebP
    about its quality, a TIFF its compression and its type of numbers.

    Args:
        path: Where to, ending in one of `SUFFIXES`; missing folders are made.
        picture: What `original` gave, or made of it.
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Returns:
        What the format cannot hold and was left out, and what became something else: "16 bits",
        "transparency" (then what can be seen through is laid over white), "CMYK became RGB",
        "gAMA became sRGB", "IPTC" …

    Raises:
        BadParameter: Another suffix, or numbers without a stated range for a format of whole
            numbers.
        OSError: The system does not let it be written.
    """
    planned = plan(as_path(path, "save"), picture)
    save_planned(path, planned, mark=mark)
    return planned.lost


def save_planned(path: str | Path, planned: Plan, *, mark: str = "") -> None:
    """Write what `plan` gave for this path.

    Raises:
        OSError: The system does not let it be written.
    """
    data = _saving.coded(planned)
    write_atomic(path, marked(data, mark) if mark else data)
