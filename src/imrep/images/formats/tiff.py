"""TIFF by tifffile: every depth, layout and meaning of samples that Pillow does not decode exactly.

The tags alone decide which of the two reads a file: neither is a fallback for the other.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from imrep.images.formats import tiff_samples
from imrep.images.stored_pixels import StoredPixels

if TYPE_CHECKING:
    from tifffile import TiffPage

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED_OR_MASK = 0b101  # of NewSubfileType
_RAW = (32803, 34892)  # photometric: a sensor's mosaic, and the same developed in part
_GRAY, _RGB, _CMYK, _YCBCR, _CIELAB = (0, 1), 2, 5, 6, 8
_PREDICTED = (
    5,
    8,
    32946,
    34925,
    50000,
)  # LZW, deflate, LZMA, Zstandard: libtiff applies predictors to these
_LIBTIFF = (1, 2, 3, 4, 6, 7, 32773, *_PREDICTED)
_MAX_PAGES = 64  # searched for the main image


@dataclass(frozen=True)
class TIFFImage:
    """The main image of a file, not yet decoded.

    Attributes:
        width: Pixels across, as stored.
        height: Pixels down, as stored.
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
        """Whether it holds a camera sensor's raw data, which has to be developed."""
        return self.page.photometric in _RAW

    @property
    def mode(self) -> str:
        """Channels and depth in words, such as "RGB 16"."""
        photometric = tiff_samples.tag_name(self.page.photometric)
        return f"{photometric} {self.page.bitspersample}"

    def read(self) -> StoredPixels:
        """The samples and what they mean.

        Raises:
            BadFile: Unsupported tags, or a compression whose package is missing.
        """
        return tiff_samples.stored(self.page, self.data, self.name)


def pillow_is_exact(image: Image.Image) -> bool:
    """Whether Pillow decodes every sample of a TIFF's main image as its tags state."""
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
        and _pillow_reads(photometric, compression != 1, samples, tags)
    )


def _pillow_reads(photometric: int, compressed: bool, samples: int, tags: Any) -> bool:
    """Whether Pillow reads 8-bit samples of these colours, extra samples included."""
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


def opened(data: bytes, name: str) -> TIFFImage:
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
    return TIFFImage(
        page,
        data,
        name,
        page.imagewidth,
        page.imagelength,
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
    )


def _pages(file: Any) -> Iterator["TiffPage"]:
    """The first pages, each followed by its sub-pages."""
    for i in range(_MAX_PAGES):
        try:
            page = file.pages[i]
        except IndexError:
            return
        page = page.aspage() if hasattr(page, "aspage") else page
        yield page
        for child in page.pages or ():
            yield child.aspage() if hasattr(child, "aspage") else child


def _is_main(page: "TiffPage") -> bool:
    subfile = page.tags.valueof(254, 0)
    reduced = isinstance(subfile, int) and int(subfile) & _REDUCED_OR_MASK
    return not reduced and page.tags.valueof(255, 1) != 2
