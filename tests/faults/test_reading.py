"""Faults R1, R2 and P3: samples mean what their file says, by every way in."""

import io
import struct

import numpy as np
import picture_files as files
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image, ImageCms

import imrep
from imrep import images
from imrep.cli import main
from imrep.errors import BadFile, BadParameter
from imrep.images.formats import tiff_bits
from imrep.images.orientation import upright

SCENE = files.scene()
GRAY = SCENE[..., 1:2]
BYTES = np.rint(SCENE * 255).astype(np.uint8)


def shown(source, **options):
    return images.read(source, **options)[0].permute(1, 2, 0).numpy()


def tiff(samples, bits=8, **tags):
    """Whole numbers, with tags by their numbers: t262=(3, [1])."""
    return files.tiff(samples.astype(np.int64), bits, {int(k[1:]): v for k, v in tags.items()})


# R1 ---------------------------------------------------------------------------------------------


def test_twelve_bits_and_white_as_zero():
    twelve = np.rint(GRAY * 4095)
    assert np.abs(shown(tiff(twelve, 12, t262=(3, [1]))) - GRAY).max() < 1e-3
    for bits in (8, 16):
        turned = np.rint((1 - GRAY) * (2**bits - 1))
        assert np.abs(shown(tiff(turned, bits, t262=(3, [0]))) - GRAY).max() < 0.003


def test_twelve_bits_without_imagecodecs(monkeypatch):
    monkeypatch.setattr(tiff_bits, "has_imagecodecs", lambda: False)
    twelve = np.rint(SCENE * 4095).astype(np.int64)
    for planar, fill, deflate in ((1, 1, False), (2, 2, True)):
        data = files.tiff(twelve, 12, {262: (3, [2])}, planar=planar, fill=fill, deflate=deflate)
        assert np.abs(shown(data) - SCENE).max() < 1e-3


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("predictor", [False, True])
def test_deep_lzw_without_imagecodecs(monkeypatch, order, planes, predictor):
    pytest.importorskip("imagecodecs")  # which writes it
    samples = np.rint(SCENE * 65535).astype(np.uint16)
    samples = samples.transpose(2, 0, 1) if planes == "separate" else samples
    file = io.BytesIO()
    tifffile.imwrite(
        file, samples, photometric="rgb", planarconfig=planes, compression="lzw",
        predictor=predictor, byteorder=order, rowsperstrip=10, metadata=None,
    )  # fmt: skip
    monkeypatch.setattr(tiff_bits, "has_imagecodecs", lambda: False)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", None)
    assert np.abs(shown(file.getvalue()) - SCENE).max() < 1e-4


@pytest.mark.parametrize("flag", [(254, 1), (254, 4), (255, 2)])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_thumbnail_or_a_mask_is_not_the_main_image(flag, bits):
    code, value = flag

    def page(samples, **more):
        height, width = samples.shape[:2]
        tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits]), 259: (3, [1]),
                262: (3, [1]), 277: (3, [1]), 278: (4, [height]), **more}  # fmt: skip
        return tags, [files.packed(samples.reshape(height, -1), bits)]

    top = 2**bits - 1
    small = page(np.zeros((4, 4, 1), np.int64))
    small[0][code] = (4 if code == 254 else 3, [value])
    whole = page(np.rint(GRAY * top).astype(np.int64))
    assert np.abs(shown(files.tiff_of([small, whole])) - GRAY).max() < 0.003
    assert shown(files.tiff_of([small])).shape == (4, 4, 3)  # it is all there is


def test_the_main_image_below_a_thumbnail():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(np.zeros((4, 4), np.uint8), subifds=1, subfiletype=1, metadata=None)
        writer.write(np.rint(GRAY[..., 0] * 65535).astype(np.uint16), metadata=None)
    assert np.abs(shown(file.getvalue()) - GRAY).max() < 1e-3


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_at_every_depth(turn):
    inverse = {6: 8, 8: 6}.get(turn, turn)
    stored = upright(np.rint(SCENE * 4095), inverse)
    data = tiff(np.ascontiguousarray(stored), 12, t262=(3, [2]), t274=(3, [turn]))
    assert np.abs(shown(data) - SCENE).max() < 1e-3
    original = images.original(data)
    assert original.pixels.shape == (1, 3, 37, 53) and original.bits == 16


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [8, 9])
def test_cielab(bits, photometric):
    """White, middle gray and a red, by their L*a*b* under D50."""
    points = np.array([[[100, 0, 0], [53.39, 0, 0], [54.29, 80.8, 69.9]]])
    top, unit = 2**bits - 1, 2**bits / 256
    lightness = points[..., :1] / 100 * (65280 if bits == 16 and photometric == 9 else top)
    a_b = points[..., 1:] * unit + (128 * unit if photometric == 9 else 0)
    samples = np.rint(np.concatenate([lightness, a_b], 2)).astype(np.int64) % (top + 1)
    colours = shown(tiff(samples, bits, t262=(3, [photometric])))[0]
    assert np.allclose(colours, [[1, 1, 1], [0.498] * 3, [1, 0, 0]], atol=0.02)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"t262": (3, [4])}, "a mask"),
        ({"t262": (3, [32844])}, "LogL"),
        ({"t262": (3, [1]), "t339": (3, [5])}, "sample format"),
        ({"t262": (3, [1]), "t339": (3, [2])}, "sample format"),
    ],
)
def test_what_is_not_understood_is_named(tags, reason):
    with pytest.raises(BadFile, match=reason):
        images.read(tiff(np.rint(GRAY * 2000), 12, **tags))


def test_signed_numbers_state_no_range():
    data = tiff(np.rint(GRAY * 2000), 16, t262=(3, [1]), t339=(3, [2]))
    with pytest.raises(BadFile, match="16-bit signed integers from 400 to 1600 state no range"):
        images.read(data)
    assert np.abs(shown(data, data_range=(0, 2000)) - GRAY).max() < 1e-3


def test_channels_beside_the_colours_are_not_passed_over():
    three = np.rint(np.concatenate([GRAY] * 3, 2) * 65535)
    data = tiff(three, 16, t262=(3, [1]), t338=(3, [0, 0]))
    with pytest.raises(BadFile, match="3 channels, of which only 1 are colours"):
        images.read(data)


def test_two_decoders_that_disagree_are_a_refusal(monkeypatch):
    import cv2

    data = files.png(np.rint(SCENE * 65535), 16, 2)
    assert np.abs(shown(data) - SCENE).max() < 1e-4
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.zeros((37, 53, 3), np.uint16))
    with pytest.raises(BadFile, match="two decoders"):
        images.read(data)


def test_white_of_deep_jpeg_2000_is_white():
    import cv2

    white = np.full((64, 64, 3), 65535, np.uint16)
    assert shown(cv2.imencode(".jp2", white)[1].tobytes()).min() > 0.99


def wide_profile():
    """sRGB's profile with red and green exchanged: a matrix other than sRGB's."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


def test_a_profile_is_applied_at_full_depth():
    profile = wide_profile()
    tags = {"t262": (3, [2]), "t34675": (7, list(profile))}
    deep = shown(tiff(np.rint(SCENE * 65535), 16, **tags))
    assert np.abs(deep - SCENE[..., [1, 0, 2]]).max() < 2e-3
    flat = shown(tiff(np.rint(SCENE * 255), 8, **tags))  # by LittleCMS
    assert np.abs(deep - flat).max() < 0.01
    assert len(np.unique(deep)) > 1000


def test_wide_primaries_without_a_profile():
    primaries = (0.3127, 0.329, 0.3, 0.6, 0.64, 0.33, 0.15, 0.06)  # red and green exchanged
    chrm = (b"cHRM", struct.pack(">8I", *(round(n * 100_000) for n in primaries)))
    for depth in (8, 16):
        data = files.png(np.rint(SCENE * (2**depth - 1)), depth, 2, chrm)
        assert np.abs(shown(data) - SCENE[..., [1, 0, 2]]).max() < 0.01


# R2 ---------------------------------------------------------------------------------------------


def floats(values):
    return files.saved(Image.fromarray(np.asarray(values, np.float32)), "TIFF")


def test_nothing_depends_on_the_greatest_number_of_a_file():
    frame = np.linspace(0, 254, 64).reshape(8, 8)
    brighter = frame * 256 / 254
    for data in (floats(frame), floats(brighter), floats(np.linspace(0, 1.001, 64).reshape(8, 8))):
        with pytest.raises(BadFile, match=r"needs a scale: 32-bit floats .* state no range"):
            images.read(data)
    one, other = (shown(floats(x), data_range=(0, 400)) for x in (frame, brighter))
    assert np.abs(one - frame[..., None] / 400).max() < 1e-6
    assert other.mean() / one.mean() == pytest.approx(256 / 254, rel=1e-5)


def test_the_same_range_for_every_way_in(tmp_path):
    values = np.linspace(-10, 30, 64).reshape(8, 8)
    path = tmp_path / "a.tif"
    path.write_bytes(floats(values))
    wanted = np.rint((values + 10) / 40 * 255)
    assert np.array_equal(images.square(path, None, data_range=(-10, 30))[0][..., 0], wanted)
    whole = images.original(path, data_range=(-10, 30)).pixels[0, 0].numpy()
    assert np.abs(whole - (values + 10) / 40).max() < 1e-6
    embedder = imrep.Embedder("pixels:side=8,gray=true", data_range=(-10, 30))
    by_path, by_object = embedder.fit_transform([path, Image.fromarray(values.astype(np.float32))])
    assert np.array_equal(by_path, by_object)


def test_what_was_assumed_is_known():
    assumed = images.square(floats(np.full((8, 8), 0.5)), 4)[1].assumed
    assert assumed == "32-bit floats were read with 0 as black and 1 as white"
    assert images.square(floats(np.full((8, 8), 0.5)), 4, data_range=(0, 1))[1].assumed == ""
    assert images.square(files.png(np.rint(SCENE * 255), 8, 2), 4)[1].assumed == ""


def test_what_was_assumed_is_said_by_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for label in "ab":
        for i in range(4):
            path = tmp_path / "f" / label / f"{i}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(floats(GRAY[..., 0] * (0.7 + 0.05 * i + 0.1 * (label == "b"))))
    sentence = "32-bit floats were read with 0 as black and 1 as white"
    for command in (
        ["embed", "f", "pixels", "-o", "v.parquet"],
        ["picture", "f/a/0.tif", "pixels"],
        ["compare", "f", "-r", "pixels", "--size", "16"],
        ["compare", "f", "-r", "pixels", "--size", "16"],  # now from the cache
    ):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0 and done.output.count(sentence) == 1, (command, done.output)
        again = CliRunner().invoke(main, [*command, "--data-range", "0,1"])
        assert sentence not in again.output


@pytest.mark.parametrize("wrong", [(1, 1), (0, float("nan")), (0,), "ab", 3])
def test_a_range_that_is_none(wrong):
    with pytest.raises(BadParameter, match="data_range to be two different numbers"):
        images.read(floats(np.zeros((2, 2))), data_range=wrong)


def test_the_options_help_on_every_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").mkdir()
    for i in range(3):
        path = tmp_path / "f" / f"{i}.tif"
        path.write_bytes(floats(GRAY[..., 0] * 100 + i))
    commands = (
        ["picture", "f/0.tif", "pixels"],
        ["invert", "f/0.tif", "pixels"],
        ["edit", "f/0.tif", "blur", "-o", "a.png"],
        ["embed", "f", "pixels", "-o", "v.parquet"],
        ["match", "f/0.tif", "f/1.tif", "-r", "sift:detector=dense", "-o", "m.png"],
    )
    for command in commands:
        refused = CliRunner().invoke(main, command)
        said = refused.output + (tmp_path / "f").joinpath("none").name
        assert refused.exit_code == 1, (command, said)
        done = CliRunner().invoke(main, [*command, "--data-range", "0,110"])
        assert done.exit_code == 0, (command, done.output, done.exception)
        small = CliRunner().invoke(main, [*command, "--data-range", "0,110", "--max-pixels", "9"])
        assert small.exit_code == 1, (command, small.output)


_LINEAR = (b"gAMA", struct.pack(">I", 100_000))

# P3 ---------------------------------------------------------------------------------------------


def _modes():
    colours, gray = Image.fromarray(BYTES), Image.fromarray(BYTES[..., 1])
    alpha = Image.fromarray(np.tile(np.arange(53, dtype=np.uint8) * 4, (37, 1)))
    clear = Image.merge("RGBA", [*colours.split(), alpha])
    veiled = Image.merge("LA", [gray, alpha])
    palette = colours.quantize(32)
    palette.info["transparency"] = 3
    keyed, one = colours.copy(), gray.copy()
    keyed.info["transparency"], one.info["transparency"] = colours.getpixel((5, 5)), 90
    return {
        "1": gray.convert("1"), "L": gray, "RGB": colours, "RGBA": clear, "LA": veiled,
        "P": colours.quantize(32), "P with tRNS": palette, "RGB with tRNS": keyed,
        "L with tRNS": one, "PA": palette.convert("PA"), "La": veiled.convert("La"),
        "RGBa": clear.convert("RGBa"), "RGBX": colours.convert("RGBX"),
        "CMYK": colours.convert("CMYK"), "YCbCr": colours.convert("YCbCr"),
        "HSV": colours.convert("HSV"), "LAB": _lab(colours),
        "I;16": Image.fromarray(np.rint(GRAY[..., 0] * 65535).astype(np.uint16)),
        "F": Image.fromarray(GRAY[..., 0].astype(np.float32)),
    }  # fmt: skip


def _lab(colours):
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.applyTransform(colours, ImageCms.buildTransform(*profiles, "RGB", "LAB"))


@pytest.mark.parametrize("mode", list(_modes()))
def test_every_mode_of_pillow_has_a_vector(mode):
    image = _modes()[mode]
    (vector,) = imrep.Embedder("pixels:side=8").fit_transform([image])
    assert np.isfinite(vector).all()
    kind = {"LAB": "TIFF", "HSV": None, "La": None, "RGBa": None, "RGBX": None}.get(mode, "TIFF")
    if "tRNS" in mode or mode == "1":
        kind = "PNG"
    if kind is None:  # in no file
        wanted = image.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB"))
        kind, image = "PNG", wanted
    data = files.saved(image, kind)
    opened, loaded = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(data))
    loaded.load()
    embedder = imrep.Embedder("pixels:side=8").fit([image])
    both = embedder.transform([opened, loaded])
    limit = 0.03 if mode in ("LAB", "YCbCr") else 1e-6  # rounded once more in the file
    assert np.abs(both[0] - both[1]).max() <= 1e-2 * (mode == "YCbCr") + 1e-6
    assert np.abs(both - vector).max() <= limit


def test_an_opened_file_is_read_as_its_path(tmp_path):
    """What Pillow alone would get wrong: 12 bits, gamma, white as 0, two bits with a clear gray."""
    cases = {
        "a.tif": tiff(np.rint(GRAY * 4095), 12, t262=(3, [0])),
        "b.png": files.png(np.rint(files.light(SCENE) * 255), 8, 2, _LINEAR),
        "c.png": files.png(np.rint(GRAY * 3), 2, 0, (b"tRNS", b"\0\1")),
        "d.pgm": b"P5 53 37 1023\n" + np.rint(GRAY * 1023).astype(">u2").tobytes(),
    }  # fmt: skip
    embedder = imrep.Embedder("pixels:side=8").fit([Image.fromarray(BYTES)])
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        try:
            image = Image.open(path)
        except OSError:  # Pillow does not know it
            continue
        by_path, by_object, by_bytes = embedder.transform([path, image, data])
        assert np.array_equal(by_path, by_object) and np.array_equal(by_path, by_bytes), name


def test_a_later_frame_is_that_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = files.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = Image.open(io.BytesIO(data))
    image.seek(1)
    assert shown(image)[0, 0] == pytest.approx((0, 0, 1), abs=0.02)
