"""`imrep edit` keeps what a file is, says what it cannot keep, and in place loses nothing."""

import io
import json
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageCms, ImageSequence
from scipy.ndimage import gaussian_filter

from imrep import images
from imrep.edit.operations.median import median
from imrep.errors import BadFile
from imrep.io.containers import insert_chunks, insert_segments, jpeg_segments, png_chunks

RNG = np.random.default_rng(0)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>xmp:Rating="4"</rdf:RDF></x:xmpmeta>'
RESOURCES = b"8BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\x50\0\x07Example"  # IPTC: by-line "Example"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SUFFIXES = (".png", ".jpg", ".tif", ".webp")


def smooth(height=48, width=64, channels=3):
    """Blurred noise, uint8."""
    values = RNG.random((height, width, channels))
    values = gaussian_filter(values, (3, 3, 0))
    values = (values - values.min()) / (values.max() - values.min())
    return np.uint8(values.squeeze() * 255)


def picture(**options):
    return Image.fromarray(smooth(), **options)


def frames(path, kind, count=4):
    parts = [picture() for _ in range(count)]
    parts[0].save(path, kind, save_all=True, append_images=parts[1:])


def with_chunks(path, *chunks):
    path.write_bytes(insert_chunks(path.read_bytes(), chunks))


# In place --------------------------------------------------------------------------------------


def moving_webp(path):
    frames(path, "WEBP")


def moving_png(path):
    frames(path, "PNG")


def tiff_pages(path):
    frames(path, "TIFF")


def two_jpegs(path):
    frames(path, "MPO", 2)


def png_called_jpg(path):
    Image.fromarray(np.uint16(smooth()[..., 0]) * 257).save(path, "PNG")


def jpeg_called_png(path):
    picture().save(path, "JPEG")


def inks(path):
    picture().convert("CMYK").save(path, "JPEG")


def inks_tiff(path):
    picture().convert("CMYK").save(path, "TIFF")


def jpeg_in_tiff(path):
    picture().save(path, "TIFF", compression="jpeg")


def signed_jpeg(path):
    """Content credentials vouch for the pixels as they were."""
    picture().save(path, "JPEG")
    body = b"JP\0\x01\0\0\0\x01\0\0\0\x20jumb\0\0\0\x10jumdc2pa"
    path.write_bytes(insert_segments(path.read_bytes(), [(0xEB, body)]))


def motion_photo(path):
    picture().save(path, "JPEG")
    path.write_bytes(path.read_bytes() + b"\0\0\0\x18ftypmp42" + bytes(200))


CONVERTED = "in place would make it"


@pytest.mark.parametrize(
    ("name", "write_file", "output"),
    [
        ("a.webp", moving_webp, "a.webp holds 4 images; in place would lose 3. Use -o."),
        ("a.png", moving_png, "a.png holds 4 images; in place would lose 3. Use -o."),
        ("a.tif", tiff_pages, "a.tif holds 4 images; in place would lose 3. Use -o."),
        ("a.jpg", two_jpegs, "a.jpg holds 2 images; in place would lose 1. Use -o."),
        ("a.jpg", png_called_jpg, f"a.jpg holds a PNG; {CONVERTED} a JPEG. Use -o a.png."),
        ("a.png", jpeg_called_png, f"a.png holds a JPEG; {CONVERTED} a PNG. Use -o a.jpg."),
        ("a.jpg", inks, "a.jpg: in place CMYK would become RGB. Use -o."),
        ("a.tif", inks_tiff, "a.tif: in place CMYK would become RGB. Use -o."),
        ("a.tif", jpeg_in_tiff, "a.tif: in place compression JPEG would become deflate. Use -o."),
        ("a.jpg", signed_jpeg, "a.jpg: in place would lose content credentials. Use -o."),
        ("a.jpg", motion_photo, "a.jpg: in place would lose a video. Use -o."),
    ],
)  # fmt: skip
def test_in_place_is_refused_before_anything_is_lost(inside, tmp_path, name, write_file, output):
    path = tmp_path / name
    write_file(path)
    before = path.read_bytes()
    assert inside("edit", name, "blur", "--in-place", expect=1).output == f"{output}\n"
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [name]
    remedy = output.removesuffix(".").rpartition("-o")[2].strip() or f"b{path.suffix}"
    line = inside("edit", name, "blur", "-o", remedy).stdout
    for word in ("images", "CMYK became RGB", "became deflate", "credentials", "a video"):
        assert (word in line) == (word in output.replace("would become", "became"))


def test_an_operation_that_loses_something_is_refused_too(inside, tmp_path):
    picture().save(tmp_path / "a.png", icc_profile=SRGB)
    before = (tmp_path / "a.png").read_bytes()
    output = inside("edit", "a.png", "edges", "--in-place", expect=1).output
    assert output == "a.png: in place would lose the ICC profile of colours. Use -o.\n"
    assert (tmp_path / "a.png").read_bytes() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_in_place_follows_links_keeps_the_mode_and_spares_what_is_closed(inside, tmp_path, suffix):
    real, link = tmp_path / f"real{suffix}", tmp_path / f"link{suffix}"
    picture().save(real)
    link.symlink_to(real.name)
    real.chmod(0o640)
    before = real.read_bytes()
    inside("edit", link.name, "blur", "--in-place")
    assert link.is_symlink() and real.read_bytes() != before
    assert real.stat().st_mode & 0o777 == 0o640
    real.chmod(0o444)
    before = real.read_bytes()
    output = inside("edit", real.name, "blur", "--in-place", expect=1).output
    assert "cannot be written: Permission denied" in output and output.count("\n") == 1
    assert real.read_bytes() == before and real.stat().st_mode & 0o777 == 0o444


def test_the_same_file_by_another_name_is_not_written_over(inside, tmp_path):
    moving_webp(tmp_path / "a.webp")
    (tmp_path / "link.webp").symlink_to("a.webp")
    os.link(tmp_path / "a.webp", tmp_path / "hard.webp")
    before = (tmp_path / "a.webp").read_bytes()
    for second in ("a.webp", "./a.webp", "link.webp", "hard.webp"):
        output = inside("edit", "a.webp", "blur", "-o", second, expect=1).output
        assert "edit would write over a.webp" in output
    assert (tmp_path / "a.webp").read_bytes() == before


# Default names ---------------------------------------------------------------------------------


def test_default_names_overwrite_nothing_of_another_picture(inside, tmp_path):
    for folder in ("disc", "wave"):
        (tmp_path / folder).mkdir()
        picture().save(tmp_path / folder / "000.png")
    inside("edit", "disc/000.png", "blur")
    first = (tmp_path / "000.blur.png").read_bytes()
    inside("edit", "disc/000.png", "blur:sigma=3")  # the same picture's may be made again
    assert (tmp_path / "000.blur.png").read_bytes() != first
    before = (tmp_path / "000.blur.png").read_bytes()
    output = inside("edit", "wave/000.png", "blur", expect=1).output
    assert "edit needs a new name" in output and "-o" in output
    assert (tmp_path / "000.blur.png").read_bytes() == before
    inside("edit", "wave/000.png", "blur", "-o", "000.blur.png")  # as was asked for


def test_a_pattern_is_edited_into_a_folder_beside_what_it_reads(inside, tmp_path):
    for folder in ("disc", "wave"):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        for i in range(3):
            picture().save(tmp_path / "photos" / folder / f"00{i}.png")
    inside("edit", "photos/*/00[12].png", "blur")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "photos.blur"]
    assert len(list((tmp_path / "photos.blur").rglob("*.png"))) == 4
    output = inside("edit", "photos/*/00[12].png", "blur", "-o", "photos/new", expect=1).output
    assert "among the images it reads" in output and not (tmp_path / "photos/new").exists()


# Beside the pixels -----------------------------------------------------------------------------


def described_png(path):
    picture().save(path, dpi=(300, 150))
    with_chunks(
        path,
        (b"tEXt", b"Author\0Example"),
        (b"tEXt", b"Comment\0third attempt"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        (b"zTXt", b"Raw profile type iptc\0\0"
         + zlib.compress(b"\niptc\n%8d\n" % len(RESOURCES) + RESOURCES.hex().encode())),
        (b"prVt", b"private, safe to copy"),
    )  # fmt: skip


def described_jpeg(path):
    picture().save(path, quality=40, xmp=XMP, comment=b"third attempt", dpi=(300, 150))
    parts = [(0xED, b"Photoshop 3.0\0" + RESOURCES), (0xE7, b"OTHER\0program's own")]
    path.write_bytes(insert_segments(path.read_bytes(), parts))


def described_tiff(path):
    tags = [(700, 1, len(XMP), XMP, True), (34377, 1, len(RESOURCES), RESOURCES, True)]
    tifffile.imwrite(
        path, smooth(), photometric="rgb", extratags=tags, description="third attempt",
        metadata=None, resolution=(300, 150), resolutionunit=2,
    )  # fmt: skip


def described_webp(path):
    picture().save(path, quality=40, xmp=XMP)


MAKERS = {
    ".png": described_png,
    ".jpg": described_jpeg,
    ".tif": described_tiff,
    ".webp": described_webp,
}


def words_of(path):
    """XMP, IPTC, texts and comments of a file, as Pillow and the bytes have them."""
    data = path.read_bytes()
    with Image.open(path) as image:
        image.load()
        info, tags = image.info, getattr(image, "tag_v2", {})
        metadata = {"xmp": info.get("xmp") or tags.get(700)}
        metadata["comment"] = info.get("comment") or info.get("Comment") or tags.get(270)
        metadata["author"] = info.get("Author")
        metadata["iptc"] = b"Example" in data or b"Example".hex() in str(info.get(
            "Raw profile type iptc", ""))  # fmt: skip
        metadata["dpi"] = tuple(round(float(n)) for n in info.get("dpi", ()))
    return metadata


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_words_go_on_or_are_named(inside, tmp_path, source, target):
    MAKERS[source](tmp_path / f"a{source}")
    output = json.loads(inside("edit", f"a{source}", "blur", "-o", f"b{target}", "--json").stdout)
    before, after = words_of(tmp_path / f"a{source}"), words_of(tmp_path / f"b{target}")
    lost = " ".join(output["lost"])
    assert bytes(after["xmp"]).strip() == XMP
    if source != ".webp":
        assert after["iptc"] != ("IPTC" in lost) and after["iptc"] == (target != ".webp")
        comment = after["comment"]
        comment = comment.decode() if isinstance(comment, bytes) else comment
        if target == ".webp" and source != ".tif":
            assert comment is None and "omment" in lost
        elif target != ".png" or source != ".tif":  # TIFF's description is EXIF elsewhere
            assert comment == "third attempt" or source == ".tif"
        if target != ".webp":
            assert after["dpi"] == (300, 150) == before["dpi"]
    if source == ".png":
        assert (after["author"] == "Example") != ("Author" in lost)
        private = (b"prVt", b"private, safe to copy")
        carried = target == ".png" and private in png_chunks((tmp_path / "b.png").read_bytes())
        assert carried != ("the chunk prVt" in lost)
    if source == ".jpg":
        own = [body for marker, body, _ in jpeg_segments((tmp_path / f"b{target}").read_bytes())
               if marker == 0xE7] if target == ".jpg" else []  # fmt: skip
        assert (own == [b"OTHER\0program's own"]) != ("APP7" in lost)
    again = json.loads(inside("edit", f"b{target}", "blur", "-o", f"c{target}", "--json").stdout)
    assert again["lost"] == [], "what was written is read whole"
    assert words_of(tmp_path / f"c{target}") == after


def gamma_chunk(gamma):
    return b"gAMA", struct.pack(">I", round(gamma * 1e5))


WIDE = b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
ENCODINGS = {
    "linear light": [gamma_chunk(1)],
    "gamma 1.8": [gamma_chunk(1 / 1.8)],
    "wide primaries": [gamma_chunk(1 / 2.2), WIDE],
    "PQ": [(b"cICP", bytes([9, 16, 0, 1]))],
    "HLG": [(b"cICP", bytes([9, 18, 0, 1]))],
    "P3": [(b"cICP", bytes([12, 13, 0, 1]))],
    "sRGB": [(b"sRGB", b"\0"), gamma_chunk(0.45455)],
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ENCODINGS)
def test_viewers_show_the_colours_they_showed(inside, tmp_path, name, suffix):
    picture().save(tmp_path / "a.png")
    with_chunks(tmp_path / "a.png", *ENCODINGS[name])
    chain = "blur:sigma=0.3"
    words = inside("edit", "a.png", chain, "-o", f"b{suffix}", "--json").stdout
    lost = json.loads(words)["lost"]
    before, after = images.read(tmp_path / "a.png"), images.read(tmp_path / f"b{suffix}")
    assert (after - before).abs().mean() < 4 / 255
    if suffix == ".png":
        assert lost == []
        chunks = list(png_chunks((tmp_path / "b.png").read_bytes()))
        assert all(chunk in chunks for chunk in ENCODINGS[name])
    else:
        assert [text.partition(" became ")[1] for text in lost] == [" became "] * (name != "sRGB")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_inks_become_the_colours_of_their_profile(inside, tmp_path, suffix):
    picture().convert("CMYK").save(tmp_path / "a.tif")
    result = json.loads(
        inside("edit", "a.tif", "blur:sigma=0.6", "-o", f"b{suffix}", "--json").stdout
    )
    assert result["lost"] == ["CMYK became RGB"]
    before, after = images.read(tmp_path / "a.tif"), images.read(tmp_path / f"b{suffix}")
    assert (after - before).abs().mean() < 4 / 255


@pytest.mark.parametrize("quality", [30, 60, 90])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_keeps_its_tables_and_the_resolution_of_its_chroma(
    inside, tmp_path, quality, subsampling, mode
):
    from PIL.JpegImagePlugin import get_sampling

    before = picture().convert(mode)
    before.save(tmp_path / "a.jpg", quality=quality, subsampling=subsampling, progressive=True)
    assert "its JPEG quality" in inside("edit", "a.jpg", "blur", "-o", "b.jpg").stdout
    with Image.open(tmp_path / "a.jpg") as single, Image.open(tmp_path / "b.jpg") as second:
        assert single.quantization == second.quantization and second.info["progressive"]
        assert get_sampling(single) == get_sampling(second)
    assert (tmp_path / "b.jpg").stat().st_size < 1.3 * (tmp_path / "a.jpg").stat().st_size


def test_a_thumbnail_shows_the_edited_picture(inside, tmp_path):
    light, exif = picture().point(lambda level: 200 + level // 5), Image.Exif()
    exif[271] = "ACME"
    small = io.BytesIO()
    Image.new("RGB", (32, 24), "black").save(small, "JPEG")
    head = exif.tobytes()
    link = 6 + 8 + 2 + 12  # behind the one entry of the first directory
    entries = struct.pack(">HHHIHH", 3, 259, 3, 1, 6, 0)
    start = len(head) - 6 + len(head) % 2
    entries += struct.pack(">HHII", 513, 4, 1, start + 42)
    entries += struct.pack(">HHIII", 514, 4, 1, small.tell(), 0)
    head = head[:link] + struct.pack(">I", start) + head[link + 4 :] + b"\0" * (len(head) % 2)
    light.save(tmp_path / "a.jpg", exif=head + entries + small.getvalue())
    inside("edit", "a.jpg", "blur", "-o", "b.jpg")
    for name, level in (("a.jpg", 0), ("b.jpg", np.asarray(light).mean())):
        with Image.open(tmp_path / name) as image:
            assert image.getexif()[271] == "ACME"
            ifd = image.getexif().get_ifd(ExifTags.IFD.IFD1)
            data = image.info["exif"][6 + ifd[513] :][: ifd[514]]
        assert np.asarray(Image.open(io.BytesIO(data))).mean() == pytest.approx(level, abs=2)
    assert "thumbnail" in inside("edit", "a.jpg", "blur", "-o", "b.tif").stdout


@pytest.mark.parametrize("quality", [20, 50, 75, 90])
def test_a_lossy_webp_stays_one_of_about_its_quality(inside, tmp_path, quality):
    picture().resize((320, 240)).save(tmp_path / "a.webp", quality=quality)
    assert "WebP quality" in inside("edit", "a.webp", "blur:sigma=0.3", "-o", "b.webp").stdout
    sizes = [(tmp_path / f"{name}.webp").stat().st_size for name in "ab"]
    assert 0.6 < sizes[1] / sizes[0] < 1.6
    picture().save(tmp_path / "c.webp", lossless=True)
    assert "quality" not in inside("edit", "c.webp", "blur", "-o", "d.webp").stdout
    assert images.original(tmp_path / "d.webp").metadata.coding.quality is None


@pytest.mark.parametrize(
    ("compression", "number"),
    [("raw", 1), ("tiff_lzw", 5), ("tiff_adobe_deflate", 8), ("packbits", 32773)],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_a_tiff_keeps_its_compression(inside, tmp_path, compression, number, mode):
    values = np.maximum(smooth(96, 70, 4), 1)  # what is clear has no colour of its own
    if mode == "I;16":
        before = Image.fromarray(np.uint16(values[..., 0]) * 257)
    else:
        before = Image.fromarray(values).convert(mode)
    before.save(tmp_path / "a.tif", compression=compression)
    inside("edit", "a.tif", "median", "-o", "b.tif")
    with Image.open(tmp_path / "b.tif") as after:
        assert after.tag_v2[259] == number
        expected = images.original(tmp_path / "a.tif")
        result = images.original(tmp_path / "b.tif")
    assert result.samples == expected.samples
    torch.testing.assert_close(result.pixels, median(expected.pixels), rtol=0, atol=1e-6)


# Numbers ---------------------------------------------------------------------------------------


def metres(kind):
    """A surface in units of its own, far from [0, 1]."""
    y, x = np.mgrid[:60, :80]
    surface = 40 * np.sin(x / 9) + 50 * np.cos(y / 7) + y
    if np.dtype(kind).kind == "u":
        surface = surface + 1e4
    if kind == "int8":
        surface = surface / 2
    return surface.astype(kind)


KINDS = ["float16", "float32", "float64", "int8", "int16", "int32", "uint32"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_come_back_in_their_units_and_type(inside, tmp_path, kind, channels):
    before = np.stack([metres(kind) + i for i in range(channels)], -1).astype(kind).squeeze()
    photometric = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", before, photometric=photometric)
    line = inside("edit", "a.tif", "blur:sigma=2").stdout
    assert f"{kind} from " in line and "without" not in line
    after = tifffile.imread(tmp_path / "a.blur.tif")
    assert after.dtype == before.dtype and after.shape == before.shape
    sigmas = (2, 2, 0)[: before.ndim]
    expected = gaussian_filter(before.astype(float), sigmas, mode="mirror", truncate=4)
    tolerance = 0.51 if np.dtype(kind).kind != "f" else {"float16": 0.1}.get(kind, 1e-3)
    assert np.abs(after.astype(float) - expected).max() <= tolerance
    inside("edit", "a.tif", "erode", "--in-place")
    eroded = tifffile.imread(tmp_path / "a.tif")
    levels = np.unique(before).astype(float)
    off = np.abs(levels - eroded.astype(float)[..., None]).min(-1)
    assert eroded.dtype == before.dtype and off.max() <= (1e-12 if kind == "float64" else 0)


def test_what_goes_beyond_the_extremes_is_not_cut(inside, tmp_path):
    before = metres("float32")
    tifffile.imwrite(tmp_path / "a.tif", before)
    inside("edit", "a.tif", "unsharp:alpha=6,sigma=2, blur:sigma=1", "-o", "b.tif")
    after = tifffile.imread(tmp_path / "b.tif")
    x = before.astype(float)
    x = x + 6 * (x - gaussian_filter(x, 2, mode="mirror", truncate=4))
    expected = gaussian_filter(x, 1, mode="mirror", truncate=4)
    assert expected.max() > before.max() + 5 and expected.min() < before.min() - 5
    assert np.abs(after - expected).max() < 2e-3


def test_what_was_not_measured_stays_so(inside, tmp_path):
    before = metres("float32")
    before[10:14, 20:30], before[40, 40] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "a.tif", before)
    inside("edit", "a.tif", "blur", "-o", "b.tif")
    after = tifffile.imread(tmp_path / "b.tif")
    np.testing.assert_array_equal(np.isnan(after), np.isnan(before))
    np.testing.assert_array_equal(np.isinf(after), np.isinf(before))


def test_two_files_of_other_extremes_are_not_stretched_apart(inside, tmp_path):
    for name, limit in (("near", 212.25), ("far", 271.25)):
        ramp = np.linspace(12.5, limit, 80 * 60, dtype=np.float32).reshape(60, 80)
        tifffile.imwrite(tmp_path / f"{name}.tif", ramp)
    inside("edit", "near.tif", "blur:sigma=0.3", "-o", "n.tif")
    inside("edit", "far.tif", "blur:sigma=0.3", "-o", "f.tif")
    for name, before in (("n", "near"), ("f", "far")):
        single, second = (tifffile.imread(tmp_path / f"{path}.tif") for path in (name, before))
        assert np.abs(single - second).max() < 1.5 and single.dtype == np.float32


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_formats_of_whole_numbers_need_a_range(inside, tmp_path, suffix):
    tifffile.imwrite(tmp_path / "a.tif", metres("float32"))
    words = ("edit", "a.tif", "blur", "-o", f"b{suffix}")
    output = inside(*words, expect=1).output
    assert "--data-range" in output and ".tif" in output and output.count("\n") == 1
    line = inside(*words, "--data-range", "-200,200").stdout
    assert "float32 from -200 to 200 became" in line
    result = images.read(tmp_path / f"b{suffix}").mean().item()
    assert result == pytest.approx((metres("float32").mean() + 200) / 400, abs=0.01)
    tifffile.imwrite(tmp_path / "unit.tif", metres("float32") / 400 + 0.5)
    assert "became" in inside("edit", "unit.tif", "blur", "-o", f"c{suffix}").stdout


def test_original_refuses_numbers_without_a_scale_unless_they_come_back(tmp_path):
    before = metres("int16")
    tifffile.imwrite(tmp_path / "a.tif", before)
    with pytest.raises(BadFile, match="needs a scale"):
        images.original(tmp_path / "a.tif")
    stated = images.original(tmp_path / "a.tif", data_range=(0, 100))
    assert stated.samples.white == 100 and stated.samples.stated
    result = images.original(tmp_path / "a.tif", own_scale=True)
    assert (result.samples.black, result.samples.white) == (before.min(), before.max())
    for picture in (stated, result):
        images.save(tmp_path / "b.tif", picture)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), before)


def test_floats_whose_smallest_number_is_white_stay_so(inside, tmp_path):
    before = metres("float32")
    tifffile.imwrite(tmp_path / "a.tif", before, photometric="miniswhite")
    result = images.original(tmp_path / "a.tif", own_scale=True)
    darkest = np.unravel_index(before.argmax(), before.shape)
    assert result.pixels[0, 0][darkest] == 0
    inside("edit", "a.tif", "median", "-o", "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].photometric == 0
        assert np.abs(file.asarray() - before).max() < 25


def test_a_folder_of_floats(inside, tmp_path):
    (tmp_path / "depth").mkdir()
    for i in range(3):
        tifffile.imwrite(tmp_path / "depth" / f"{i}.tif", metres("float32") * (i + 1))
    inside("edit", "depth", "median")
    for i in range(3):
        after = tifffile.imread(tmp_path / "depth.median" / f"{i}.tif")
        assert after.dtype == np.float32
        assert np.abs(after - metres("float32") * (i + 1)).max() < 25 * (i + 1)


@pytest.mark.parametrize("kind", ["float32", "int16"])
def test_packed_and_unpacked_numbers_are_in_their_units(inside, tmp_path, kind):
    tifffile.imwrite(tmp_path / "a.tif", metres(kind))
    inside("edit", "a.tif", "compress:quality=95", "-o", "a.imr")
    inside("edit", "a.imr", "decode", "-o", "b.tif")
    after = tifffile.imread(tmp_path / "b.tif")
    assert after.dtype == kind and np.abs(after - metres(kind).astype(float)).max() < 3


@pytest.mark.parametrize(
    ("mode", "output"), [("1", "gray from 1 bit"), ("P", "RGB from a palette")]
)
def test_what_bits_and_palettes_become_is_said(inside, tmp_path, mode, output):
    picture().convert(mode).save(tmp_path / "a.png")
    assert f"8 bits, {output}; " in inside("edit", "a.png", "blur").stdout


# Doing nothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_that_comes_out_as_it_was_is_copied_and_that_is_said(inside, tmp_path, suffix):
    MAKERS[suffix](tmp_path / f"a{suffix}")
    before = (tmp_path / f"a{suffix}").read_bytes()
    assert (
        "; nothing changed; "
        in inside("edit", f"a{suffix}", "blur:sigma=0", "-o", f"b{suffix}").stdout
    )
    assert (tmp_path / f"b{suffix}").read_bytes() == before
    result = json.loads(inside("edit", f"a{suffix}", "blur:sigma=0", "--in-place", "--json").stdout)
    assert result["unchanged"] and (tmp_path / f"a{suffix}").read_bytes() == before


def test_a_picture_without_noise_is_left_and_that_is_said(inside, tmp_path):
    ramp = np.uint8(np.linspace(0, 255, 200))[None].repeat(160, 0)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    line = inside("edit", "a.png", "denoise").stdout
    assert "denoise: no noise found (σ < 0.3/255): left as it was" in line and "noise=" in line
    assert "nothing changed" in line


def test_what_is_measured_is_said(inside, tmp_path):
    (tmp_path / "noisy").mkdir()
    for i, noise in enumerate((0.05, 0.1)):
        values = smooth(128, 160) / 255 + noise * RNG.standard_normal((128, 160, 3))
        values = np.uint8(values.clip(0, 1) * 255)
        Image.fromarray(values).save(tmp_path / "noisy" / f"{i}.png")
    result = json.loads(inside("edit", "noisy/0.png", "denoise", "--json").stdout)
    [single] = result["measured"]
    assert single["operation"] == "denoise" and single["values"]["noise"] == pytest.approx(
        0.05, rel=0.3
    )
    output = inside("edit", "noisy", "denoise, stretch", "-o", "clean").stdout
    low, high = output.split("denoise: noise ")[1].split("\n")[0].split(" to ")
    assert float(low) == pytest.approx(0.05, rel=0.3) and float(high) == pytest.approx(0.1, rel=0.3)
    assert "stretch: black 0" in output and "white 0" in output
    for chain, word in (("enhance", "band_1"), ("bandpass", "contrast_passed")):
        result = json.loads(inside("edit", "noisy/0.png", chain, "--json").stdout)
        assert result["measured"][0]["values"][word] > 0


def test_a_folder_says_what_it_lost(inside, tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(2):
        inks(tmp_path / "in" / f"{i}.jpg")
    frames(tmp_path / "in" / "moving.webp", "WEBP")
    result = json.loads(inside("edit", "in", "blur", "-o", "out", "--json").stdout)
    assert result["lost"] == {"CMYK became RGB": 2, "further images in the file": 1}
    assert (
        "2 have lost or changed: CMYK became RGB" in inside("edit", "in", "blur", "-o", "o2").stdout
    )


def test_frames_are_read_as_written(tmp_path):
    """The fixtures of this file hold what they say."""
    frames(tmp_path / "a.webp", "WEBP")
    with Image.open(tmp_path / "a.webp") as image:
        assert len(list(ImageSequence.Iterator(image))) == 4
