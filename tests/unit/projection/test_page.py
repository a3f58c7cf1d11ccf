"""The page of a map: what it holds, that it loads nothing, that texts cannot break out of it."""

import base64
import json
import re

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from imrep.projection import page, thumbnails
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.layout import Layout

MEASURED = Faithfulness(10, 0.42, 0.0004, 0.934, 1000)


def render(labels=("b", "a", "b", None), paths=("1.png", "2.png", "3.png", "4.png"), **more):
    positions = np.array([[0, 0], [4, 0], [0, 2], [4, 2]], np.float32)
    chosen = {"method": "pacmap", "notes": (), "tiles": thumbnails.none(4), "spec": "hog"} | more
    return page.render(
        "v.parquet",
        Layout(positions, chosen["method"], chosen["notes"]),
        MEASURED,
        chosen["tiles"],
        paths=paths,
        labels=labels,
        spec=chosen["spec"],
        dim=300,
        seed=7,
    )


def data(html):
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])


def unpacked(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def test_positions_fill_one_scale_and_classes_are_ordered_by_size():
    content = data(render())
    corners = unpacked(content["positions"], "<f4").reshape(4, 2)
    assert corners.tolist() == [[-1, -0.5], [1, -0.5], [-1, 0.5], [1, 0.5]]
    assert content["reach"] == [1, 0.5]
    assert content["classes"] == [{"name": "b", "count": 2}, {"name": "a", "count": 1}]
    assert unpacked(content["codes"], "<u4").tolist() == [0, 1, 0, 0xFFFFFFFF]
    assert content["paths"] == ["1.png", "2.png", "3.png", "4.png"]


def test_it_says_what_a_map_is_and_how_faithful():
    text = render().replace("\N{NO-BREAK SPACE}", " ")
    assert "The axes have no meaning" in text
    assert "42 % are among its 10 nearest on the map; a map at random would have 0.04 %" in text
    assert "Trustworthiness 0.93" in text and "doi:10.1007/3-540-44668-0_68" in text
    assert "Vectors of 300 numbers" in text and "seed 7" in text and "PaCMAP" in text
    assert "There are no thumbnails" in text


def test_principal_components_have_axes_and_no_seed():
    text = render(method="pca", notes=("PaCMAP needs more.",), labels=(), paths=None)
    assert "the two directions in which the vectors vary most" in text
    assert "seed 7" not in text and "PaCMAP needs more." in text
    assert data(text)["paths"] is None and 'id="legend"' not in text


def test_a_part_of_the_thumbnails_is_said():
    tiles = thumbnails.Thumbnails((b"jpeg",), 64, np.array([0, -1, -1, 1], np.int32))
    text = render(tiles=tiles)
    assert "2 of 4 images have a thumbnail." in text
    assert base64.b64encode(b"jpeg").decode() in text


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", '"<b>', "<!--"])
def test_texts_cannot_break_out(text):
    html = render(labels=(text,) * 4, paths=(text,) * 4, spec=text, notes=(text,))
    content = data(html)
    assert content["paths"][0] == content["classes"][0]["name"] == text
    assert text not in html.replace('<script type="text/plain"', "")


def test_it_loads_nothing():
    html = render()
    assert "default-src 'none'" in html
    assert not re.findall(r'(?:src|href)="', html) and "url(" not in html and "@import" not in html


# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, at severity 1; linear RGB.
SIGHT = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}  # fmt: skip


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_of_classes_differ_whoever_looks(scheme, sight):
    style = page._text_of("map.css").split("@media")[scheme]
    codes = re.findall(r"--c(?:[0-9]|-other): #(\w{6})", style)
    assert len(codes) == 11
    shares = np.array([[int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)] for code in codes])
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(SIGHT[sight]), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen[None])[0]
    first, second = np.triu_indices(11, 1)
    assert deltaE_ciede2000(lab[first], lab[second]).min() > 14


def test_equal_positions_do_not_divide_by_zero():
    assert np.isfinite(page._centred(np.ones((3, 2), np.float32))).all()
