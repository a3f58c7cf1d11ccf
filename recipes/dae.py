"""Trains the network that comes with imrep, `represent/learned/dae/published.safetensors`.

    python recipes/dae.py SHARED -o dae.safetensors --minutes 66

SHARED is a folder with `coco_mini_train` and `retrieval/vlfeat_pairs`. The photographs, with their
licences, are in `dae_photographs.csv`: public domain, CC0, BSD, CC BY and CC BY-SA. None of them is
in Set12, BSD68, Kodak's suite or PolyU's; scikit-image's camera is in Set12, so it is left out.

Patches at two sizes of each photograph, turned, mirrored and with channels exchanged; the noise of
`dae:noise=mixed`; AdamW with a cosine schedule over the time given, so that more steps are taken on
a faster machine; bfloat16 but for the last part; weights averaged over about a thousand steps. The
published weights took 13,884 steps in 66 minutes of one thread of a busy machine, by a first form
of this recipe with the same photographs, noise and schedule but other random numbers, and about
37,000 more by `--start` with them, `--rate 2e-3 --minutes 112 --seed 1`. Longer runs are better.
`--steps` repeats a run exactly on one machine, `--start` continues from weights.
"""

import argparse
import csv
import importlib.util
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from imrep.represent.learned.dae import DAE

_LIST = Path(__file__).with_name("dae_photographs.csv")
_BATCH, _AVERAGE, _WARM_UP = 8, 0.999, 300


def photographs(shared: Path) -> list[Tensor]:
    """Every photograph of the list at its two sizes, (3, h, w), uint8."""
    images = []
    for row in csv.DictReader(_LIST.open(encoding="utf-8")):
        image = PIL.Image.open(located(row["source"], row["file"], shared)).convert("RGB")
        for scale in map(float, row["scales"].split()):
            size = round(image.width * scale), round(image.height * scale)
            resized = image if scale == 1 else image.resize(size, PIL.Image.Resampling.LANCZOS)
            images.append(torch.from_numpy(np.asarray(resized).copy()).permute(2, 0, 1))
    return images


def located(source: str, file: str, shared: Path) -> Path:
    if source == "shared":
        return shared / file
    package = importlib.util.find_spec(source)
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / file


def patches(images: list[Tensor], side: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Random patches (3, side, side) in [0, 1], by the photographs' areas."""
    areas = torch.tensor([float(image[0].numel()) for image in images])
    while True:
        image = images[int(torch.multinomial(areas, 1, generator=generator))]
        y, x = (int(torch.randint(n - side + 1, (), generator=generator)) for n in image.shape[1:])
        patch = image[:, y : y + side, x : x + side]
        flip, flop, transpose, permute = torch.randint(2, (4,), generator=generator).tolist()
        patch = patch.flip(2) if flip else patch
        patch = patch.flip(1) if flop else patch
        patch = patch.mT if transpose else patch
        yield (patch[torch.randperm(3, generator=generator)] if permute else patch).float() / 255


def progress(began: float, step: int, arguments: argparse.Namespace) -> float:
    """The share of the run that is done."""
    if arguments.steps:
        return step / arguments.steps
    return (time.monotonic() - began) / (60 * arguments.minutes)


def train(arguments: argparse.Namespace) -> DAE:
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    images = photographs(arguments.shared)
    dae, average = DAE(weights="random"), DAE(weights="random")
    if arguments.start:
        state = {key: value.float() for key, value in load_file(arguments.start).items()}
        dae.network.load_state_dict(state)
    average.load_state_dict(dae.state_dict())
    dae.network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(dae.parameters(), betas=(0.9, 0.99), weight_decay=1e-4)
    began, step = time.monotonic(), 0
    while (done := progress(began, step, arguments)) < 1:
        step += 1
        rate = arguments.rate * min(1, step / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = rate + 1e-6
        source = patches(images, 48 if done < 0.55 else 72, generator)
        batch = torch.stack([next(source) for _ in range(_BATCH)])
        seeds = torch.randint(2**62, (_BATCH,), generator=generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=done < 0.9):
            loss = dae.loss({"image": batch, "seed": seeds})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(dae.parameters(), 0.5)
        optimiser.step()
        decay = min(_AVERAGE, step / (step + 10))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), dae.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        if step % 500 == 0:
            print(f"{step:,} steps, {done:.0%}, loss {loss.item():.5f}", flush=True)
            write(average, arguments.out)
    return average


def write(dae: DAE, path: Path) -> None:
    """The network's tensors in half precision."""
    save_file({k: v.half().contiguous() for k, v in dae.network.state_dict().items()}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=66)
    parser.add_argument("--steps", type=int, default=0, help="instead of minutes")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    write(train(arguments), arguments.out)


if __name__ == "__main__":
    main()
