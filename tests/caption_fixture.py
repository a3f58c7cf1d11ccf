"""VirTex's reference outputs, small heads, and images with captions."""

import csv
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

from imrep.represent.language.virtex.checkpoint import _ours
from imrep.represent.language.virtex.textual import Sizes, TextualHead

NEEDS_SENTENCEPIECE = pytest.mark.skipif(
    find_spec("sentencepiece") is None, reason="needs the extra virtex: pip install 'imrep[virtex]'"
)
SMALL = "virtex:weights=random,arch=resnet8,side=32,hidden=16,heads=2,vocabulary=60,max_length=12"
CAPTIONS = (
    "A red circle on the left",
    "A blue square on the right",
    "A green cross above a red square",
)


def head(**changes):
    """A textual head of 16 channels and 50 words with random weights, in evaluation mode."""
    sizes = {
        "channels": 16, "vocabulary": 50, "length": 30, "width": 32, "layers": 2, "heads": 4,
        "feedforward": 64, "norm_first": False, "dropout": 0.1,
    }  # fmt: skip
    torch.manual_seed(0)
    made = TextualHead(Sizes(**{**sizes, **changes}))
    with torch.no_grad():  # larger weights, so that captions differ
        for parameter in made.parameters():
            parameter.mul_(4)
    return made.eval()


def official_head(stored):
    """The head of the reference outputs."""
    state = _ours(stored["state_dict"], "virtex")
    made = head()
    made.load_state_dict(
        {k.removeprefix("textual."): v for k, v in state.items() if k.startswith("textual.")}
    )
    return made


def write(folder, count=12):
    """Coloured squares and captions.csv, of every third image two captions."""
    dice = np.random.default_rng(0)
    rows = [["path", "caption"]]
    (folder / "images").mkdir(parents=True)
    for i in range(count):
        name = f"images/{i:02}.png"
        pixels = np.kron(dice.integers(0, 256, (4, 4, 3)), np.ones((12, 12, 1)))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        rows += [[name, CAPTIONS[(i + j) % 3]] for j in range(2 if i % 3 == 0 else 1)]
    with (folder / "captions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "captions.csv"
