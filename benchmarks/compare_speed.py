"""Where the time and the memory of a comparison go.

    python benchmarks/compare_speed.py                1,000 images, ten representations, one thread
    python benchmarks/compare_speed.py --crops 20     20 crops of each: 20,000 images

Each stage's processor seconds (children included), then the sum, the wall clock and the peak
memory. Needs the shared data (IMREP_DATA). The cache is a fresh folder, so nothing is reused.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

NINE = [
    *("pixels", "histogram", "gradient", "hog", "sift"),
    *("fourier", "dct", "laplacian", "filterbank"),
]
RANDOM = "cnn:arch=resnet18,weights=random"
AFTER = ("near-copies", "probe", "controls", "labels needed", "what each", "writing")


def cpu() -> float:
    """Processor seconds of this process and its children so far."""
    own, children = (
        resource.getrusage(process) for process in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return sum(use.ru_utime + use.ru_stime for use in (own, children))


def peak() -> float:
    """Peak memory of this process so far, in MB of 1,000,000 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


class Stages:
    """Processor seconds, and the peak so far, by what the progress says is being done."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.peaks: dict[str, float] = {}
        self.current, self.since = "start", cpu()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self.current:
            now = cpu()
            self.spent[self.current] = self.spent.get(self.current, 0) + now - self.since
            self.peaks[self.current] = peak()
            self.current, self.since = what, now


def cropped(data: Path, into: Path, crops: int) -> Path:
    """`crops` random crops of 56 px of each image, enlarged back to 64."""
    rng = np.random.default_rng(0)
    for path in sorted(data.glob("*/*.jpg")):
        folder = into / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            for i in range(crops):
                x, y = rng.integers(0, 9, 2).tolist()
                crop = image.crop((x, y, x + 56, y + 56)).resize(
                    (64, 64), Image.Resampling.BILINEAR
                )
                crop.save(folder / f"{path.stem}_{i:02}.jpg", quality=90)
    return into


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", default="eurosat")
    options.add_argument("--crops", type=int, default=0)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("-r", action="append", dest="specs")
    arguments = options.parse_args()
    shared = Path(os.environ.get("IMREP_DATA", Path(__file__).parents[2] / "shared" / "data"))
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["IMREP_CACHE"] = f"{temporary}/cache"
        data = shared / "classification" / arguments.data
        if arguments.crops:
            data = cropped(data, Path(temporary) / "crops", arguments.crops)
        import torch

        import imrep

        torch.set_num_threads(arguments.threads)
        stages, wall, before = Stages(), time.perf_counter(), cpu()
        specs = arguments.specs or [*NINE, RANDOM]
        comparison = imrep.compare(
            data, specs, Path(temporary) / "report", progress=stages, threads=arguments.threads
        )
        stages("done", 0, 0)
        total, seconds = cpu() - before, time.perf_counter() - wall
        print(comparison)
        print()
        for what, spent in sorted(stages.spent.items(), key=lambda item: -item[1]):
            print(f"{spent:8.2f} s  {stages.peaks[what]:6.0f} MB so far  {what}")
    after = sum(s for what, s in stages.spent.items() if any(part in what for part in AFTER))
    print(f"{total:8.2f} s CPU in all, {after:.2f} s after encoding; wall {seconds:.1f} s")
    print(f"{peak():8.0f} MB peak, load {os.getloadavg()[0]:.1f}, threads {arguments.threads}")
    print(json.dumps({"cpu": total, "after": after, "wall": seconds, "peak_mb": peak()}))


if __name__ == "__main__":
    main()
