"""Training on captions: what a batch holds, a run that was cut off, captions that are wrong."""

import csv
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image
from training_fixture import NEEDS_LIGHTNING

import imrep
from imrep.base import Change
from imrep.datasets import captions
from imrep.errors import BadData
from imrep.represent.language.clip.captioned_images import captioned

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)

TINY = "clip:arch=tiny,weights=random"
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220), "white": (240,) * 3}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixteen images of one colour and noise, two captions each."""
    folder = tmp_path_factory.mktemp("captions")
    dice = np.random.default_rng(0)
    rows = [["path", "caption"]]
    for i in range(16):
        name = [*COLOURS][i % 4]
        noise = dice.normal(0, 60, (40, 40, 3))
        pixels = (np.array(COLOURS[name]) + noise).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        rows += [[f"{i}.png", f"a {name} square"], [f"{i}.png", f"something {name} 😀 <b>"]]
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder / "captions.csv"


class Images:
    """Training images without a run."""

    def __init__(self, dataset):
        self.items, self.annotations = dataset.items, dataset.annotations
        self.pixels = self

    def read(self, row):
        return torch.full((3, 40, 40), row, dtype=torch.uint8)


def test_every_caption_is_drawn_with_its_image(table):
    clip = imrep.get(TINY)
    dataset = captions.find(table)
    examples = captioned(Images(dataset), clip.tokenizer, "clip")
    own = dataset.annotations.of(dataset.items[3].path)
    tokens = clip.tokenizer.ids(own, "clip").tolist()
    torch.manual_seed(0)
    drawn = [examples.random(3, Change(("resized_crop",), 32, 0.15)) for _ in range(20)]
    assert {tuple(each["text"].tolist()) for each in drawn} == set(map(tuple, tokens))
    assert all(each["image"].shape == (3, 32, 32) and (each["image"] == 3).all() for each in drawn)
    plain = examples.plain(3, 32)
    assert plain["text"].tolist() == tokens[0] and plain["image"].shape == (3, 32, 32)


def test_images_without_captions_are_refused(table):
    class Plain(Images):
        def __init__(self, dataset):
            super().__init__(dataset)
            self.annotations = None

    with pytest.raises(BadData, match="needs captions to be trained, got none"):
        captioned(Plain(captions.find(table)), imrep.get(TINY).tokenizer, "clip")
    with pytest.raises(BadData, match="needs captions to be trained"):
        imrep.get(TINY).loss({"image": torch.rand(2, 3, 32, 32)})


def test_a_ragged_line_is_named(table, tmp_path):
    wrong = tmp_path / "captions.csv"
    wrong.write_text('path,caption\na.png,"one"\na.png,two,three,four\n')
    with pytest.raises(BadData, match=r"captions\.csv.*line 3"):
        captions.find(wrong)


class PowerCutError(Exception):
    """Ends a run at a step, as a crash would."""


def cut(line, _steps):
    if line.step == 3:
        raise PowerCutError


@pytest.mark.slow
@NEEDS_LIGHTNING
def test_a_run_that_was_cut_off_ends_with_the_same_bits(table, tmp_path):
    options = {"steps": 6, "batch": 8, "threads": 1, "held_out": 0.25}
    spec = f"{TINY},part=4"
    whole = imrep.train(str(table), spec, tmp_path / "whole", **options)
    with pytest.raises(PowerCutError):
        imrep.train(str(table), spec, tmp_path / "cut", watch=cut, **options)
    again = imrep.train(str(table), spec, tmp_path / "cut", resume=True, **options)
    state = whole.representation.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in again.representation.state_dict().items())
    loaded = imrep.get(f"clip:weights='{tmp_path}/whole/model'")
    assert torch.equal(
        loaded.embed_text(["a red square"]), whole.representation.embed_text(["a red square"])
    )


@pytest.mark.slow
@NEEDS_LIGHTNING
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_it_learns_which_words_belong(table, tmp_path, precision):
    run = imrep.train(
        str(table), f"{TINY},objective=sigmoid", tmp_path / "d", steps=60, batch=12, threads=1,
        learning_rate=3e-3, precision=precision,
    )  # fmt: skip
    clip = run.representation
    colours = torch.tensor([*COLOURS.values()]).float().div(255)[:, :, None, None]
    scores = (
        clip.embed(colours.expand(-1, -1, 32, 32))
        @ clip.embed_text([f"a {name} square" for name in COLOURS]).mT
    )
    assert scores.argmax(1).tolist() == [0, 1, 2, 3]
