"""Exported files in ONNX Runtime beside imrep's own `embed`, equal within 1e-4, one thread.

    python benchmarks/export.py [--batch 32] [--rounds 7]

Processor milliseconds an image, medians of interleaved rounds. The network has random weights.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import imrep
from imrep import images
from imrep.exporting import agreement, onnx_file

SPECS = ("cnn:arch=resnet18,weights=random", "hog", "dct", "scattering")
SIDES = {"cnn:arch=resnet18,weights=random": 224}
TOLERANCE = 1e-4  # of the largest number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'representation':36} {'imrep':>8} {'ONNX':>8} {'ratio':>6} {'error':>8}")
    for spec in SPECS:
        measure(spec, options.batch, options.rounds)


def measure(spec: str, batch: int, rounds: int) -> None:
    rep = imrep.get(spec).eval()
    side = rep.canvas or SIDES.get(spec, 64)
    photographs = agreement.squares(None, side, images.DEFAULT_READING)
    squares = np.stack([np.roll(photographs[i % 8], i, axis=0) for i in range(batch)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        imrep.export(rep, path, size=side)
        session = onnx_file.Session(path)

    def own() -> np.ndarray:
        with torch.inference_mode():
            return rep.embed(images.batch(squares)).numpy()

    def exported() -> np.ndarray:
        return session(squares)

    reference, output = own(), exported()
    error = float(np.abs(output - reference).max() / np.abs(reference).max())
    assert error <= TOLERANCE, f"{spec} differs by {error:.2g}"
    times: dict[str, list[float]] = {"own": [], "exported": []}
    for _ in range(rounds):
        for name, work in (("own", own), ("exported", exported)):
            start = time.process_time()
            work()
            times[name].append(1000 * (time.process_time() - start) / batch)
    ours, theirs = (statistics.median(times[name]) for name in ("own", "exported"))
    print(f"{spec:36} {ours:8.3f} {theirs:8.3f} {ours / theirs:6.2f} {error:8.1g}", flush=True)


if __name__ == "__main__":
    main()
