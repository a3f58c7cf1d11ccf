"""The decoder of composite fields in C beside the same text in plain Python.

Scenes of 5 and 50 persons at 640 px, fields at stride 8: as perfect networks give them, and with
noise. Asked: 20 times the plain decoder, 30 images a second for five persons on one core, and
memory that 50 persons raise by less than 64 MB. Beside it, for scale: the network's own time.

python benchmarks/composite_speed.py [--rounds N] [--network] [--json FILE]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch

import imrep
from imrep.represent.spatial.composite import COCO, Instance, Thresholds, fields, native, reference
from imrep.represent.spatial.composite.targets import encode

STRIDE, SIDE = 8, 641  # pixels
FACTOR, IMAGES_PER_SECOND, MEGABYTES = 20, 30, 64


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--network", action="store_true", help="time ShuffleNetV2K16 too")
    options.add_argument("--json", type=Path)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = [measure(count, noise, arguments.rounds) for count in (5, 50) for noise in (False, True)]
    if arguments.network:
        rows.append(network())
    if arguments.json:
        arguments.json.write_text("".join(json.dumps(row) + "\n" for row in rows))


def scene(count: int, noise: bool) -> reference.Problem:
    """Persons in rows on 640 × 640 pixels, as fields; their height fills what there is."""
    columns = 5 if count == 5 else 13
    height = 300 if count == 5 else 140
    pose = np.array(COCO.pose)
    people = []
    for i in range(count):
        dice = np.random.default_rng(i)
        left, top = 20 + i % columns * (600 // columns), 20 + i // columns * (height + 10)
        xy = (pose * [1, -1] + [1.75, 9.7]) * height / 9.7 * [0.75, 1] * 0.97
        xy = xy + dice.normal(0, height / 150, xy.shape) + [left, top]
        people.append(Instance(np.column_stack([xy, np.full(17, 2)]), (left, top, 50, height)))
    rows = (SIDE - 1) // STRIDE + 1
    target = encode(people, COCO, (rows, rows), STRIDE)
    code = fields.of_targets(target, COCO, STRIDE, (SIDE, SIDE))
    (problem,) = fields.problems(code, COCO, Thresholds())
    if noise:
        dice = np.random.default_rng(0)
        for field in (problem.cif, problem.caf):
            field[:, 0] *= dice.uniform(0.5, 1, field[:, 0].shape)
            field[:, 0] += dice.exponential(0.03, field[:, 0].shape)
            field[:, 1:] += dice.normal(0, 0.05, field[:, 1:].shape)
            np.clip(field[:, 0], 0, 1, out=field[:, 0])
    return problem


def measure(count: int, noise: bool, rounds: int) -> dict[str, object]:
    """Interleaved medians, once the poses are equal; the growth of the peak memory by C."""
    problem = scene(count, noise)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
    before = memory("VmRSS")
    fast = native.decode(problem)
    growth = memory("VmHWM") - before
    assert fast is not None, "needs the kernels: make native"
    plain = reference.decode(problem)
    assert fast.shape == plain.shape
    for pose in plain:  # of equal scores, rounding decides the order
        assert min(np.abs(pose - other).max() for other in fast) < 1e-3
    assert len(fast) == count or noise, len(fast)
    times: dict[str, list[float]] = {"C": [], "Python": []}
    for _ in range(rounds):
        for name, decode in (("C", native.decode), ("Python", reference.decode)):
            began = time.process_time()
            decode(problem)
            times[name].append(time.process_time() - began)
    own, other = (statistics.median(times[name]) for name in ("C", "Python"))
    row = {
        "persons": count,
        "noise": noise,
        "poses": len(fast),
        "ms": round(1000 * own, 2),
        "python_ms": round(1000 * other, 1),
        "factor": round(other / own, 1),
        "images_per_second": round(1 / own, 1),
        "peak_growth_mb": round(growth, 1),
    }
    print(row, flush=True)
    assert other / own >= FACTOR, f"asked: {FACTOR} times"
    assert count > 5 or 1 / own >= IMAGES_PER_SECOND, f"asked: {IMAGES_PER_SECOND} images a second"
    assert growth < MEGABYTES, f"asked: {MEGABYTES} MB"
    return row


def network() -> dict[str, object]:
    """Seconds of ShuffleNetV2K16 for one image of 640 px on this core."""
    rep = imrep.get("composite:weights=random,arch=shufflenetv2k16")
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        rep.encode(image)
        began = time.process_time()
        rep.encode(image)
    row = {"network": "shufflenetv2k16", "ms": round(1000 * (time.process_time() - began), 1)}
    print(row, flush=True)
    return row


def memory(field: str) -> float:
    """Megabytes of this process, as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


if __name__ == "__main__":
    main()
