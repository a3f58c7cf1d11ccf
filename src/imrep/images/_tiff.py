"""TIFF by tifffile: every depth, layout and meaning of samples that Pillow does not have exactly.

Which of the two reads a file is decided by its tags alone, so that no file is read by one decoder
because another failed.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from imrep.images import _tiff_samples
from imrep.images._stored import StoredPixels

if TYPE_CHECKING:
    from tifffile import TiffPage

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED_OR_MASK = 0b101  # of NewSubfileType
_RAW = (32803, 34892)  # photometric: a sensor's mosaic, and the same developed in part
_GRAY, _RGB, _CMYK, _YCBCR, _CIELAB = (0, 1), 2, 5, 6, 8
_PREDICTED = (5, 8, 32946, 34925, 50000)  # LZW, deflate, LZMA, Zstandard: those libtiff predicts
_LIBTIFF = (1, 2, 3, 4, 6, 7, 32773, *_PREDICTED)
_PAGES = 64  # looked through for the main image


@dataclass(frozen=True)
class TiffImage:
    """The main image of a file, not yet decoded.

    Attributes:
        width: Pixels across, as stored.
        height: Pixels down, likewise.
        orientation: As EXIF has it, 1 to 8.
    """

    page: "TiffPage"
    data: bytes
    name: str
    width: int
    height: int
    orientation: int

    @property
    def is_raw(self) -> bool:
        """Whether it is what a camera's sensor saw, which has to be developed."""
        return self.page.photometric in _RAW

    @property
    def mode(self) -> str:
        """Channels and depth in words, such as "RGB 16"."""
        kind = _tiff_samples.word(self.page.photometric)
        return f"{kind} {self.page.bitspersample}"

    def read(self) -> StoredPixels:
        """The samples and what they mean.

        Raises:
            BadFile: Tags that are not understood, or a compression whose package is missing.
        """
        return _tiff_samples.stored(self.page, self.data, self.name)


def pillow_is_exact(image: Image.Image) -> bool:
    """Whether Pillow, which opened a TIFF, has every sample of its main image as its tags say."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    photometric = tags.get(262, 0)
    compression = tags.get(259, 1)
    bits = tags.get(258, (1,))
    samples = tags.get(277, 1)
    return (
        not tags.get(254, 0) & _REDUCED_OR_MASK
        and tags.get(255, 1) != 2
        and not any(tag in tags for tag in (330, 50706))
        and (set(bits) == {8} or (set(bits) == {1} and photometric in _GRAY and samples == 1))
        and set(tags.get(339, (1,))) == {1}
        and (tags.get(284, 1) == 1 or samples == 1)
        and tags.get(266, 1) == 1
        and tags.get(32997, 1) == 1  # depth
        and compression in _LIBTIFF
        and (tags.get(317, 1) == 1 or (tags[317] == 2 and compression in _PREDICTED))
        and _pillow_has(photometric, compression != 1, samples, tags)
    )


def _pillow_has(photometric: int, compressed: bool, samples: int, tags: Any) -> bool:
    """Of 8 bits a sample; the extra samples that Pillow takes for what they are."""
    extra = tuple(tags.get(338, ()))
    if photometric in _GRAY and samples == 1:
        return True
    if photometric == _RGB:
        return samples == 3 or (samples == 4 and extra in ((), (1,), (2,)))
    if photometric == _CMYK:
        return samples == 4 and tags.get(332, 1) == 1 and 336 not in tags
    if photometric == _YCBCR:
        return samples == 3 and compressed
    return photometric == _CIELAB and samples == 3


def opened(data: bytes, name: str) -> TiffImage:
    """The main image of a file: the first that is neither a thumbnail nor a mask.

    Raises:
        EOFError: There is none.
    """
    import tifffile

    file = tifffile.TiffFile(io.BytesIO(data))
    pages = list(_pages(file))
    if not pages:
        raise EOFError("truncated before the directory of tags")
    page = next((page for page in pages if _is_main(page)), pages[0])
    orientation = page.tags.valueof(274, 1)
    return TiffImage(
        page,
        data,
        name,
        page.imagewidth,
        page.imagelength,
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
    )


def _pages(file: Any) -> Iterator["TiffPage"]:
    """The first pages, each followed by those below it."""
    for i in range(_PAGES):
        try:
            page = file.pages[i]
        except IndexError:
            return
        page = page.aspage() if hasattr(page, "aspage") else page
        yield page
        for below in page.pages or ():
            yield below.aspage() if hasattr(below, "aspage") else below


def _is_main(page: "TiffPage") -> bool:
    kind = page.tags.valueof(254, 0)
    reduced = isinstance(kind, int) and int(kind) & _REDUCED_OR_MASK
    return not reduced and page.tags.valueof(255, 1) != 2
