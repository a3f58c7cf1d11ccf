"""Guards around decoders: muted warnings, one large image at a time, failures as BadFile."""

import ctypes
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from typing import cast

import PIL
from PIL import Image

from imrep.errors import BadFile, ImrepError
from imrep.images.decode.image_file import OpenedImage

_HUGE = 50_000_000  # pixels; decoded one at a time, so that threads do not multiply memory


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turns whatever a decoder raises into BadFile, and mutes its warnings."""
    try:
        with _QUIET:
            yield
    except ImrepError:
        raise
    except Exception as error:  # decoders raise arbitrary exceptions on corrupt input
        raise BadFile(f"{name} {reason(error)}") from error


def memory_lock(picture: OpenedImage) -> AbstractContextManager[object]:
    """The lock to hold while decoding: images over 50 million pixels are decoded one at a time."""
    return one_at_a_time() if picture.size[0] * picture.size[1] > _HUGE else nullcontext()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds the lock and lifts Pillow's global limit meanwhile: `max_pixels` has been checked."""
    with _LOCK:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


class _Quiet:
    """Mutes the warnings that the decoders' own modules issue while any thread is inside.

    `warnings.catch_warnings` swaps the filters of the whole process and puts them back, so that
    two threads may leave them swapped. This adds one filter with the first thread and removes
    that one with the last; it touches no other module's warnings.
    """

    _modules = re.compile(r"(PIL|pydicom|pillow_heif|pillow_jxl|rawpy|tifffile)\b")
    _filter = ("ignore", None, Warning, _modules, 0)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                cast("list[object]", warnings.filters).insert(0, self._filter)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._filter in warnings.filters:
                cast("list[object]", warnings.filters).remove(self._filter)


@lru_cache(maxsize=1)
def mute_libtiff() -> None:
    """Stop the libtiff inside Pillow's wheel from printing; its errors still reach us as such."""
    home = Path(PIL.__file__).parent
    for library in (*home.parent.glob("pillow.libs/libtiff*"), *home.glob(".dylibs/libtiff*")):
        with suppress(OSError, AttributeError):
            handle = ctypes.CDLL(str(library))
            handle.TIFFSetErrorHandler(None)
            handle.TIFFSetWarningHandler(None)


def reason(error: Exception, kind: str = "") -> str:
    """Why decoding failed, as the predicate of a sentence."""
    text = " ".join(str(error).split())[:200] or type(error).__name__
    text = f"no entry {text}" if isinstance(error, KeyError) else text
    why = f"{kind}: {text}" if kind else text
    if isinstance(error, MemoryError):
        return "needs more memory than there is. Make it smaller first."
    if isinstance(error, Image.DecompressionBombError):
        return f"has more pixels than Pillow opens ({why}). Save it as PNG, or in parts."
    if isinstance(error, EOFError) or re.search("trunc|unpack(_from)? requires", text, re.I):
        return f"is truncated ({why}). Copy it again."
    if re.search("cannot handle|unsupported|unknown pixel mode|not supported", text, re.I):
        return f"is of a kind that cannot be read ({why}). Save it as PNG."
    return f"is damaged ({why}). Copy or save it again."


_QUIET = _Quiet()
_LOCK = threading.Lock()
