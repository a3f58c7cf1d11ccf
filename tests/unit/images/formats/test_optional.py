"""Formats of optional packages by their first bytes, and the message about a missing one."""

import io
import sys

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from imrep.errors import BadFile
from imrep.images.formats import optional


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0", "HEIC"),
        (b"\xff\x0a\0", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\x02", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"IIRO\x08\0", "camera raw"),
        (b"\0\0\0\x18ftypcrx ", "camera raw"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", None),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", None),
        (b"II*\0\x08\0\0\0\0\0\0", None),
        (b"\0\0\0\x0cJXL \r\n", None),
        (bytes(127) + b"DICM", None),
        (b"", None),
    ],
)
def test_formats_by_their_first_bytes(start, kind):
    assert optional.format_of(start) == kind


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "AVIF", "JPEG2000"])
def test_common_formats_need_no_package(kind):
    image = Image.fromarray(np.rint(files.scene() * 255).astype(np.uint8))
    assert optional.format_of(files.saved(image, kind)[:160]) is None


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(BadFile, match=r"a\.cr2 is a camera's raw file, which needs the package "
                       r"rawpy\. pip install 'imrep\[formats\]'"):  # fmt: skip
        optional.Raw(b"", "a.cr2")
    assert optional.package("a", "x", "io", "io") is io
