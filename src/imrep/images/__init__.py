"""Image files in and out: every format with a decoder, upright and in sRGB.

`read` gives an image as a tensor, `square` the canvas that `compare` and `embed` read,
`load_squares` many of them on threads. Every file gives an image or a `BadFile` with the reason.
All functions may be called from several threads.

Rooms: `decode` (bytes to pixels), `formats` (what Pillow does not decode exactly), `colour`,
`metadata`, `encode` (pixels to bytes).
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imrep.errors import BadParameter
from imrep.images import original_image
from imrep.images.canvas import Facts, Source, batch, load_squares, square
from imrep.images.colour import icc
from imrep.images.decode import file_bytes, open_image, srgb
from imrep.images.decode.open_image import MAX_PIXELS
from imrep.images.decode.signatures import START, looks_like_image
from imrep.images.encode import save_plan
from imrep.images.encode.save_plan import SUFFIXES, Plan
from imrep.images.metadata.fields import COLOUR, Encoding, Metadata
from imrep.images.notes import assumption, note, noting
from imrep.images.orientation import upright
from imrep.images.original_image import Original, sanitised
from imrep.images.read_options import DEFAULT_READING, Reading
from imrep.images.sample_types import BY_BITS, UINT8, UINT16, Samples
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
    "fetch",
    "kind",
    "load_squares",
    "looks_like_image",
    "note",
    "noting",
    "original",
    "plan",
    "read",
    "sanitised",
    "save",
    "save_planned",
    "square",
    "write",
]

DECODER = 3  # raised when the same file decodes to other pixels; part of the key of every cache

_STARTS = {
    ".png": re.compile(rb"\x89PNG"),
    ".jpg": re.compile(rb"\xff\xd8\xff"),
    ".tif": re.compile(rb"II[*+]\0|MM\0[*+]"),
    ".webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def fetch(source: str | Path | bytes) -> bytes:
    """The bytes of a file, or `source` itself if it is bytes.

    Raises:
        BadFile: Missing, a folder, a device, unreadable, empty, or over 2 GiB.
    """
    return file_bytes.fetch(source)[0]


def read(
    source: Source,
    *,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    longest: int | None = None,
) -> "Tensor":
    """The image in a file at its own size, upright, in sRGB: (1, 3, h, w) float32 in [0, 1].

    Of an animation the first frame, of a document the first page that is no thumbnail; gray
    becomes three equal channels. Depth, sign, white, alpha, gamma and profile are as the file
    states them; an unreadable profile is ignored. Numbers without a stated range, such as floats,
    are read unchanged within [0, 1] and need `data_range` otherwise.

    Args:
        source: A path, the bytes of a file, or a Pillow image.
        over: Background colour of transparent pixels, in CSS notation.
        max_pixels: Greatest width × height that is decoded, whatever Pillow's own limit.
        data_range: The numbers of black and white in a file that does not state them, such as
            floats (`Reading`).
        longest: Maximum pixels along the longer side of the result, antialiased; None keeps the
            image's own size.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
        BadParameter: `over` is not a colour.

    Example:
        >>> import imrep, tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     imrep.write(f"{folder}/gray.png", torch.full((1, 3, 4, 6), 0.2))
        ...     image = imrep.read(f"{folder}/gray.png")
        >>> tuple(image.shape), round(image.mean().item(), 3)
        ((1, 3, 4, 6), 0.2)
    """
    from imrep.ops.resize import shrunk_pixels

    reading, background = Reading(over, max_pixels, data_range), icc.colour(over)
    with open_image.opening(source, reading.max_pixels) as picture:
        decoded = srgb.decoded(picture, None, background, reading.data_range)
        pixels = np.asarray(decoded.pixels)
        return shrunk_pixels(upright(pixels, picture.orientation), longest)


def write(path: str | Path, image: "Tensor", *, mark: str = "") -> None:
    """Write one image by the suffix of `path`: .png, .jpg, .tif or .webp (lossless), 8 bits.

    The file appears complete or not at all: it is written under another name and then renamed.

    Args:
        path: The file; missing folders are created.
        image: (1, 1|3, h, w) or (1|3, h, w), floating, in [0, 1].
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Raises:
        BadParameter: Another suffix.
        BadImage: Another shape, dtype or range.
    """
    from imrep import checks

    path = as_path(path, "write")
    save_plan.format_of(path, "write")
    batch = checks.image(image[None] if getattr(image, "ndim", 0) == 3 else image, "write")
    if len(batch) != 1:
        raise BadParameter(f"write needs one image, got {len(batch)}. Write them one by one.")
    data = save_plan.encoded(save_plan.plan(Original(batch), path, "write"))
    write_atomic(path, marked(data, mark) if mark else data)


def original(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    own_scale: bool = False,
) -> Original:
    """The image in a file in its own colours, with its alpha, type of numbers and metadata.

    Args:
        source: A path, the bytes of a file, or a Pillow image.
        max_pixels: Greatest width × height that is decoded.
        data_range: Black and white of numbers whose file does not state them. Where it is None,
            floats within [0, 1] are read unchanged, and other such files are refused.
        own_scale: Instead of refusing it, map the file's minimum and maximum to black and white;
            `save` restores the same numbers in the same type.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
    """
    reading = Reading(max_pixels=max_pixels, data_range=data_range)
    with open_image.opening(source, reading.max_pixels) as picture:
        return original_image.original(picture, reading.data_range, own_scale)


def plan(path: str | Path, picture: Original, caller: str = "save") -> Plan:
    """What `save` will write of an image, and what will be lost.

    Args:
        path: The file to write.
        picture: An image from `original`, or an edit of one.
        caller: The name that messages start with.

    Raises:
        BadParameter: As for `save`.
    """
    return save_plan.plan(picture, Path(path), caller)


def kind(path: str | Path) -> str:
    """Pillow's name of the format that a suffix stands for: PNG, JPEG, TIFF, WEBP.

    Raises:
        BadParameter: The suffix of a format that is not written.
    """
    return save_plan.format_of(Path(path), "save")


def content(source: str | Path | bytes) -> str:
    """The suffix of a file's format by its content, not its name; "" for a format not written.

    Raises:
        BadFile: The file cannot be read.
    """
    start = file_bytes.fetch(source)[0][:16]
    return next((suffix for suffix, pattern in _STARTS.items() if pattern.match(start)), "")


def save(path: str | Path, picture: Original, *, mark: str = "") -> tuple[str, ...]:
    """Write an image with its metadata; the file appears complete or not at all.

    A JPEG from a JPEG keeps its quantisation tables and chroma subsampling, a lossy WebP about its
    quality, a TIFF its compression and its type of numbers.

    Args:
        path: The file, ending in one of `SUFFIXES`; missing folders are created.
        picture: An image from `original`, or an edit of one.
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Returns:
        What the format cannot hold, and what was converted: "16 bits", "transparency" (composited
        over white), "CMYK became RGB", "gAMA became sRGB", "IPTC" …

    Raises:
        BadParameter: Another suffix, or numbers without a stated range for an integer format.
        OSError: The system refuses to write it.
    """
    planned = plan(as_path(path, "save"), picture)
    save_planned(path, planned, mark=mark)
    return planned.lost


def save_planned(path: str | Path, planned: Plan, *, mark: str = "") -> None:
    """Write the file that `plan` described for this path.

    Raises:
        OSError: The system refuses to write it.
    """
    data = save_plan.encoded(planned)
    write_atomic(path, marked(data, mark) if mark else data)
