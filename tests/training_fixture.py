"""A training run that never happened, for the tests of its report."""

import csv
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from imrep import training_record
from imrep.training_record import Line, Run

NEEDS_LIGHTNING = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("lightning") is None, reason="needs the extra train: pip install 'imrep[train]'"
)
IDENTITY = {
    "spec": "tiny", "optimiser": "adamw", "learning_rate": 0.01, "schedule": "cosine",
    "warmup": 0.05, "weight_decay": 1e-4, "batch": 8, "size": 16, "crop": 0, "augment": "",
    "seed": 0, "precision": "32", "processes": 1, "selects_best": True,
}  # fmt: skip
FACTS = {
    "spec": "tiny", "title": "Tiny denoiser", "data": "photos", "images": 30, "trained": 27,
    "held_out": 3, "evaluated": 3, "groups": 28, "duplicates": 4, "classes": 2, "skipped": 1,
    "parameters": 231, "device": "cpu", "command": "imrep train tiny photos/ -o run",
    "chosen_on": 3, "versions": {"imrep": "0.1.0", "torch": "2.9"},
}  # fmt: skip
RESULT = {"steps": 100, "loss": 0.2, "held_out": 0.12, "best_held_out": 0.1, "best_step": 80,
          "seconds": 65.0}  # fmt: skip


def write(folder):
    """A folder as `imrep train` leaves it, ready for the report."""
    held_out = {0: 0.5, 20: 0.4, 40: 0.3, 60: 0.2, 80: 0.1, 100: 0.12}
    for step in range(0, 101, 10):
        line = Line(
            step=step,
            epoch=step * 8 / 27,
            loss=0.6 - step / 200 if step else None,
            held_out=held_out.get(step),
            learning_rate=0.01 * (1 - step / 101) if step else None,
            gradient=0.5 if step else None,
            images_per_second=1234.0 if step else None,
            seconds=0.65 * step,
        )
        training_record.append(folder, line)
    with (folder / training_record.HELD_OUT).open("w", newline="") as file:
        rows = [["path", "label"], ["a/<1>.png", "a"], ["a/2.png", "a"], ["b/3.png", "b"]]
        csv.writer(file).writerows(rows)
    pixels = np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8)
    Image.fromarray(pixels).save(folder / training_record.PICTURES)
    losses = {"weight_decay=0": 0.3, "weight_decay=1e-4": 0.2}
    choices = tuple(
        {"setting": name, "held_out": loss, "seconds": 12.5, "chosen": loss == 0.2}
        for name, loss in losses.items()
    )
    run = Run(
        identity=IDENTITY, facts=FACTS, result=RESULT, captions=("image", "noisy & dark"),
        choices=choices,
    )  # fmt: skip
    training_record.write_run(folder, run)
    return folder
