"""`imrep edit`: files and folders through chains of operations."""

import base64
import csv
import json
import re
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

import imrep as package
from imrep import images
from imrep.codec import packed
from imrep.images import UINT16, Original
from imrep.ops import metrics
from imrep.registry import operations


@pytest.fixture
def deep(tmp_path):
    """A ramp of sixteen bits with transparency, a profile and EXIF."""
    from PIL import ImageCms

    ramp = torch.linspace(0.2, 0.6, 64 * 80).view(1, 1, 64, 80).expand(1, 3, 64, 80).clone()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[271] = "ACME"
    alpha = torch.linspace(0, 1, 80).expand(1, 1, 64, 80)
    images.save(
        tmp_path / "deep.png", Original(ramp, alpha, UINT16, profile, exif.tobytes(), (300, 300))
    )
    return tmp_path / "deep.png"


def test_a_chain_on_a_file(installed, cat):
    printed = installed("edit", "cat.png", "stretch, unsharp:alpha=0.7", cwd=cat.parent)
    assert re.fullmatch(
        r"cat\.stretch-unsharp\.png  60×48, 8 bits, RGB; stretch: black [\d.]+, white [\d.]+; "
        r"\d+\.\d s\n",
        printed.stdout,
    )
    assert printed.stderr == ""
    expected = package.apply_edits(images.read(cat), "stretch, unsharp:alpha=0.7")
    result = images.read(cat.parent / "cat.stretch-unsharp.png")
    assert_close(result, expected, rtol=0, atol=0.51 / 255)


def test_nothing_is_rounded_between_operations(inside, tmp_path):
    flat = Image.fromarray(np.repeat(np.arange(100, 104, dtype=np.uint8)[None], 8, 0).repeat(8, 1))
    flat.save(tmp_path / "flat.png")
    inside("edit", "flat.png", "blur:sigma=6, stretch:low=0,high=100", "-o", "smooth.png")
    with Image.open("smooth.png") as image:
        assert len(np.unique(np.asarray(image))) > 25, "four levels drawn out stay four"


def test_an_edit_preserves_depth_profile_exif_and_transparency(inside, deep):
    printed = inside("edit", "deep.png", "blur", "-o", "new/out.png").stdout
    assert re.match(
        r"new/out\.png  80×64, 16 bits, RGB; with transparency, ICC profile, EXIF; ", printed
    )
    before, after = images.original(deep), images.original("new/out.png")
    assert after.bits == 16 and after.profile == before.profile and after.exif == before.exif
    assert_close(after.alpha, before.alpha)
    assert len(after.pixels.unique()) > 1000
    assert_close(
        after.pixels[..., 30:34, 30:50], before.pixels[..., 30:34, 30:50], rtol=0, atol=2e-3
    )


def test_what_a_format_cannot_hold_is_reported(inside, deep):
    printed = inside("edit", "deep.png", "blur", "-o", "out.jpg").stdout
    assert (
        "8 bits, RGB; with ICC profile, EXIF; without 16 bits and transparency, which JPG"
        in printed
    )


def test_gray_of_colours_leaves_the_profile_behind(inside, deep):
    assert "gray; with transparency, EXIF;" in inside("edit", "deep.png", "edges").stdout
    assert images.original("deep.edges.png").profile is None


def test_json(inside, cat):
    result = json.loads(inside("edit", "cat.png", "stretch", "--json").stdout)
    assert result.pop("seconds") > 0
    [measured] = result.pop("measured")
    assert measured["operation"] == "stretch" and measured["values"]["white"] > 0.5
    assert result == {
        "path": "cat.stretch.png",
        "chain": "stretch",
        "image": "60×48, 8 bits, RGB",
        "preserved": [],
        "lost": [],
        "further": False,
        "unchanged": False,
        "figures": None,
        "curve": [],
    }


def test_the_input_is_overwritten_only_on_request(inside, cat):
    before = cat.read_bytes()
    printed = inside("edit", "cat.png", "blur", "-o", "cat.png", expect=1).output
    assert printed == "edit would write over cat.png. Use another -o, or --in-place.\n"
    (cat.parent / "link.png").symlink_to(cat)
    inside("edit", "cat.png", "blur", "-o", "link.png", expect=1)
    assert cat.read_bytes() == before
    inside("edit", "cat.png", "blur", "--in-place")
    assert cat.read_bytes() != before and [p.name for p in cat.parent.glob(".*")] == []
    inside("edit", "cat.png", "blur", "--in-place", "-o", "other.png", expect=1)


def test_a_further_picture_is_spared_too(inside, cat):
    images.write(cat.parent / "b.png", torch.zeros(1, 3, 48, 60))
    words = ("edit", "cat.png", "blend:with=b.png,mask=b.png", "-o")
    assert "would write over b.png" in inside(*words, "b.png", expect=1).output
    inside(*words, "both.png")


@pytest.mark.parametrize(
    ("chain", "printed"),
    [
        ("unsharpen", r"no operation is called 'unsharpen'. Did you mean 'unsharp'\?"),
        ("blur:sigma=-1", "blur needs sigma .*got -1"),
        ("blend:with=nothing.png,mask=cat.png", "nothing.png"),
        ("blend:with=cat.png,mask=small.png", "blend needs .*48.60.*, got 5.5"),
        ("sharpen:kernel='1 2'", "sharpen"),
        ("poster:colours=100000", "poster needs"),
        ("decode", r"decode needs a packed image, got cat\.png"),
        ("compress, blur", "blur needs an image, got a packed image from compress"),
        ("compress:quality=0", "compress needs quality from 1 to 100, got 0"),
    ],
)
def test_what_cannot_be_done_is_one_line(inside, cat, chain, printed):
    images.write(cat.parent / "small.png", torch.zeros(1, 1, 5, 5))
    before = {path.name for path in cat.parent.iterdir()}
    output = inside("edit", "cat.png", chain, expect=1).output
    assert re.search(printed, output) and output.count("\n") == 1, output
    assert {path.name for path in cat.parent.iterdir()} == before


def test_files_that_cannot_be_read_or_written(inside, cat):
    (cat.parent / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    assert inside("edit", "broken.jpg", "blur", expect=1).output.startswith("broken.jpg ")
    assert "does not exist" in inside("edit", "none.png", "blur", expect=1).output
    (cat.parent / "file").write_text("")
    printed = inside("edit", "cat.png", "blur", "-o", "file/x.png", expect=1).output
    assert re.match(r"file/x\.png cannot be written: .*\n$", printed)
    assert "got 'x.bmp'" in inside("edit", "cat.png", "blur", "-o", "x.bmp", expect=1).output


def test_only_the_first_of_several_pictures_is_edited(inside, tmp_path):
    frames = [Image.new("L", (12, 10), shade) for shade in (40, 120, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    printed = inside("edit", "a.gif", "blur").stdout
    assert printed.startswith(
        "a.blur.png  12×10, 8 bits, RGB from a palette, the first of 3 images; "
    )
    assert images.read("a.blur.png").mean() == pytest.approx(40 / 255, abs=0.01)


def test_a_warning_is_a_remark(inside, tmp_path):
    images.write(tmp_path / "flat.png", torch.full((1, 3, 8, 8), 0.4))
    done = inside("edit", "flat.png", "stretch")
    assert done.stdout.startswith("flat.stretch.png  8×8") and done.stderr.count("\n") == 1
    assert inside("edit", "flat.png", "stretch", "-q").stderr == ""


def test_packed_and_unpacked(inside, deep):
    printed = inside("edit", "deep.png", "compress:quality=90", "-o", "new/small.imr").stdout
    figures = re.fullmatch(
        r"new/small\.imr  80×64, 16 bits, RGB; ([\d.]+) bits per pixel \(([\d,]+) bytes\), "
        r"PSNR ([\d.]+) dB, SSIM ([\d.]+); with transparency, ICC profile, EXIF; \d+\.\d s\n",
        printed,
    ).groups()
    bits, size, psnr, ssim = (float(figure.replace(",", "")) for figure in figures)
    assert size == Path("new/small.imr").stat().st_size
    assert bits == pytest.approx(8 * size / (80 * 64), rel=0.01)
    inside("edit", "new/small.imr", "decode", "-o", "again.png")
    before, after = images.original(deep), images.original("again.png")
    assert (after.bits, after.profile, after.exif) == (16, before.profile, before.exif)
    assert_close(after.alpha, before.alpha)
    assert metrics.psnr(after.pixels, before.pixels) == pytest.approx(psnr, abs=0.1) and psnr > 40
    assert metrics.ssim(after.pixels, before.pixels) == pytest.approx(ssim, abs=0.01)
    inside("edit", "new/small.imr", "decode, stretch, compress", "-o", "smaller.imr")
    printed = inside("edit", "new/small.imr", "blur", expect=1).output
    assert printed == "blur needs an image, got small.imr. Put decode before it.\n"


def test_a_rate_curve(inside, cat):
    printed = inside("edit", "cat.png", "compress", "--curve", "rate.svg").stdout.splitlines()
    assert (
        printed[0].startswith("cat.imr  60×48, 8 bits, RGB; ")
        and printed[1].split()[0] == "quality"
    )
    assert {line.split()[0] for line in printed[2:-1]} == {"dct", "laplacian", "jpeg"}
    assert printed[-1] == "rate.svg  PSNR and SSIM against bits per pixel"
    assert Path("rate.svg").read_text().startswith("<svg")
    result = json.loads(inside("edit", "cat.png", "compress", "--curve", "r.png", "--json").stdout)
    assert len(result["curve"]) == len(printed) - 3
    psnr = [point["psnr"] for point in result["curve"] if point["method"] == "dct"]
    assert psnr == sorted(psnr)
    for words, complaint in (
        (("cat.png", "compress", "--curve", "r.gif"), "got 'r.gif'"),
        (("cat.png", "blur", "--curve", "r.png", "-o", "b.png"), "needs compress as the last step"),
        ((".", "compress", "--curve", "r.png"), "with one image, got ."),
    ):
        assert complaint in inside("edit", *words, expect=1).output
    assert not Path("b.png").exists()


def test_what_stands_in_an_imr_file_is_not_believed(inside, deep):
    inside("edit", "deep.png", "compress")
    complete = packed.read("deep.imr")
    for words, tensors, printed in (
        ({"samples": "many"}, {}, "needs valid metadata"),
        ({"samples": "uint8 0 inf 1"}, {}, "needs valid metadata"),
        ({"samples": "object 0 1 1"}, {}, "needs valid metadata"),
        ({"words": "[]"}, {}, "needs valid metadata"),
        ({"encoding": "1"}, {}, "needs valid metadata"),
        ({"exif": "no base64!"}, {}, "needs valid metadata"),
        ({}, {"alpha": torch.zeros(3, 5, dtype=torch.uint8)}, "needs alpha of"),
    ):
        packed.write(complete.adding(words, tensors), "other.imr")
        assert printed in inside("edit", "other.imr", "decode", expect=1).output
    words = base64.b64encode(b"junk" * 40).decode()
    junk = {"exif": words, "profile": words, "dpi": "1e30 nan"}
    packed.write(complete.adding(junk, {}), "other.imr")
    for suffix in (".png", ".tif", ".jpg"):
        printed = inside("edit", "other.imr", "decode", "-o", f"other{suffix}").stdout
        assert "EXIF" not in printed and "ICC" not in printed
        assert images.read(f"other{suffix}").shape == (1, 3, 64, 80)
    Path("other.imr").write_bytes(Path("deep.imr").read_bytes()[:400])
    assert "truncated" in inside("edit", "other.imr", "decode", expect=1).output


def test_a_folder_is_packed_and_unpacked(inside, photos):
    result = json.loads(inside("edit", "photos", "compress", "-o", "small", "--json").stdout)
    assert result["written"] == 12 and result["figures"]["psnr"] > 25
    assert len(list(Path("small").rglob("*.png.imr"))) == 12
    result = json.loads(inside("edit", "small", "decode", "-o", "again", "--json").stdout)
    assert result["written"] == 12 and Path("again/a/00.png.png").is_file()


def test_a_folder(inside, photos):
    (photos / "b" / "one.bmp").write_bytes(b"")
    Image.open(photos / "a" / "00.png").save(photos / "b" / "one.bmp")
    printed = inside("edit", "photos", "stretch", "-o", "out", "--strict", expect=3).stdout
    assert re.fullmatch(
        r"1 skipped, with reasons in out\.skipped\.csv\n"
        r"stretch: black [\d. to]+, white [\d. to]+\nout  13 images; \d+\.\d s\n",
        printed,
    )
    names = sorted(p.relative_to("out").as_posix() for p in Path("out").rglob("*.png"))
    assert names == sorted([f"{'ab'[i % 2]}/{i:02}.png" for i in range(12)] + ["b/one.bmp.png"])
    [row] = csv.DictReader(Path("out.skipped.csv").read_text().splitlines())
    assert row["path"] == "a/broken.jpg"
    expected = package.apply_edits(images.read(photos / "a" / "02.png"), "stretch")
    assert_close(images.read("out/a/02.png"), expected, rtol=0, atol=0.51 / 255)
    assert not (photos.parent / "out.parts").exists()


def test_an_archive_goes_to_a_folder_of_its_name(inside, photos):
    with zipfile.ZipFile("pack.zip", "w") as archive:
        archive.write(photos / "a" / "00.png", "../../sly.png")
        archive.write(photos / "a" / "02.png", "deep/er.png")
    result = json.loads(inside("edit", "pack.zip", "blur", "--json").stdout)
    assert result["written"] == 2 and result["skipped"] == [] and result["resumed"] == 0
    out = photos.parent / result["path"]
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png")) == [
        "deep/er.png",
        "sly.png",
    ]


def test_folders_that_are_refused(inside, photos):
    assert (
        "with one image, got photos. Use -o."
        in inside("edit", "photos", "blur", "--in-place", expect=1).output
    )
    printed = inside("edit", "photos", "blur", "-o", "photos", expect=1).output
    assert "among the images it reads" in printed
    for out in ("photos/new", "photos/a", "."):
        printed = inside("edit", "photos", "blur", "-o", out, expect=1).output
        assert "among the images it reads" in printed
    assert not Path("photos/new").exists()
    printed = inside("edit", "photos", "blur:sigma=-1", "-o", "out", expect=1).output
    assert printed.startswith("blur needs sigma") and printed.count("\n") == 1


def test_a_run_that_was_interrupted_goes_on(inside, photos, monkeypatch):
    from imrep.edit import folder

    real, done = folder.edit_file, []

    def interrupted(*args):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(args)
        return real(*args)

    monkeypatch.setattr(folder, "edit_file", interrupted)
    printed = inside("edit", "photos", "blur", "-o", "out", expect=130)
    assert "The progress is saved. To resume: imrep" in printed.stderr
    monkeypatch.setattr(folder, "edit_file", real)
    result = json.loads(inside("edit", "photos", "blur", "-o", "out", "--json").stdout)
    assert result["resumed"] == 5 and result["written"] == 12


def test_another_chain_starts_anew(inside, photos, monkeypatch):
    from imrep.edit import folder

    real = folder.edit_file
    monkeypatch.setattr(
        folder, "edit_file", lambda data, chain, out: out.name > "05" and real.missing
    )
    with pytest.raises(AttributeError):
        inside("edit", "photos", "blur", "-o", "out")
    monkeypatch.setattr(folder, "edit_file", real)
    result = json.loads(inside("edit", "photos", "blur:sigma=3", "-o", "out", "--json").stdout)
    assert result["resumed"] == 0


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_files(forking, photos, tmp_path):
    words = ("edit", photos, "stretch, unsharp", "--threads", 1, "-o")
    began = time.perf_counter()
    assert forking.run(*words, tmp_path / "whole") == 0
    takes = time.perf_counter() - began
    moments = np.random.default_rng(0).uniform(0.2, 1, 8) * takes
    for moment in moments:
        forking.run(*words, tmp_path / "killed", kill_after=float(moment))
        complete = [p for p in (tmp_path / "killed").rglob("*.png") if not p.name.startswith(".")]
        for path in complete:
            Image.open(path).load()
    assert forking.run(*words, tmp_path / "killed") == 0
    for path in (tmp_path / "whole").rglob("*.*"):
        second = tmp_path / "killed" / path.relative_to(tmp_path / "whole")
        assert second.read_bytes() == path.read_bytes()


def test_help_lists_the_operations_and_about_describes_one(imrep):
    listed = imrep("edit", "--help").stdout
    assert all(re.search(rf"^  {name} +\S", listed, re.M) for name in operations.names())
    printed = imrep("edit", "--about", "blend").stdout
    assert printed.startswith("blend\n") and "  with=FILE\n" in printed and "doi:" in printed
    assert "no operation" in imrep("edit", "--about", "nothing", expect=1).stderr
