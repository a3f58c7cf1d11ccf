"""Representations from specs, from folders, and of classes that no catalogue knows."""

import subprocess
import sys

import pytest
import torch

import imrep
from imrep.base import Representation, Sum
from imrep.codes import Vector
from imrep.errors import BadParameter
from imrep.registry.cards import Card

SCRIPT = """
import sys
import torch
import imrep
from imrep.base import Representation, Sum
from imrep.codes import Vector
from imrep.registry.cards import Card

if "undefined" not in sys.argv:
    class {name}(Representation[Vector]):
        card = Card(title="Mine", family="script", cite="")

        def __init__(self, *, power: int = 1) -> None:
            super().__init__()
            self.power = power

        def encode(self, image):
            return Vector(image.pow(self.power).mean((2, 3)))

if "save" in sys.argv:
    mine = {name}(power=3)
    (Sum([mine, imrep.get("pixels:side=2")]) if "sum" in sys.argv else mine).save("saved")
rep = imrep.load("saved")
print(type(rep).__module__, rep._blank_spec(), rep.embed(torch.full((1, 3, 4, 4), 0.5)).shape[1])
"""


def test_get_takes_specs_and_arguments():
    assert imrep.get("pixels:side=8").side == 8
    assert imrep.get("pixels:side=8", side=4, gray=True).spec == "pixels:side=4,gray=true"
    assert imrep.get("pixels:side=8+pixels:side=4").spec == "pixels:side=8+pixels:side=4"


@pytest.mark.parametrize(
    ("spec", "params", "reason"),
    [
        ("pixels:level=4", {}, r"^pixels has no parameter 'level'; it takes side, gray$"),
        ("pixels", {"level": 4}, r"^pixels has no parameter 'level'; it takes side, gray$"),
        ("pixels:side=deep", {}, "side to be a whole number, got 'deep'"),
        ("pixels:side=2.5", {}, "side to be a whole number, got '2.5'"),
        ("pixels", {"side": "8"}, "side to be a whole number, got '8'"),
        ("pixels:side=0", {}, "side from 1 to"),
        ("pixels:side", {}, "no value for 'side'"),
        ("pixels+pixels", {"side": 8}, "is a sum; write side inside its views"),
    ],
)
def test_wrong_parameters_are_named(spec, params, reason):
    with pytest.raises(BadParameter, match=reason):
        imrep.get(spec, **params)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", "not json"])
def test_a_folder_without_a_saved_representation(tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(BadParameter, match=r"load needs a folder with the config\.json"):
        imrep.load(tmp_path)


def test_a_folder_without_weights(tmp_path):
    imrep.get("pixels").save(tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(BadParameter, match=r"pixels cannot load weights\.safetensors"):
        imrep.load(tmp_path)


@pytest.mark.parametrize("spec", ["PIXELS:side=8", "Pixels:SIDE=8", "pixels:Side=8"])
def test_letter_case_does_not_matter(spec):
    assert imrep.get(spec).spec == "pixels:side=8"


@pytest.mark.parametrize(
    ("spec", "params", "hint"),
    [
        ("pixels:sides=8", {}, r"it takes side, gray\. Did you mean 'side'\?$"),
        ("pixels", {"Side": 8}, r"no parameter 'Side'.* Did you mean 'side'\?$"),
        ("hog:CELLS=8", {}, r"no parameter .CELLS..* Did you mean .cell.\?$"),
    ],
)
def test_a_misspelt_parameter_is_offered_the_nearest(spec, params, hint):
    with pytest.raises(BadParameter, match=hint):
        imrep.get(spec, **params)
    with pytest.raises(BadParameter, match="Did you mean 'side'"):
        imrep.get("pixels").set_params(SIDES=3)


def test_a_parameter_is_given_once_whatever_its_letters():
    with pytest.raises(BadParameter, match="pixels needs each parameter once, got side, Side"):
        imrep.get("pixels:side=3,Side=4")


class Listed(Representation[Vector]):
    """Its parameter is a list, which no spec holds."""

    card = Card(title="Listed", family="tests", cite="")

    def __init__(self, *, sizes: list[int] | None = None) -> None:
        super().__init__()
        self.sizes = sizes

    def encode(self, image):
        return Vector(image.mean((2, 3)))


def test_a_list_as_a_parameter_is_refused_by_name():
    with pytest.raises(BadParameter, match=r"pixels needs side to be a whole number, got \[1, 2\]"):
        imrep.get("pixels", side=[1, 2])
    with pytest.raises(BadParameter, match=r"its parameter 'sizes' annotated with .*list\[int\]"):
        Listed().set_params(sizes=[1, 2])


def run(folder, *words, name="Mine"):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name), *words],
        cwd=folder, text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "name", "printed"),
    [
        (["save"], "Mine", "__main__ mine:power=3 3"),
        (["save"], "HOG", "__main__ hog:power=3 3"),
        (["save", "sum"], "Mine", "imrep.base.sum mine:power=3+pixels:side=2 15"),
        (["save", "sum"], "HOG", "imrep.base.sum hog:power=3+pixels:side=2 15"),
    ],
    ids=["alone", "alone, a taken name", "in a sum", "in a sum, a taken name"],
)
def test_a_class_of_a_script_is_saved_and_loaded(tmp_path, words, name, printed):
    done = run(tmp_path, *words, name=name)
    assert done.stdout.strip() == printed, done.stderr
    assert run(tmp_path, name=name).stdout.strip() == printed
    lost = run(tmp_path, "undefined", name=name)
    reason = f"UnknownName: load needs the class __main__.{name} that 'saved' was saved from, got"
    assert reason in lost.stderr and "Define it" in lost.stderr


def test_a_class_that_is_defined_again_is_the_latest(tmp_path):
    def build():
        class Mine(Representation[Vector]):
            card, name = Card(title="Mine", family="tests", cite=""), "mine"

            def encode(self, image):
                return Vector(image.mean((2, 3)))

        return Mine

    build()().save(tmp_path)
    latest = build()
    assert type(imrep.load(tmp_path)) is latest


def test_a_folder_saved_before_classes_were_written_is_loaded(tmp_path):
    Sum([imrep.get("pixels:side=2"), imrep.get("pixels")]).save(tmp_path)
    config = tmp_path / "config.json"
    config.write_text('{"spec": "pixels:side=2+pixels"}')
    rep = imrep.load(tmp_path)
    assert rep._blank_spec() == "pixels:side=2+pixels" and rep.spec == str(tmp_path)
    assert rep.embed(torch.rand(1, 3, 8, 8)).shape == (1, rep.dim)
