"""`imrep predict` beside `imrep embed`: 1,000 JPEGs by dct, each command from its start to its end.

    python benchmarks/predict_speed.py
    python benchmarks/predict_speed.py --images 200 --rounds 3 --unlike

The commands alternate; of each the fastest round counts. Asked: at most 10 % more than `embed`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

IMREP = str(Path(sys.executable).with_name("imrep"))
LIMIT = 1.10


def photographs(folder: Path, count: int, classes: int = 5) -> None:
    """JPEGs of 640 × 480: smooth colour fields with waves, whose direction is the class."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:480, :640] / 30
    for i in range(count):
        name = f"class{i % classes}"
        (folder / name).mkdir(parents=True, exist_ok=True)
        angle = np.pi * (i % classes) / classes
        wave = np.sin(x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, 6))
        field = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((640, 480))
        pixels = np.asarray(field) * 0.6 + 50 * wave[..., None] + rng.normal(0, 8, (480, 640, 3))
        image = Image.fromarray((pixels + 50).clip(0, 255).astype(np.uint8))
        image.save(folder / name / f"{i:04}.jpg", quality=90)


def run(*words: object, cwd: Path) -> tuple[float, float]:
    """Wall-clock and processor seconds of a command."""
    start, before = time.perf_counter(), os.times()
    subprocess.run([IMREP, *map(str, words)], cwd=cwd, check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return time.perf_counter() - start, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--train", type=int, default=500, help="images that are compared")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--unlike", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["IMREP_CACHE"] = str(root / "cache")
        photographs(root / "photos", chosen.train)
        photographs(root / "new", chosen.images)
        run("compare", "photos", "-r", "dct", "--save", "model", cwd=root)
        unlike = ("--unlike",) if chosen.unlike else ()
        commands = {
            "embed": ("embed", "new", "dct", "-o", "v.parquet"),
            "predict": ("predict", "model", "new", "-o", "answers.csv", *unlike),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(chosen.rounds):
            for name, words in commands.items():
                times[name].append(run(*words, cwd=root))
    best = {name: np.min(seconds, axis=0) for name, seconds in times.items()}
    for name, (wall, cpu) in best.items():
        print(f"{name:8} {wall:6.2f} s, {cpu:6.2f} s of the processor")
    wall, cpu = best["predict"] / best["embed"]
    print(f"predict / embed: {wall:.3f} wall clock, {cpu:.3f} processor")
    assert cpu <= LIMIT, f"predict takes {cpu:.2f} times as long as embed"


if __name__ == "__main__":
    main()
