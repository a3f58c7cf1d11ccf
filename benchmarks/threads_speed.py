"""Default threads beside one: wall and processor time, idle and beside busy processes.

    python benchmarks/threads_speed.py [--busy 2] [--rounds 5] [--only Embedder]

Rounds are interleaved and medians compared. On an idle machine of two cores the ratio is to be
above 1.6 where both have work, and nowhere below 1 / 1.1, however loaded the machine is.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

BUSY = "while True: pass"
COMMANDS = {
    "embed dct": ["embed", "{photos}", "dct", "--size", "native", "-o", "{out}.npz"],
    "embed hog": ["embed", "{photos}", "hog", "--size", "native", "-o", "{out}.npz"],
    "embed scattering": ["embed", "{photos}", "scattering", "-o", "{out}.npz"],
    "embed sift": ["embed", "{photos}", "sift:words=64", "-o", "{out}.npz"],
    "edit denoise": ["edit", "{photos}", "denoise", "-o", "{out}"],
    "match": ["match", "{photos}/000.png", "{photos}", "-q", "-o", "{out}.csv"],
}
EMBEDDER = """
import sys, time, torch
from sklearn.datasets import load_digits
from imrep.sklearn.embedder import Embedder
torch.set_num_threads(int(sys.argv[1]) or torch.get_num_threads())
digits = load_digits().images / 16
Embedder("hog:cell=4").fit_transform(digits)
"""


@contextmanager
def busy(count):
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def draw(folder, count=200):
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        small = rng.integers(0, 256, (17, 23, 3), np.uint8)
        Image.fromarray(small).resize((226 + i % 9, 166 + i % 7), 3).save(folder / f"{i:03}.png")


def seconds(command):
    """Wall and processor seconds of a process, its start among them."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, env=environment, capture_output=True)
    after = os.times()
    spent = after.children_user + after.children_system
    return time.perf_counter() - began, spent - before.children_user - before.children_system


def measure(name, photos, folder, rounds):
    """Median wall and processor seconds with one thread, and with the default."""
    measured = {1: [], 0: []}
    for i in range(rounds):
        for threads, times in measured.items():
            if name == "Embedder":
                command = [sys.executable, "-c", EMBEDDER, str(threads)]
            else:
                out = folder / f"{name}-{threads}-{i}".replace(" ", "-")
                words = [word.format(photos=photos, out=out) for word in COMMANDS[name]]
                command = [sys.executable, "-m", "imrep", *words]
                command += ["--threads", str(threads)] if threads else []
            times.append(seconds(command))
    return [
        tuple(map(statistics.median, zip(*measured[threads], strict=True))) for threads in (1, 0)
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=[*COMMANDS, "Embedder"], action="append")
    arguments = parser.parse_args()
    print(f"{'':18}  {'beside':>6}  {'one thread':>16}  {'default':>16}  {'ratio':>5}")
    with tempfile.TemporaryDirectory() as root:
        photos = Path(root, "photos")
        draw(photos)
        for count in (0, arguments.busy):
            with busy(count):
                for name in arguments.only or (*COMMANDS, "Embedder"):
                    single, default = measure(name, photos, Path(root), arguments.rounds)
                    cells = [f"{wall:6.2f} s ({cpu:5.2f})" for wall, cpu in (single, default)]
                    ratio = single[0] / default[0]
                    print(f"{name:18}  {count:6}  {cells[0]}  {cells[1]}  {ratio:5.2f}", flush=True)


if __name__ == "__main__":
    main()
