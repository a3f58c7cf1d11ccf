"""First bytes: of images, and of what is no image."""

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from imrep.errors import BadFile
from imrep.images.decode.signatures import START, looks_like_image, refuse_other_files

IMAGE = Image.fromarray(np.rint(files.scene() * 255).astype(np.uint8))
KINDS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "ICO", "PCX", "QOI",
         "DDS", "ICNS", "SGI", "AVIF", "MPO"]  # fmt: skip
OTHER = {
    "a PDF document": b"%PDF-1.7\n",
    "a PostScript drawing": b"%!PS-Adobe-3.0\n",
    "an SVG drawing": b"<?xml version='1.0'?>\n<!-- a\ncomment -->\n<svg xmlns='x'>",
    "a web page": b"\n<!DOCTYPE html><html>",
    "a text file": b'{ "a": 1 }',
    "an archive": b"PK\x03\x04",
    "JPEG-LS": b"\xff\xd8\xff\xf7\0\0",
    "JPEG XR": b"II\xbc\x01",
    "a picture of HDR light": b"#?RADIANCE\n",
    "a video": b"\0\0\0\x18ftypisom",
}


@pytest.mark.parametrize("kind", KINDS)
def test_images_that_pillow_writes_look_like_images(kind):
    image = IMAGE.resize((64, 64)) if kind in ("ICO", "ICNS") else IMAGE
    start = files.saved(image, kind)[:START]
    assert looks_like_image(start)
    refuse_other_files(start, "a")  # raises nothing


@pytest.mark.parametrize(
    "start",
    [bytes(128) + b"DICM", b"SIMPLE  =", b"P7\n", b"PF\n", b"II+\0", b"MM\0+", b"\xff\x0a",
     b"\0\0\0\x1cftypheic", b"\0\0\0\x1cftypcrx ", b"\xff\x4f\xff\x51", b"8BPS"],
)  # fmt: skip
def test_other_formats_look_like_images(start):
    assert looks_like_image(start)


@pytest.mark.parametrize(
    "start", [b"", b"hello", b"\xff\xd8", b"P7x", b"BM it is", b"II", b" \x89PNG", b"RIFF1234WAVE"]
)
def test_texts_and_cut_signatures_do_not(start):
    assert not looks_like_image(start)


@pytest.mark.parametrize("kind", OTHER)
def test_other_files_are_named_with_a_remedy(kind):
    with pytest.raises(BadFile) as refusal:
        refuse_other_files(OTHER[kind], "b.png")
    message = str(refusal.value)
    assert message.startswith(f"b.png needs to be an image, got {kind}. ")
    assert message.endswith(".") and len(message.split(". ")) == 2


def test_names_of_formats_are_read_in_any_case():
    for start in (b"<SVG width='1'>", b"<!doctype HTML>", b"<html>"):
        with pytest.raises(BadFile):
            refuse_other_files(start, "a")
