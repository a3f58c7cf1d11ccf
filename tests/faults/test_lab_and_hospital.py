"""What microscopes, scanners and hospitals write besides the usual."""

import io

import numpy as np
import picture_files as files
import pytest
import tifffile

import imrep
from imrep import images
from imrep.errors import BadFile
from imrep.io.marks import mark, marked

SCENE = files.scene()
GRAY = SCENE[..., 1:2]
ALPHA = np.broadcast_to(np.linspace(0.2, 1, SCENE.shape[1])[None, :, None], GRAY.shape)
TWELVE = np.rint(GRAY[..., 0] * 4095).astype(np.uint16)


def shown(source, **options):
    return images.read(source, **options)[0].permute(1, 2, 0).numpy()


def close(data, truth, **options):
    np.testing.assert_allclose(
        shown(data, **options), np.broadcast_to(truth, SCENE.shape), atol=0.011
    )


def written(samples, ome=False, imagej=False, **options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=ome, imagej=imagej) as tiff:
        tiff.write(samples, **options)
    return file.getvalue()


def bytes_of(values):
    return np.rint(values * 255).astype(np.uint8)


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha"])
def test_inks_with_alpha(extra):
    inks = np.concatenate([1 - SCENE, 0 * GRAY], 2)
    inks = inks * ALPHA if extra == "assocalpha" else inks
    samples = bytes_of(np.concatenate([inks, ALPHA], 2))
    data = written(samples, photometric="separated", extrasamples=[extra])
    np.testing.assert_allclose(shown(data), SCENE * ALPHA + 1 - ALPHA, atol=0.02)
    assert images.original(data).metadata.lost == ("CMYK became RGB",)


def ome(bits, samples=TWELVE):
    return written(samples, ome=True, metadata={"axes": "YX", "SignificantBits": bits})


def test_significant_bits_of_ome():
    close(ome(12), GRAY)
    close(ome(16), GRAY * 4095 / 65535)
    with pytest.raises(BadFile, match="says that its numbers have 10 bits, got "):
        images.read(ome(10))


@pytest.mark.parametrize(
    ("data", "lost"),
    [
        (ome(12), "the description of OME"),
        (written(TWELVE, imagej=True), "ImageJ's description"),
    ],
)
def test_a_description_of_the_file_does_not_outlive_it(tmp_path, data, lost):
    picture = images.original(data)
    assert lost in images.save(tmp_path / "b.tif", picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages[0].tags.valueof(270) is None
    np.testing.assert_allclose(shown(tmp_path / "b.tif"), shown(data), atol=1e-3)


@pytest.mark.parametrize("kinds", [["unspecified"], ["unassalpha", "unspecified"]])
def test_a_channel_beside_the_colours_is_said(kinds):
    samples = bytes_of(np.concatenate([SCENE, *[np.ones_like(ALPHA)] * len(kinds)], 2))
    data = written(samples, photometric="rgb", extrasamples=kinds)
    with images.noting() as notes:
        close(data, SCENE)
    assert [*notes] == [
        "A channel beside the colours was left out, since its TIFF states no meaning."
    ]
    assert "a channel beside the colours" in images.original(data).metadata.lost


def test_a_deep_palette_is_said():
    palette = np.random.default_rng(0).integers(0, 65536, (3, 65536)).astype(np.uint16)
    data = written(TWELVE, photometric="palette", colormap=palette)
    assert images.original(data).stored == "a palette"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_every_tiff_carries_a_mark(order, big):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder=order, bigtiff=big) as tiff:
        tiff.write(bytes_of(SCENE), photometric="rgb")
    data = marked(file.getvalue(), "imrep edit blur of a.tif")
    assert mark(data) == "imrep edit blur of a.tif"
    assert mark(file.getvalue()) == ""
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), bytes_of(SCENE))
    close(data, SCENE)


@pytest.mark.parametrize("bits", [1, 2, 4, 6])
def test_white_of_shallow_jpeg_2000_is_white(bits):
    codecs = pytest.importorskip("imagecodecs")
    levels = np.rint(SCENE * (2**bits - 1))
    data = codecs.jpeg2k_encode(
        levels.astype(np.uint8), level=0, codecformat="jp2", bitspersample=bits
    )
    close(data, levels / (2**bits - 1))


def test_what_a_decoder_gives_wrong_is_refused():
    codecs = pytest.importorskip("imagecodecs")
    pytest.importorskip("pillow_jxl")
    deep = np.rint(np.concatenate([GRAY, ALPHA], 2) * 65535).astype(np.uint16)
    signed = (GRAY[..., 0] * 4000).astype(np.int16)
    for data, reason in (
        (codecs.jpegxl_encode(deep, lossless=True), "is JPEG XL of a rare kind of LA"),
        (codecs.jpeg2k_encode(signed, level=0, codecformat="jp2"), "a rare kind of 16 bits"),
        (codecs.jpegls_encode(bytes_of(SCENE)), "got JPEG-LS. Save it as PNG"),
        (codecs.jpegxr_encode(bytes_of(SCENE), level=1.0), "got JPEG XR. Save it as PNG"),
    ):
        with pytest.raises(BadFile, match=reason):
            imrep.read(data)
        assert images.looks_like_image(data[: images.START])
