"""The bytes of an image file, or the reason why they cannot be read."""

import stat
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageFile

from imrep.errors import BadFile
from imrep.io.names import as_path, printable

_MAX_BYTES = 2**31  # 16-bit RGB at the limit of pixels is 1.2 GB


def fetch(source: str | Path | bytes) -> tuple[bytes, str]:
    """The bytes of `source` and its name in messages.

    Raises:
        BadFile: Missing, a folder, a device, unreadable, empty, or over 2 GiB.
    """
    if isinstance(source, bytes):
        return _not_empty(source, "this file"), "this file"
    path = as_path(source, "reading", "a path, the bytes of a file or a PIL image")
    name = printable(path.name)
    try:
        _refuse_irregular(path)
        return _not_empty(path.read_bytes(), name), name
    except FileNotFoundError as error:
        raise BadFile(f"{name} does not exist. Check the path {printable(path)}.") from error
    except PermissionError as error:
        raise BadFile(f"{name} cannot be read: no permission. Change its mode.") from error
    except BadFile:
        raise
    except (OSError, ValueError) as error:  # a name too long, a null byte, a disk that fails
        why = getattr(error, "strerror", None) or error
        raise BadFile(f"{name!r} cannot be read: {why}. Check the path.") from error


def of_pillow(image: Image.Image) -> bytes:
    """The file behind a Pillow image that is opened and not yet decoded; empty for others."""
    file = getattr(image, "fp", None)
    if not (isinstance(image, ImageFile.ImageFile) and image.tile and file):
        return b""
    try:
        position = file.tell()
        file.seek(0)
        data: bytes = file.read()
        file.seek(position)
    except (OSError, ValueError):  # closed, or a stream that cannot seek
        return b""
    with suppress(Exception):  # leave it decoded and its file closed, as Pillow does
        image.load()
    return data


def _refuse_irregular(path: Path) -> None:
    name, facts = printable(path.name) or str(path), path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise BadFile(f"{name} needs to be a file, got a folder. Give one image in it.")
    if not stat.S_ISREG(facts.st_mode):
        raise BadFile(f"{name} needs to be a file, got a device or a pipe. Save it first.")
    if facts.st_size > _MAX_BYTES:
        raise BadFile(f"{name} needs to be under 2 GiB, got {facts.st_size:,} bytes.")


def _not_empty(data: bytes, name: str) -> bytes:
    if not data:
        raise BadFile(f"{name} is empty (0 bytes). Copy it again.")
    return data
