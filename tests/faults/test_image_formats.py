"""One scene in every combination of container, depth, meaning, layout and compression.

Each file is read within .01 of the scene, plus half a step of its own where it is coarse, or
refused by a sentence; how many must be read is stated, so that nothing is refused wholesale.
"""

import io
import itertools
import struct
import warnings

import cv2
import numpy as np
import picture_files as files
import pytest
import tifffile
from PIL import Image

from imrep import images
from imrep.errors import BadFile

SCENE = files.scene()
GRAY = SCENE[..., 1:2]
ALPHA = np.broadcast_to(np.linspace(0.2, 1, SCENE.shape[1])[None, :, None], GRAY.shape)


class Tally:
    """Counts what was read and what was refused, and fails on a wrong picture."""

    def __init__(self):
        self.read, self.refused = 0, {}

    def ask(self, what, data, truth, tolerance=0.011):
        try:
            found = images.read(data)[0].permute(1, 2, 0).numpy()
        except BadFile as reason:
            self.refused[what] = str(reason)
            return
        off = np.abs(found - truth).max()
        assert off <= tolerance, (what, off)
        self.read += 1


def over_white(colours, alpha=ALPHA):
    return colours * alpha + 1 - alpha


def _tiff_samples(photometric, top):
    """Samples (h, w, n) of the scene, the scene as it can be held, and further tags."""
    if photometric in (0, 1):
        shown = np.rint(GRAY * top)
        return top - shown if photometric == 0 else shown, GRAY, {}
    if photometric == 2:
        return np.rint(SCENE * top), SCENE, {}
    if photometric == 3:
        rng = np.random.default_rng(0)
        palette = rng.integers(0, 65536, (3, top + 1))
        index = rng.integers(0, top + 1, GRAY.shape)
        return (
            index,
            palette[:, index[..., 0]].transpose(1, 2, 0) / 65535,
            {320: (3, palette.ravel())},
        )
    if photometric == 5:
        black = 1 - SCENE.max(2, keepdims=True)
        inks = np.concatenate([1 - SCENE / (1 - black), black], 2)
        return np.rint(inks * top), SCENE, {}
    luma = SCENE @ [0.299, 0.587, 0.114]
    blue, red = (SCENE[..., 2] - luma) / 1.772, (SCENE[..., 0] - luma) / 1.402
    middle = (top + 1) / 2
    chroma = [middle + 2 * (middle - 1) * c for c in (blue, red)]
    levels = [0, 1, top, 1, *(middle, 1, top, 1) * 2]
    tags = {530: (3, [1, 1]), 532: (5, [int(n) for n in levels])}
    return np.rint(np.stack([luma * top, *chroma], 2)), SCENE, tags


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16])
def test_tiff_by_its_tags(bits):
    tally, top, asked = Tally(), 2**bits - 1, 0
    layouts = itertools.product((1, 2), (1, 2), "<>", (False, True), (False, True))
    for planar, fill, order, big, deflate in layouts:
        for photometric in (0, 1, 2, 3, 5, 6):
            if (bits == 1 and photometric > 1) or (photometric == 3 and bits > 8):
                continue
            if photometric == 6 and bits < 8:
                continue
            samples, truth, tags = _tiff_samples(photometric, top)
            truth = np.rint(GRAY) if bits == 1 else truth
            if planar == 2 and samples.shape[2] == 1:
                continue
            data = files.tiff(
                samples.astype(np.int64), bits, {262: (3, [photometric]), **tags},
                order=order, big=big, planar=planar, deflate=deflate, fill=fill,
            )  # fmt: skip
            step = 1.5 / top if 1 < bits < 8 else 0
            what = (bits, photometric, planar, fill, order, big, deflate)
            tally.ask(what, data, truth, 0.011 + step)
            asked += 1
    assert tally.read == asked, tally.refused


@pytest.mark.parametrize("bits", [2, 8, 12, 16])
@pytest.mark.parametrize("planar", [1, 2])
def test_tiff_with_further_samples(bits, planar):
    tally, top = Tally(), 2**bits - 1
    alpha = np.rint(ALPHA * top)
    for photometric, extra, order in itertools.product((1, 2), (0, 1, 2), "<>"):
        colours, truth, _ = _tiff_samples(photometric, top)
        stored = np.rint(colours * (alpha / top)) if extra == 1 else colours
        samples = np.concatenate([stored, alpha], 2).astype(np.int64)
        tags = {262: (3, [photometric]), 338: (3, [extra])}
        data = files.tiff(samples, bits, tags, order=order, planar=planar)
        seen = over_white(truth, alpha / top) if extra else truth
        tally.ask((photometric, extra, order), data, seen, 0.012 + 3 / top * (bits < 8))
    refused = {what for what in tally.refused if what[:2] != (1, 0)}  # gray and something unsaid
    assert tally.read == 10 and not refused


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "lzma", "zstd"])
def test_tiff_of_other_writers(compression):
    if compression == "lzw":
        pytest.importorskip("imagecodecs")
    tally, asked = Tally(), 0
    axes = itertools.product(
        (False, True), ("contig", "separate"), (None, (16, 16)), "<>",
        ("u1", "u2", "f2", "f4", "f8"), ("minisblack", "miniswhite", "rgb"),
    )  # fmt: skip
    for predictor, planes, tile, order, kind, photometric in axes:
        shown = SCENE if photometric == "rgb" else GRAY[..., 0]
        if (planes == "separate" and shown.ndim == 2) or (predictor and compression is None):
            continue
        stored = 1 - shown if photometric == "miniswhite" else shown
        whole = np.rint(stored * np.iinfo(kind).max) if kind[0] == "u" else stored
        samples = whole.astype(kind)
        samples = samples.transpose(2, 0, 1) if planes == "separate" else samples
        file = io.BytesIO()
        try:
            tifffile.imwrite(
                file, samples, photometric=photometric, compression=compression, byteorder=order,
                predictor=predictor, tile=tile, metadata=None,
                planarconfig=planes if photometric == "rgb" else None,
            )  # fmt: skip
        except (ValueError, NotImplementedError, KeyError):  # cannot be written here
            continue
        what = (predictor, planes, tile, order, kind, photometric)
        truth = shown if photometric == "rgb" else GRAY
        tally.ask(what, file.getvalue(), truth)
        asked += 1
    assert tally.read == asked >= 40, tally.refused


@pytest.mark.parametrize("compression", ["webp", "jpegxl", "png", "jpeg2000"])
def test_tiff_compressed_as_pictures(compression):
    pytest.importorskip("imagecodecs")
    tally = Tally()
    for tile, kind in itertools.product((None, (16, 16)), ("u1", "u2")):
        samples = np.rint(SCENE * np.iinfo(kind).max).astype(kind)
        file, options = (
            io.BytesIO(),
            {"level": 0} if compression == "jpeg2000" else {"lossless": True},
        )
        options = {} if compression == "png" else options
        try:
            tifffile.imwrite(file, samples, photometric="rgb", tile=tile, metadata=None,
                             compression=compression, compressionargs=options)  # fmt: skip
        except (ValueError, TypeError, NotImplementedError, RuntimeError):
            continue
        tally.ask((tile, kind), file.getvalue(), SCENE)
    assert tally.read >= 2, tally.refused


_PNG_KINDS = ((1, 0), (2, 0), (4, 0), *itertools.product((8, 16), (0, 2, 4, 6)))


def _png_cases():
    def cicp(transfer):
        return (b"cICP", bytes([1, transfer, 0, 1]))

    def gamma(number):
        return (b"gAMA", struct.pack(">I", number))

    yield "plain", (), lambda x: x, 0
    yield "gamma 1/2.2", (gamma(45455),), lambda x: x, 0
    yield "sRGB before gamma", ((b"sRGB", b"\0"), gamma(100_000)), lambda x: x, 0
    yield "linear", (gamma(100_000),), files.light, 0.02
    yield "gamma 0.5", (gamma(50_000),), lambda x: files.light(x) ** 0.5, 0.02
    yield "linear by cICP", (cicp(8),), files.light, 0.02
    yield "BT.709", (cicp(1),), _bt709, 0.01
    yield "PQ", (cicp(16),), _pq, 0.02


def _bt709(x):
    scene = files.light(x)
    return np.where(scene < 0.018, 4.5 * scene, 1.099 * scene**0.45 - 0.099)


def _pq(x):
    power = (files.light(x) * 203 / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


@pytest.mark.parametrize(("name", "chunks", "coded", "slack"), list(_png_cases()))
def test_png(name, chunks, coded, slack):
    tally, asked = Tally(), 0
    for depth, colour in _PNG_KINDS:
        if depth < 8 and chunks:
            continue
        top = 2**depth - 1
        truth = SCENE if colour in (2, 6) else GRAY
        samples = np.rint(coded(truth) * top)
        step = slack * (depth == 8) + 0.5 / top * (depth < 8)
        if colour in (4, 6):
            samples = np.concatenate([samples, np.rint(ALPHA * top)], 2)
            truth = over_white(truth)
        tally.ask((depth, colour), files.png(samples, depth, colour, *chunks), truth, 0.011 + step)
        asked += 1
        if colour in (0, 2):  # one colour is transparent
            key = samples[5, 5].astype(int)
            clear = (b"tRNS", struct.pack(f">{len(key)}H", *key))
            seen = np.where((samples == key).all(2, keepdims=True), 1, truth)
            data = files.png(samples, depth, colour, *chunks, clear)
            tally.ask((depth, colour, "tRNS"), data, seen, 0.011 + step)
            asked += 1
    assert tally.read == asked, tally.refused


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_png_palettes(depth):
    rng, tally = np.random.default_rng(1), Tally()
    palette = rng.integers(0, 256, (2**depth, 3))
    shares = rng.integers(0, 256, 2**depth)
    index = rng.integers(0, 2**depth, GRAY.shape)
    chunks = ((b"PLTE", bytes(palette.ravel().tolist())), (b"tRNS", bytes(shares.tolist())))
    colours, alpha = palette[index[..., 0]] / 255, shares[index] / 255
    tally.ask("opaque", files.png(index, depth, 3, chunks[0]), colours)
    tally.ask("clear", files.png(index, depth, 3, *chunks), over_white(colours, alpha))
    assert tally.read == 2, tally.refused


@pytest.mark.parametrize("top", [1, 15, 100, 255, 1023, 4095, 65535])
def test_netpbm_by_its_greatest_value(top):
    tally, kind, slack = Tally(), ">u2" if top > 255 else "u1", 0.011 + 1.5 / top
    for magic, truth in ((b"P5", GRAY), (b"P6", SCENE), (b"P2", GRAY), (b"P3", SCENE)):
        samples = np.rint(truth * top).astype(kind)
        text = " ".join(map(str, samples.ravel())).encode()
        body = text if magic in (b"P2", b"P3") else samples.tobytes()
        tally.ask(magic, magic + b"\n# made\n53 37\n%d\n" % top + body, truth, slack)
    for names, parts, truth in (
        (b"GRAYSCALE", (GRAY,), GRAY), (b"GRAYSCALE_ALPHA", (GRAY, ALPHA), over_white(GRAY)),
        (b"RGB", (SCENE,), SCENE), (b"RGB_ALPHA", (SCENE, ALPHA), over_white(SCENE)),
    ):  # fmt: skip
        samples = np.rint(np.concatenate(parts, 2) * top).astype(kind)
        head = b"P7\nWIDTH 53\nHEIGHT 37\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n"
        data = head % (samples.shape[2], top, names) + samples.tobytes()
        tally.ask(names, data, truth, slack)
    assert tally.read == 8, tally.refused


def test_pfm_and_fits():
    tally, gray = Tally(), GRAY[..., 0]
    for scale, kind in ((b"-1.0", "<f4"), (b"1.0", ">f4")):
        for magic, truth in ((b"Pf", GRAY), (b"PF", SCENE)):
            body = truth[::-1].astype(kind).tobytes()
            tally.ask((magic, scale), magic + b"\n53 37\n" + scale + b"\n" + body, truth)
    unsigned = (np.rint(gray * 65535) - 32768).astype(">i2")
    thousandths = np.rint(gray * 1000).astype(">i2")
    tally.ask("8", files.fits(np.rint(gray * 255).astype("u1"), 8), GRAY)
    tally.ask("16", files.fits(unsigned, 16, ("BZERO", 32768.0)), GRAY)
    tally.ask("scaled", files.fits(thousandths, 16, ("BSCALE", 0.001)), GRAY)
    tally.ask("-32", files.fits(gray.astype(">f4"), -32), GRAY)
    tally.ask("-64", files.fits(gray.astype(">f8"), -64), GRAY)
    tally.ask("signed", files.fits(thousandths, 16), GRAY)
    assert tally.read == 9 and "--data-range" in tally.refused["signed"]


def test_what_opencv_writes():
    tally = Tally()
    suffixes = (".png", ".tif", ".jp2", ".ppm", ".pgm", ".bmp", ".webp")
    for suffix, kind, count in itertools.product(suffixes, (np.uint8, np.uint16), (1, 3, 4)):
        if kind is np.uint16 and suffix in (".bmp", ".webp"):
            continue
        if (suffix == ".ppm" and count != 3) or (suffix == ".pgm" and count != 1):
            continue
        shown = {1: GRAY, 3: SCENE, 4: np.concatenate([SCENE, ALPHA], 2)}[count]
        order = [2, 1, 0, 3][:count] if count > 1 else [0]
        samples = np.rint(shown * np.iinfo(kind).max).astype(kind)[..., order]
        options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000] if suffix == ".jp2" else []
        code = cv2.imencode(suffix, samples, options)[1].tobytes()
        truth = over_white(SCENE) if count == 4 else shown
        tally.ask((suffix, kind.__name__, count), code, truth, 0.012)
    assert tally.read == 28, tally.refused


_LOSSY = {"JPEG": {"quality": 100, "subsampling": 0}, "MPO": {"quality": 100, "subsampling": 0},
          "AVIF": {"quality": 100, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}}  # fmt: skip


# Written with fewer colours, with one bit of alpha, or with bytes that the file calls unused.
_LESS = {
    ("PPM", "RGBA"),
    ("GIF", "RGB"),
    ("GIF", "RGBA"),
    ("GIF", "LA"),
    ("BMP", "RGBA"),
    ("DIB", "RGBA"),
}


def test_what_pillow_writes():
    """Every mode in every format: as the mode's own conversion to RGBA says, over white."""
    tally, written = Tally(), 0
    colours = Image.fromarray(np.rint(SCENE * 255).astype(np.uint8))
    alpha = Image.fromarray(np.rint(ALPHA[..., 0] * 255).astype(np.uint8))
    Image.init()
    shown = {"1": colours.convert("1"), "L": colours.convert("L"), "P": colours.quantize(64)}
    shown |= {"RGB": colours, "CMYK": colours.convert("CMYK"), "YCbCr": colours.convert("YCbCr")}
    shown["RGBA"] = Image.merge("RGBA", [*colours.split(), alpha])
    shown["LA"] = Image.merge("LA", [shown["L"], alpha])
    for (mode, image), kind in itertools.product(shown.items(), sorted(Image.SAVE)):
        if kind in ("PDF", "EPS", "PALM", "JXL", "HEIF", "WMF", "GRIB", "HDF5", "BUFR"):
            continue
        try:
            with warnings.catch_warnings(action="ignore"):  # of formats that Pillow will drop
                data = files.saved(image, kind, **_LOSSY.get(kind, {}))
        except (OSError, KeyError, ValueError, AttributeError):  # a mode that this format lacks
            continue
        parts = np.asarray(image.convert("RGBA"), float) / 255
        truth = over_white(parts[..., :3], parts[..., 3:])
        if (kind, mode) in _LESS or kind in ("ICO", "ICNS", "SPIDER"):  # sizes of their own; floats
            continue
        written += 1
        tally.ask(
            (kind, mode), data, truth, 0.03 if kind in ("JPEG", "MPO", "AVIF", "GIF") else 0.012
        )
    assert tally.read >= 0.95 * written > 50, tally.refused
