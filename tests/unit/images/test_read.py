"""images: laws of reading, then each kind of file, then everything that is refused."""

import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from imrep import images
from imrep.errors import BadFile, BadImage, BadParameter
from imrep.images.decode import guards, srgb
from imrep.images.orientation import upright as upright_view
from imrep.ops import resize


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(height=48, width=64, seed=0):
    """Smooth, coloured and nowhere symmetrical, as photographs are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 32
    waves = [np.sin(a * x + b * y + c) for a, b, c in rng.uniform(0.3, 3, (9, 3))]
    levels = 127 + 40 * np.stack(waves, -1).reshape(height, width, 3, 3).sum(-1)
    return Image.fromarray(np.clip(levels + rng.normal(0, 3, levels.shape), 0, 255).astype("uint8"))


def levels(data, **options):
    """What `read` gives as (h, w, 3), times 255."""
    return images.read(data, **options)[0].permute(1, 2, 0).double().numpy() * 255


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


def canvas_in_float(image, size):
    """The definition: the exact central square, antialiased with a triangle, in doubles."""
    pixels = np.asarray(image.convert("RGB"), float)
    short = min(pixels.shape[:2])

    def weights(side):
        scale = short / size
        centre = (side - short) / 2 + (np.arange(size) + 0.5) * scale
        away = np.abs(np.arange(side) + 0.5 - centre[:, None]) / max(scale, 1)
        near = np.clip(1 - away, 0, None)
        return near / near.sum(1, keepdims=True)

    rows, columns = (weights(side) for side in pixels.shape[:2])
    halfway = np.tensordot(rows, pixels, (1, 0))
    return np.tensordot(halfway, columns, (1, 1)).swapaxes(1, 2)


class TestLaws:
    def test_pixels_are_those_of_the_file(self):
        image = photo(31, 17)
        tensor = images.read(saved(image))
        assert tensor.shape == (1, 3, 31, 17) and tensor.dtype == torch.float32
        assert np.array_equal(levels(saved(image)).round(), np.asarray(image))

    @pytest.mark.parametrize("size", [1, 7, 32, 48, 100])
    @pytest.mark.parametrize("shape", [(48, 64), (65, 48), (51, 50), (33, 500)])
    def test_a_square_is_the_exact_central_one(self, shape, size):
        image = photo(*shape)
        square, _ = images.square(saved(image), size)
        assert square.shape == (size, size, 3) and square.dtype == np.uint8
        assert np.abs(square - canvas_in_float(image, size)).max() <= 1.5  # two roundings

    @pytest.mark.parametrize("resampling", ["bilinear", "bicubic"])
    @pytest.mark.parametrize("shape", [(48, 64), (65, 48)])
    def test_a_crop_is_the_centre_of_the_central_square(self, shape, resampling):
        image = photo(*shape)
        short, (width, height) = 0.875 * min(shape), image.size
        left, top = (width - short) / 2, (height - short) / 2
        box = (left, top, left + short, top + short)
        expected = image.resize((28, 28), Image.Resampling[resampling.upper()], box=box)
        square, _ = images.square(saved(image), 28, crop=0.875, resampling=resampling)
        assert np.array_equal(square, np.asarray(expected))

    def test_a_jpeg_is_decoded_at_twice_the_target_of_its_crop(self):
        image = photo(501, 703)
        data = saved(image, "JPEG", quality=95)
        square, _ = images.square(data, 60, crop=0.5)
        whole, _ = images.square(data, 120)
        assert np.abs(square.astype(int) - whole[30:90, 30:90]).max() <= 1

    @pytest.mark.parametrize("size", [16, 40, 120])
    def test_shrinking_while_decoding_changes_little(self, size):
        image = photo(501, 703)
        data = saved(image, "JPEG", quality=95)
        full = canvas_in_float(Image.open(io.BytesIO(data)), size)
        assert psnr(images.square(data, size)[0], full) > 50

    @pytest.mark.parametrize("turn", range(1, 9))
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
    def test_every_orientation_ends_upright(self, turn, kind):
        upright = photo(200, 150)
        stored = Image.fromarray(np.ascontiguousarray(_stored(np.asarray(upright), turn)))
        exif = Image.Exif()
        exif[0x0112] = turn
        data = saved(stored, kind, exif=exif)
        assert psnr(levels(data), np.asarray(upright)) > 30
        square, facts = images.square(data, 18)  # the JPEG is decoded at a quarter
        assert psnr(square, canvas_in_float(upright, 18)) > 30
        assert (facts.width, facts.height) == (150, 200)

    def test_without_a_size_a_square_is_what_read_gives(self):
        data = saved(photo(20, 31))
        whole, _ = images.square(data, None)
        assert np.array_equal(whole, levels(data).round())

    @pytest.mark.parametrize("mode", ["RGB", "L"])
    @pytest.mark.parametrize("size", [None, 30, 64])
    def test_simplejpeg_and_pillow_give_the_same(self, mode, size, monkeypatch):
        pytest.importorskip("simplejpeg")
        data = saved(photo(300, 401).convert(mode), "JPEG", quality=85)
        fast, facts = images.square(data, size)
        monkeypatch.setattr(srgb, "_turbo", lambda: None)
        plain, same = images.square(data, size)
        assert np.abs(fast.astype(int) - plain).max() <= 1 and facts == same

    @pytest.mark.parametrize("shape", [(1, 10000), (10000, 1), (1, 1), (3, 2)])
    def test_extreme_shapes_and_tiny_images_have_a_square(self, shape):
        image = Image.new("RGB", shape, (10, 200, 90))
        assert (images.square(saved(image), 64)[0] == (10, 200, 90)).all()
        assert images.read(saved(image)).shape == (1, 3, shape[1], shape[0])


def _stored(upright, turn):
    """The pixels that a camera held that way would have written (inverse of the EXIF turn)."""
    inverse = {6: 8, 8: 6}.get(turn, turn)
    return upright_view(upright, inverse)


class TestKinds:
    def test_exif_turns_are_those_of_the_standard(self):
        corner = np.zeros((2, 3), int)
        corner[0, 0] = 1  # the stored first pixel: where the standard says it belongs upright
        places = {
            1: (0, 0),
            2: (0, 2),
            3: (1, 2),
            4: (1, 0),
            5: (0, 0),
            6: (0, 1),
            7: (2, 1),
            8: (2, 0),
        }
        for turn, place in places.items():
            upright = upright_view(corner, turn)
            assert upright.shape == ((2, 3) if turn < 5 else (3, 2))
            assert tuple(np.argwhere(upright)[0]) == place

    def test_16_bit_gray_keeps_every_level(self):
        values = np.array([[0, 1, 255, 256], [40000, 65533, 65534, 65535]], np.uint16)
        for kind in ("PNG", "TIFF"):
            tensor = images.read(saved(Image.fromarray(values), kind))
            assert tensor.shape == (1, 3, 2, 4) and (tensor[0, 0] == tensor[0, 2]).all()
            assert np.array_equal((tensor[0, 0].double() * 65535).round().numpy(), values)

    @pytest.mark.parametrize("kind", [".png", ".tif"])
    def test_16_bit_colour_keeps_every_level(self, kind):
        import cv2

        values = np.random.default_rng(0).integers(0, 65536, (6, 7, 3), dtype=np.uint16)
        data = cv2.imencode(kind, values[..., ::-1])[1].tobytes()
        assert np.array_equal((levels(data) / 255 * 65535).round(), values)
        square, facts = images.square(data, None)
        assert np.array_equal(square, np.rint(values / 257)) and facts.mode == "RGB"

    def test_16_bit_alpha_is_laid_over_the_colour(self):
        import cv2

        values = np.full((2, 2, 4), 65535, np.uint16)
        values[..., 3] = [[0, 65535], [32768, 13107]]
        red = levels(cv2.imencode(".png", values)[1].tobytes(), over="#000000") / 255
        assert np.allclose(red[..., 0], values[..., 3] / 65535, atol=1e-6)

    @pytest.mark.parametrize("ends", [(0, 1), (0.2, 0.7), (0, 0)])
    def test_floats_within_0_and_1_are_taken_as_they_are(self, ends):
        values = np.linspace(*ends, 12, dtype=np.float32).reshape(3, 4)
        tensor = images.read(saved(Image.fromarray(values), "TIFF"))
        assert torch.aminmax(tensor) == pytest.approx(ends, abs=1e-6)

    @pytest.mark.parametrize("ends", [(0, 255), (0, 1.001), (-0.02, 1), (-7, -7)])
    def test_other_floats_need_a_scale(self, ends):
        values = np.linspace(*ends, 12, dtype=np.float32).reshape(3, 4)
        data = saved(Image.fromarray(values), "TIFF")
        for attempt in (images.read, images.original, lambda data: images.square(data, 2)):
            with pytest.raises(BadFile, match=r"needs a scale: 32-bit floats .*--data-range"):
                attempt(data)
        tensor = images.read(data, data_range=(-10, 300))
        assert tensor[0, 0].numpy() == pytest.approx((values + 10) / 310, abs=1e-6)
        assert (images.read(data, data_range=(-100, -50)) == 1).all()

    def test_nan_and_infinity_in_a_float_tiff_become_black(self):
        values = np.array([[np.nan, 0.5], [np.inf, 1]], np.float32)
        assert images.read(saved(Image.fromarray(values), "TIFF"))[0, 0].tolist() == [
            [0, 0.5],
            [0, 1],
        ]

    def test_palette_gray_and_colour_transparency_show_the_colour_below(self):
        clear = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
        clear.putpalette([255, 0, 0, 0, 255, 0])
        gray = Image.fromarray(np.array([[[9, 0], [50, 255]]], np.uint8), "LA")
        colour = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
        below = (0, 0, 255)
        for data, opaque in (
            (saved(clear, transparency=0), (0, 255, 0)),
            (saved(gray), (50, 50, 50)),
            (saved(colour, transparency=(1, 2, 3)), (4, 5, 6)),
            (saved(clear, "GIF", transparency=0), (0, 255, 0)),
        ):
            assert levels(data, over="blue").round().tolist() == [[[*below], [*opaque]]]
            assert images.square(data, None, over="blue")[0].tolist() == [[[*below], [*opaque]]]

    def test_half_transparent_is_half_white(self):
        data = saved(Image.new("RGBA", (2, 2), (100, 0, 0, 128)))
        assert levels(data)[0, 0] == pytest.approx((177, 127, 127), abs=1)

    def test_other_modes_become_rgb(self):
        for mode, kind, value in (
            ("1", "PNG", 1), ("L", "PNG", 255), ("CMYK", "TIFF", (0, 0, 0, 0)),
            ("CMYK", "JPEG", (0, 0, 0, 0)), ("YCbCr", "TIFF", (255, 128, 128)),
            ("LAB", "TIFF", (255, 128, 128)),
        ):  # fmt: skip
            tensor = images.read(saved(Image.new(mode, (3, 2), value), kind))
            assert tensor.shape == (1, 3, 2, 3), mode
            assert tensor.min() > 0.98, f"white of {mode} in {kind} is not white"

    def test_the_first_frame_and_the_first_page(self):
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
        for kind in ("GIF", "TIFF", "WEBP", "PNG"):
            data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
            assert levels(data)[0, 0] == pytest.approx((255, 0, 0), abs=3), kind

    def test_profiles_srgb_broken_and_other(self):
        image = photo(9, 9)
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
        plain = np.asarray(image)
        assert np.array_equal(levels(saved(image, icc_profile=srgb)).round(), plain)
        assert np.array_equal(levels(saved(image, icc_profile=b"nonsense" * 40)).round(), plain)
        gray = saved(image.convert("L"), icc_profile=srgb)  # of another colour space: ignored
        assert np.array_equal(levels(gray).round()[..., 0], np.asarray(image.convert("L")))
        for kind in ("PNG", "TIFF"):
            other = levels(saved(image, kind, icc_profile=swapped))
            assert np.abs(other - plain[..., ::-1]).max() <= 2

    def test_a_profile_survives_a_decode_at_reduced_scale(self):
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
        data = saved(Image.new("RGB", (200, 200), (200, 40, 10)), "JPEG", icc_profile=swapped)
        assert images.square(data, 20)[0][10, 10] == pytest.approx((10, 40, 200), abs=4)

    def test_facts_are_of_the_file_as_it_lies_there(self):
        data = saved(photo(300, 401).convert("L"), "JPEG", quality=50)
        facts = images.square(data, 20)[1]
        assert (facts.width, facts.height, facts.bytes) == (401, 300, len(data))
        assert (facts.type, facts.mode) == ("JPEG", "L")
        strong = images.square(saved(photo(), "JPEG", quality=20), 20)[1].quantisation
        assert strong > images.square(saved(photo(), "JPEG", quality=90), 20)[1].quantisation > 0
        assert images.square(saved(photo()), 20)[1].quantisation == 0

    def test_damaged_exif_is_no_reason_to_refuse(self):
        data = saved(photo(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 30)
        assert images.read(data).shape == (1, 3, 48, 64)

    @pytest.mark.parametrize("turn", [1, 6, 8])
    def test_made_smaller_a_strip_at_a_time_it_is_the_same(self, turn, monkeypatch):
        monkeypatch.setattr(resize, "_STRIP", 7)
        exif = Image.Exif()
        exif[0x0112] = turn
        data = saved(photo(60, 90), exif=exif)
        complete = images.read(data)
        smaller = images.read(data, longest=31)
        assert smaller.shape[2:] == ((21, 31) if turn == 1 else (31, 21))
        torch.testing.assert_close(smaller, resize.shrunk(complete, 31), rtol=0, atol=1e-6)
        assert images.read(data, longest=90).equal(complete)


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "is empty"),
            (b"hello, I am a text", "no known format"),
            (b"\n<?xml version='1.0'?>\n<!-- x --><svg xmlns='x'/>", "SVG"),
            (b"%PDF-1.7 ...", "PDF"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
            (b"<!DOCTYPE html><html></html>", "web page"),
            (b"PK\x03\x04" + bytes(60), "archive"),
            (b"\0\0\0\x18ftypheic" + bytes(60), "HEI|damaged"),
            (b"\0\0\0\x18ftypmp42" + bytes(60), "video"),
            (saved(photo())[:300], "truncated"),
            (saved(photo(), "JPEG")[:-200], "truncated"),
            (saved(photo(), "JPEG", progressive=True)[:-100], "truncated"),
            (saved(photo(), "JPEG")[:30], "JPEG"),
            (saved(photo(), "GIF")[:-200], "truncated"),
            (saved(photo(), "TIFF")[:400], "(truncated|damaged)"),
            (saved(photo(), "WEBP")[:200], "damaged"),
        ],
    )
    def test_what_is_no_image_is_named(self, data, reason):
        for attempt in (images.read, lambda data: images.square(data, 64)):
            with pytest.raises(BadFile, match=reason) as refusal:
                attempt(data)
            assert "\n" not in str(refusal.value)

    def test_a_truncated_jpeg_is_refused_with_either_decoder(self, monkeypatch):
        data = saved(photo(300, 300), "JPEG")
        monkeypatch.setattr(srgb, "_turbo", lambda: None)
        with pytest.raises(BadFile, match="truncated"):
            images.square(data[: len(data) // 2], 30)

    def test_paths_that_are_no_file(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.png")
        for path, reason in (
            (tmp_path / "none.png", "none.png does not exist"),
            (tmp_path, "got a folder"),
            (tmp_path / "pipe.png", "pipe"),
            ("a\0b.png", "cannot be read"),
            ("x" * 5000, "cannot be read"),
        ):
            with pytest.raises(BadFile, match=reason):
                images.read(path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_without_permission(self, tmp_path):
        path = tmp_path / "secret.png"
        path.write_bytes(saved(photo()))
        path.chmod(0)
        with pytest.raises(BadFile, match="permission"):
            images.read(path)

    def test_the_limit_on_pixels_names_its_option(self):
        def chunk(kind, body):
            return (
                struct.pack(">I", len(body))
                + kind
                + body
                + struct.pack(">I", zlib.crc32(kind + body))
            )

        header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
        bomb = (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99)))
        )
        with pytest.raises(BadFile, match=r"3,600,000,000.*--max-pixels"):
            images.square(bomb, 64)
        with pytest.raises(BadFile, match="at most 3,000 pixels"):
            images.read(saved(photo()), max_pixels=3000)
        assert images.read(saved(photo()), max_pixels=48 * 64).shape[2:] == (48, 64)

    def test_a_picture_over_pillows_own_limit_is_still_read(self, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        assert images.read(saved(photo())).shape[2:] == (48, 64)

    @pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "JPEG"])
    def test_the_limit_that_is_raised_is_ours_and_pillows(self, kind, monkeypatch):
        """As with a picture over 179 million pixels, and the limit given as larger."""
        data = saved(photo(), kind)
        monkeypatch.setattr(guards, "_HUGE", 1000)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        assert images.read(data, max_pixels=48 * 64).shape[2:] == (48, 64)
        assert Image.MAX_IMAGE_PIXELS == 100
        with pytest.raises(BadFile, match="--max-pixels"):
            images.read(data, max_pixels=48 * 64 - 1)

    def test_a_slow_decoder_has_a_limit_of_its_own(self):
        text = b"P3 9000 9000 255\n" + b"1 2 3 " * 50
        with pytest.raises(BadFile, match="PPM"):
            images.square(text, 64)

    def test_a_jpeg_of_endless_scans_is_refused(self):
        data = saved(Image.new("L", (3000, 3000)), "JPEG", progressive=True)
        last = data.rindex(b"\xff\xda")
        with pytest.raises(BadFile, match="scans"):
            images.square(data[:-2] + data[last:-2] * 300 + data[-2:], 64)

    def test_options_out_of_range(self):
        with pytest.raises(BadParameter, match="over"):
            images.read(saved(photo()), over="whitish")
        with pytest.raises(BadParameter, match="size"):
            images.square(saved(photo()), 0)


class TestQuiet:
    def test_warnings_of_pillow_stay_inside_and_the_filters_as_they_were(self):
        before = list(warnings.filters)
        clear = Image.fromarray(np.zeros((2, 2), np.uint8), "P")
        clear.putpalette([255, 0, 0])
        data = saved(clear, transparency=b"\x00\x10")  # Pillow warns when this is converted
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            images.read(data)
            images.square(data, 8)
        assert not caught and warnings.filters == before

    def test_threads_may_read_at_once(self):
        files = [saved(photo(seed=seed), "JPEG") for seed in range(6)]
        alone = [images.square(data, 32)[0] for data in files]
        before, results = list(warnings.filters), {}

        def work(thread):
            results[thread] = [images.square(data, 32)[0] for data in files * 5]

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(
            np.array_equal(a, b)
            for r in results.values()
            for a, b in zip(r, alone * 5, strict=True)
        )
        assert len(results) == 4 and warnings.filters == before

    def test_nothing_is_printed(self, capfd):
        with pytest.raises(BadFile, match=r"truncated|damaged"):
            images.read(saved(photo(), "TIFF", compression="tiff_lzw")[:-300])
        assert capfd.readouterr() == ("", "")


class TestWrite:
    @pytest.mark.parametrize(
        ("suffix", "tolerance"), [(".png", 0), (".tif", 0), (".webp", 0), (".jpg", 25)]
    )
    def test_what_is_written_is_read_again(self, tmp_path, suffix, tolerance):
        image = torch.from_numpy(np.asarray(photo()).copy()).permute(2, 0, 1).float() / 255
        for name, tensor in (("a", image), ("b", image[None])):
            path = tmp_path / "new" / f"{name}{suffix}"
            images.write(path, tensor)
            assert (images.read(path)[0] - image).abs().max() * 255 <= tolerance + 1e-3
        assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [f"a{suffix}", f"b{suffix}"]

    def test_gray_is_written_as_gray(self, tmp_path):
        images.write(tmp_path / "g.png", torch.full((1, 1, 3, 5), 0.4))
        with Image.open(tmp_path / "g.png") as image:
            assert image.mode == "L" and image.size == (5, 3)

    def test_an_interrupted_write_leaves_the_old_file(self, tmp_path, monkeypatch):
        images.write(tmp_path / "a.png", torch.zeros(3, 4, 4))
        before = (tmp_path / "a.png").read_bytes()

        def fails(path, data):
            with path.open("wb") as file:
                file.write(data[: len(data) // 2])
            raise KeyboardInterrupt

        monkeypatch.setattr(Path, "write_bytes", fails)
        with pytest.raises(KeyboardInterrupt):
            images.write(tmp_path / "a.png", torch.ones(3, 4, 4))
        assert (tmp_path / "a.png").read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["a.png"]

    def test_what_cannot_be_written(self, tmp_path):
        with pytest.raises(BadParameter, match=r"\.png"):
            images.write(tmp_path / "a.xyz", torch.zeros(3, 4, 4))
        with pytest.raises(BadParameter, match="got 2"):
            images.write(tmp_path / "a.png", torch.zeros(2, 3, 4, 4))
        with pytest.raises(BadImage):
            images.write(tmp_path / "a.png", torch.zeros(3, 4, 4) + 200)


class Held:
    """An item that counts how often it is read."""

    reads = 0

    def __init__(self, data):
        self.data = data

    def read(self):
        Held.reads += 1
        return self.data


class TestLoadSquares:
    def test_in_order_with_the_broken_ones_named(self):
        files = [saved(photo(seed=n), "JPEG") for n in range(20)]
        files[3], files[17] = b"", b"nothing"
        seen = []
        results = list(
            images.load_squares(
                [Held(f) for f in files], 16, threads=3, progress=lambda *a: seen.append(a)
            )
        )
        assert [r[0] for r in results] == list(range(20))
        assert [r[0] for r in results if isinstance(r[1], BadFile)] == [3, 17]
        assert np.array_equal(results[5][1], images.square(files[5], 16)[0])
        assert results[5][2] == images.square(files[5], 16)[1]
        assert seen == [(n, 20) for n in range(1, 21)]

    def test_reads_only_a_window_ahead_and_stops_when_left(self):
        items = [Held(saved(photo(), "JPEG"))] * 2000
        Held.reads = 0
        squares = images.load_squares(items, 16, threads=2)
        next(squares)
        squares.close()
        assert 1 <= Held.reads <= 100

    def test_a_bug_is_not_a_bad_file(self):
        class Broken:
            def read(self):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            list(images.load_squares([Broken()], 16))

    def test_nothing_gives_nothing(self):
        assert list(images.load_squares([], 16)) == []
