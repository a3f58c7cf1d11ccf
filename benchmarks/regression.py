"""A number for each image: how noisy a photograph is, and by which angle it is rotated.

    python benchmarks/regression.py                     three sets, nine representations
    python benchmarks/regression.py -r dct -r pixels    some of them; no figure is asserted
    python benchmarks/regression.py --keep FOLDER       the sets and the reports stay there

- sigma: 400 patches of 64 px, ten of each of 40 photographs (Kodak and CBSD68), with Gaussian noise
  of a standard deviation between 0 and 50 of 255; the patches of a photograph are a group.
- angle: 360 photographs of hand signs, rotated by -45 to 45 degrees and mirrored beyond their
  borders. The wrist and the mirrored corners give the angle away, of which the frame warns.
- inside: the same, cropped to the square that lies inside the photograph whatever the angle. No
  figure is asked of it.

Each is compared by `imrep.compare` on a csv with path,value, and once more with the numbers dealt
to the images at random. Prints R² in % with its interval, mean errors, the controls and processor
seconds, and asserts the figures that are asked. Needs the shared data (IMREP_DATA).
"""

import argparse
import csv
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import PIL.Image

import imrep
from imrep.api.comparison import Comparison

REPRESENTATIONS = (
    *("dct", "scattering", "bandpass", "fourier", "tanhpolar"),
    *("histogram", "hog", "sift", "pixels"),
)
MIN_SIGMA, MIN_ANGLE = 0.98, 0.92  # R² of the best
PATCH, PATCHES, MAX_SIGMA = 64, 10, 50.0
MAX_ANGLE = 45.0


class Numbers(NamedTuple):
    """The numbers of a set, and the group of each image; without groups each is one of its own."""

    values: Mapping[str, float]
    groups: Mapping[str, str] | None = None


def shared(*parts: str) -> Path:
    """A folder of the shared data."""
    if not (root := os.environ.get("IMREP_DATA")):
        raise SystemExit("regression.py needs the shared data. Set IMREP_DATA to its folder.")
    return Path(root, *parts)


def pixels(path: Path) -> np.ndarray:
    """An image (h, w, 3) uint8."""
    return np.asarray(PIL.Image.open(path).convert("RGB"))


def sigma(folder: Path, seed: int = 0) -> Numbers:
    """Write the noisy patches; the standard deviation of the noise in each."""
    photographs = sorted(
        [
            *shared("denoising", "kodak_a").glob("*.png"),
            *shared("denoising", "cbsd68_a").glob("*.jpg"),
        ]
    )
    rng, values, groups = np.random.default_rng(seed), {}, {}
    for path in photographs:
        photograph = pixels(path)
        for number in range(PATCHES):
            y, x = (int(rng.integers(0, side - PATCH)) for side in photograph.shape[:2])
            patch = photograph[y : y + PATCH, x : x + PATCH].astype(float)
            name, level = f"{path.stem}_{number}.png", float(rng.uniform(0, MAX_SIGMA))
            noisy = np.clip(patch + rng.normal(0, level, patch.shape), 0, 255).round()
            PIL.Image.fromarray(noisy.astype(np.uint8)).save(folder / name)
            values[name], groups[name] = level, path.stem
    return Numbers(values, groups)


def angle(folder: Path, share: float = 1.0, seed: int = 0) -> Numbers:
    """Write the rotated photographs, or the middle of them; the angle of each, in degrees."""
    rng, values = np.random.default_rng(seed), {}
    for path in sorted(shared("classification", "sign_digits").glob("*/*.*")):
        photograph, degrees = pixels(path), float(rng.uniform(-MAX_ANGLE, MAX_ANGLE))
        h, w = photograph.shape[:2]
        matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), degrees, 1)
        rotated = cv2.warpAffine(photograph, matrix, (w, h), borderMode=cv2.BORDER_REFLECT)
        side = int(share * min(h, w))
        y, x = (h - side) // 2, (w - side) // 2
        name = f"{path.parent.name}_{path.stem}.png"
        PIL.Image.fromarray(rotated[y : y + side, x : x + side]).save(folder / name)
        values[name] = degrees
    return Numbers(values)


def inside(folder: Path) -> Numbers:
    """The square that lies inside the photograph whatever the angle."""
    return angle(folder, np.sqrt(0.5))


SETS: Mapping[str, Callable[[Path], Numbers]] = {"sigma": sigma, "angle": angle, "inside": inside}


def shuffled(numbers: Numbers, seed: int = 1) -> Numbers:
    """The same numbers dealt to the images at random."""
    values = list(numbers.values.values())
    order = np.random.default_rng(seed).permutation(len(values)).tolist()
    dealt = {name: values[i] for name, i in zip(numbers.values, order, strict=True)}
    return numbers._replace(values=dealt)


def compare(folder: Path, numbers: Numbers, specs: Sequence[str], out: Path) -> Comparison:
    """Write the csv and compare."""
    with (folder / "split.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "value"), *numbers.values.items()])
    return imrep.compare(folder, list(specs), out, groups=numbers.groups, threads=1)


def explained(comparison: Comparison, role: str = "contender") -> dict[str, float]:
    """R² of every representation, or of every control."""
    rows = (row for row in comparison.rows if (row.kind, row.metric) == ("accuracy", "r2"))
    return {row.spec: row.value or 0.0 for row in rows if row.role == role}


def show(name: str, comparison: Comparison, seconds: float) -> None:
    """A line for every representation."""
    print(f"\n{name}: {comparison.sentence}")
    for line in comparison.table():
        mark = "o" if line["spec"] in comparison.verdict["equals"] else " "
        ends = f"[{100 * line['lo']:.1f}, {100 * line['hi']:.1f}]"
        print(
            f"{mark} {line['spec']:<14} {100 * line['r2']:6.1f} {ends:<15} {line['error']:6.2f}",
            flush=True,
        )
    for control, value in explained(comparison, "control").items():
        print(f"  {control:<14} {100 * value:6.1f}")
    for warning in comparison.verdict["warnings"]:
        print(f"  {warning['text']}")
    guess = next(row.value for row in comparison.rows if row.metric == "guess_error")
    gap = comparison.verdict["gap"]
    visible = "" if gap is None else f"; smallest visible gap {100 * gap:.1f}"
    print(f"  guessing is off by {guess:.2f}{visible}; {seconds:.0f} processor seconds")


def measure(name: str, specs: Sequence[str], root: Path) -> list[Comparison]:
    """Compare with the numbers, and with shuffled ones."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    numbers, comparisons = SETS[name](folder), []
    for title, own in ((name, numbers), (f"{name} shuffled", shuffled(numbers))):
        started = time.process_time()
        comparison = compare(folder, own, specs, root / f"report {title}")
        show(title, comparison, time.process_time() - started)
        comparisons.append(comparison)
    return comparisons


def check(name: str, comparisons: Sequence[Comparison]) -> None:
    """Assert what is asked."""
    real, random = comparisons
    asked = {"sigma": MIN_SIGMA, "angle": MIN_ANGLE, "inside": 0.0}[name]
    best = max(explained(real).values())
    assert best >= asked, f"{name}: R² {best:.3f} of the best, {asked} is asked"
    for line in random.table():
        text = f"{name} shuffled: {line['spec']} has [{line['lo']:.3f}, {line['hi']:.3f}]"
        assert line["lo"] <= 0 <= line["hi"], text
    assert random.verdict["sentence"] in ("none", "too few")


def main() -> None:
    """Measure, print and check."""
    parser = argparse.ArgumentParser(description="Numbers predicted from images.")
    parser.add_argument("-r", "--representation", action="append", dest="specs")
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets")
    parser.add_argument("--keep", type=Path, help="folder for the sets and the reports")
    arguments = parser.parse_args()
    specs = arguments.specs or REPRESENTATIONS
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.keep or Path(temporary)
        for name in arguments.sets or SETS:
            comparisons = measure(name, specs, root)
            if arguments.specs is None:
                check(name, comparisons)


if __name__ == "__main__":
    main()
