"""Rate curves: what is measured of whom, and what is drawn."""

import pytest
import torch
from PIL import Image

from imrep.edit.operations.compress import compress
from imrep.edit.rate_distortion import curve, draw
from imrep.errors import BadImage, BadParameter


@pytest.fixture(scope="module")
def points():
    torch.manual_seed(0)
    coarse = torch.rand(1, 3, 6, 8)
    image = torch.nn.functional.interpolate(coarse, size=(61, 80), mode="bilinear")
    return curve(image, (80, 20))


def test_more_bits_are_more_alike_whoever_spends_them(points):
    assert [point[:2] for point in points] == [
        (method, quality) for method in ("dct", "laplacian", "jpeg") for quality in (20, 80)
    ]
    for low, high in zip(points[::2], points[1::2], strict=True):
        assert low.bits_per_pixel < high.bits_per_pixel
        assert low.psnr < high.psnr and low.ssim < high.ssim <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_progress_is_reported_and_the_bits_are_the_files(channels):
    image, calls = torch.rand(1, channels, 20, 30), []
    points = curve(image, [50], progress=lambda *step: calls.append(step))
    assert calls == [
        ("dct at quality 50", 0, 3),
        ("laplacian at quality 50", 1, 3),
        ("jpeg at quality 50", 2, 3),
        ("rate curve", 3, 3),
    ]
    assert points[0].bits_per_pixel == compress(image, quality=50).bits_per_pixel


def test_the_suffix_selects_the_format_of_the_figure(points, tmp_path):
    draw(points, tmp_path / "new" / "curve.png")
    draw(points, tmp_path / "new" / "curve.svg")
    with Image.open(tmp_path / "new" / "curve.png") as rendered:
        assert rendered.width > 1200 and len(rendered.convert("RGB").getcolors(1 << 20)) > 20
    text = (tmp_path / "new" / "curve.svg").read_text()
    assert all(word in text for word in ("laplacian", "PSNR, dB", "SSIM", "bits per pixel"))
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_what_has_no_curve_is_refused(points, tmp_path):
    image = torch.rand(1, 1, 9, 9)
    with pytest.raises(BadParameter, match=r"drawn as \.png or \.svg, got 'curve\.pdf'"):
        draw(points, tmp_path / "curve.pdf")
    with pytest.raises(BadImage, match="a rate curve needs one image, got 2"):
        curve(image.expand(2, -1, -1, -1))
    with pytest.raises(BadParameter, match="at least one quality"):
        curve(image, [])
    with pytest.raises(BadParameter, match="needs quality from 1 to 100, got 0"):
        curve(image, [0])
