"""`imrep invert`: the image from its code alone, and what was lost, for every representation."""

import json

import pytest
from PIL import Image

from imrep import factory
from imrep.errors import WeightsNeeded
from imrep.registry import catalog


def test_three_pictures_and_what_was_lost(installed, cat, tmp_path):
    said = installed("invert", cat, "pixels:side=8", cwd=tmp_path).stdout.splitlines()
    assert said[0] == "cat.pixels-side=8.inverted.png  original, reconstruction, difference"
    assert said[1].startswith("by its approximate inverse, ")
    assert said[1].endswith("from a code of 192 numbers")
    assert said[2].startswith("PSNR ") and "SSIM" in said[2]
    assert said[3].startswith("Variance explained: fine detail ")
    with Image.open(tmp_path / "cat.pixels-side=8.inverted.png") as drawn:
        assert drawn.size == (3 * 240 + 2, 192)  # 60 × 48, four times enlarged, and two lines


def test_json_has_the_numbers(inside, cat):
    found = json.loads(inside("invert", cat, "laplacian", "--json").stdout)
    assert (found["method"], found["iterations"], found["size"]) == ("exact", 0, [48, 60])
    assert found["psnr"] > 100
    assert set(found["explained"]) == {"layout", "fine detail", "colour"}


def test_a_spec_without_an_inverse_is_refused_with_a_remedy(inside, cat):
    said = inside("invert", cat, "sift:detector=opencv", expect=1).stderr
    assert said.startswith("sift:detector=opencv has no inverse")
    assert "`imrep list` shows which have either" in said


def test_a_search_is_repeatable_and_bounded(inside, cat):
    spec = ("invert", cat, "hog:side=32", "--size", "32", "--iterations", "12", "--json")
    one, two = (json.loads(inside(*spec).stdout) for _ in range(2))
    assert one["method"] == "gradient" and 0 < one["iterations"] <= 12
    assert one["psnr"] == two["psnr"]


@pytest.mark.parametrize("name", catalog.names())
def test_every_representation_answers(inside, cat, name):
    try:
        rep = factory.get(name)
    except WeightsNeeded as error:
        pytest.skip(f"weights are not on this machine: {error}")
    possible = rep.inverse != "none" or rep.differentiable
    size = rep.canvas or 32
    said = inside(
        "invert", cat, name, "--size", size, "--iterations", "2", expect=0 if possible else 1
    )
    assert ("PSNR" in said.stdout) == possible


def test_each_layer_is_inverted_alone_into_one_figure(inside, cat):
    spec = "cnn:arch=test_resnet,weights=random,layer=0/-1"
    command = ("invert", cat, spec, "--by-layer", "--size", "32", "--iterations", "3")
    said = inside(*command).stdout.splitlines()
    assert said[0].endswith("the image, and its reconstruction from each layer alone")
    assert [line.split()[:2] for line in said[1:]] == [["0", "PSNR"], ["-1", "PSNR"]]
    with Image.open(said[0].partition("  ")[0]) as drawn:
        assert drawn.width > 900
    layers = json.loads(inside(*command, "--json").stdout)["layers"]
    assert [each["layer"] for each in layers] == ["0", "-1"]
    assert all(each["method"] == "gradient" and each["ssim"] < 1 for each in layers)


def test_by_layer_needs_layers(inside, cat):
    said = inside("invert", cat, "hog", "--by-layer", expect=1).stderr
    assert said.startswith("invert needs several layers to compare, got hog.")


def test_jitter_changes_the_search_and_is_seeded(inside, cat):
    spec = ("invert", cat, "hog:side=32", "--size", "32", "--iterations", "12", "--json")
    plain, one, two = (
        json.loads(inside(*spec, *more).stdout)["psnr"]
        for more in ((), ("--jitter", "2"), ("--jitter", "2"))
    )
    assert one == two != plain
