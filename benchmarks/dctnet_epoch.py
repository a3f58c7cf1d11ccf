"""The epoch time of training straight from JPEG, against decoding and transforming.

Part of benchmarks/dctnet.py. Photographs of 448 × 448 (quality 90, chroma halved) are crops of
scikit-image's. Both sides load batches as `imrep train` does, mirrored at random, on one core:
one takes the coefficients that the files store, the other decodes them to pixels, from which the
network computes its coefficients. *Reading* ends with normalised coefficients, *epoch* with a step
of the optimiser of a small network (timm's test_resnet), whose own time is the same on both sides
and limits that ratio. Rounds alternate; a ratio is the median of the rounds' own.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data

import imrep
from imrep import datasets
from imrep.base.examples import Examples
from imrep.images import Reading
from imrep.training.batches import ImagesAlone, Loading
from imrep.training.data import Files, TrainingData
from imrep.training.order import Order

SIDE, BATCH = 448, 16
COUNTS = (24, 64, 192)
AIM = 2.0
_PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
_RMS = 0.6  # of coefficients in JPEG's units: rounding to pixels


def photographs(folder: Path, count: int) -> TrainingData:
    """Files of two classes, as a training run has them."""
    dice = np.random.default_rng(0)
    for i in range(count):
        photo = Image.fromarray(getattr(data, _PHOTOGRAPHS[i % len(_PHOTOGRAPHS)])())
        scale = 460 / min(photo.size)
        photo = photo.resize([round(scale * n) for n in photo.size], Image.Resampling.BICUBIC)
        left, top = (int(dice.integers(n - SIDE + 1)) for n in photo.size)
        path = folder / "ab"[i % 2] / f"{i}.jpg"
        path.parent.mkdir(exist_ok=True)
        photo.crop((left, top, left + SIDE, top + SIDE)).save(path, quality=90)
    dataset = datasets.find(str(folder))
    labels = np.arange(count) % 2
    files = Files(dataset.items, Reading())
    return TrainingData(
        "photographs", dataset.items, labels, ("a", "b"), labels, 0, files, (), "benchmark"
    )


class Epoch:
    """Passes over the files, with one way to read them."""

    def __init__(self, rep: Any, photos: TrainingData, examples: Examples) -> None:
        self.rep, self.count = rep.train(), len(photos)
        self.loading = Loading(photos, examples, ("flip",), SIDE, rep.strength)
        self.order = Order(np.arange(self.count), BATCH, 0)
        self.optimiser = torch.optim.AdamW(rep.parameters(), 1e-4)

    def batches(self) -> Any:
        """Of one epoch."""
        return (self.loading.random(self.order.draw(i)) for i in range(self.count // BATCH))

    def read(self) -> None:
        """To normalised coefficients."""
        with torch.no_grad():
            for batch in self.batches():
                self.rep._read(batch)

    def train(self) -> None:
        """To a step of the optimiser."""
        for batch in self.batches():
            self.optimiser.zero_grad()
            self.rep.loss(batch).backward()
            self.optimiser.step()


def agree(straight: Epoch, decoded: Epoch) -> None:
    """Both read the same coefficients, within the rounding to pixels."""
    with torch.no_grad():
        pair = [next(iter(each.batches())) for each in (straight, decoded)]
        own, other = (
            each.rep._read(b)[0] for each, b in zip((straight, decoded), pair, strict=True)
        )
    luma = sum(index < 64 for index in straight.rep.frequencies.indices)
    off = ((own - other) * straight.rep._std)[:, :luma].square().mean().sqrt()
    assert off < 2 * _RMS, off  # astronaut and rocket are clipped


def seconds(work: Callable[[], None]) -> float:
    """Processor time of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def run(rounds: int, count: int) -> bool:
    """Print a table in Markdown; whether reading 24 frequencies reaches the aim."""
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        photos = photographs(Path(folder), count)
        print(f"{count} files of {SIDE} × {SIDE}, milliseconds an image, {rounds} rounds\n")
        print("| frequencies | | straight | decoded | times as fast |\n|--:|:--|--:|--:|--:|")
        for channels in COUNTS:
            spec = f"dctnet:arch=test_resnet,weights=random,classes=2,channels={channels}"
            straight = Epoch(rep := imrep.get(spec), photos, rep.training_examples(photos))
            decoded = Epoch(imrep.get(spec), photos, ImagesAlone(photos.pixels))
            agree(straight, decoded)
            for title in ("read", "train"):
                times = [
                    [seconds(getattr(each, title)) for each in turn]
                    for turn in [(straight, decoded)] * (rounds + 1)
                ][1:]  # the first warms up
                ratio = statistics.median(slow / fast for fast, slow in times)
                ms = [
                    1e3 * statistics.median(column) / count for column in zip(*times, strict=True)
                ]
                name = "reading" if title == "read" else "epoch"
                print(
                    f"| {channels} | {name} | {ms[0]:.2f} | {ms[1]:.2f} | {ratio:.2f} |", flush=True
                )
                reached &= ratio >= AIM or (channels, name) != (COUNTS[0], "reading")
    return reached
