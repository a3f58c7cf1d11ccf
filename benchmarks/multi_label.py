"""Several labels an image: mosaics of four satellite tiles, and photographs with captions.

    python benchmarks/multi_label.py                     both sets, nineteen representations
    python benchmarks/multi_label.py -r histogram -r dct  some of them; no figure is asserted
    python benchmarks/multi_label.py --keep FOLDER        the sets and the reports stay there

- mosaics: 250 images of four of the 1,000 eurosat tiles each, every tile once; the labels are the
  land uses in them, ten in all.
- captions: 150 photographs of flickr8k; ten labels from words in their captions.

Each is compared by `imrep.compare` on a csv with path,labels, and once more with the label sets
dealt to the images at random. Prints mean average precision in % with its interval, prevalence, the
controls and processor seconds, and asserts the figures that are asked. Needs the shared data
(IMREP_DATA).
"""

import argparse
import csv
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
from encoded_sets import REPRESENTATIONS

import imrep
from imrep.api.comparison import Comparison

MIN_PRECISION = 0.60  # of the best on mosaics, at a prevalence of about .35
MAX_BIAS = 0.02  # of the mean over representations where the labels are shuffled
TILES, IMAGES = 4, 250
WORDS = {
    "dog": r"dogs?|pupp(y|ies)",
    "man": r"m[ae]n",
    "woman": r"wom[ae]n",
    "child": r"child(ren)?|kids?|boys?|girls?|bab(y|ies)|toddlers?",
    "water": r"water|ocean|sea|lake|pool|river|surf\w*|waves?",
    "grass": r"grass\w*|lawn",
    "ball": r"\w*balls?",
    "snow": r"snow\w*",
    "street": r"streets?|road|sidewalk",
    "mountain": r"mountains?|cliff|rocks?|hill",
}

LabelSets = Mapping[str, Sequence[str]]


def shared(*parts: str) -> Path:
    """A folder of the shared data."""
    if not (root := os.environ.get("IMREP_DATA")):
        raise SystemExit("multi_label.py needs the shared data. Set IMREP_DATA to its folder.")
    return Path(root, *parts)


def mosaics(folder: Path, seed: int = 0) -> LabelSets:
    """Write the mosaics; the land uses in each."""
    tiles = sorted(shared("classification", "eurosat").glob("*/*.jpg"))
    order = np.random.default_rng(seed).permutation(len(tiles))[: TILES * IMAGES]
    labels = {}
    for number, chosen in enumerate(order.reshape(IMAGES, TILES).tolist()):
        a, b, c, d = (np.asarray(PIL.Image.open(tiles[i]).convert("RGB")) for i in chosen)
        name = f"{number:03}.png"
        PIL.Image.fromarray(np.block([[[a], [b]], [[c], [d]]])).save(folder / name)
        labels[name] = sorted({tiles[i].parent.name for i in chosen})
    return labels


def captions(folder: Path) -> LabelSets:
    """Link the photographs; the labels that their captions mention."""
    source = shared("captions", "flickr8k_a")
    texts: dict[str, str] = {}
    with (source / "captions.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            texts[line["image"]] = f"{texts.get(line['image'], '')} {line['caption'].lower()}"
    for name in texts:
        (folder / name).symlink_to(source / "images" / name)
    return {
        name: [label for label, words in WORDS.items() if re.search(rf"\b({words})\b", text)]
        for name, text in texts.items()
    }


def shuffled(labels: LabelSets, seed: int = 1) -> LabelSets:
    """The same label sets, dealt to the images at random."""
    order = np.random.default_rng(seed).permutation(len(labels))
    sets = list(labels.values())
    return {name: sets[i] for name, i in zip(labels, order.tolist(), strict=True)}


def compare(folder: Path, labels: LabelSets, specs: Sequence[str], out: Path) -> Comparison:
    """Write the csv and compare."""
    with (folder / "split.csv").open("w", encoding="utf-8", newline="") as file:
        lines = [(name, "|".join(each)) for name, each in labels.items()]
        csv.writer(file).writerows([("path", "labels"), *lines])
    return imrep.compare(folder, list(specs), out, threads=1, cues=False)


def precisions(comparison: Comparison, role: str = "contender") -> dict[str, float]:
    """Mean average precision of every representation, or of every control."""
    rows = (row for row in comparison.rows if (row.kind, row.metric) == ("accuracy", "precision"))
    return {row.spec: row.value or 0.0 for row in rows if row.role == role}


def show(name: str, comparison: Comparison, seconds: float) -> None:
    """A line for every representation."""
    print(f"\n{name}: {comparison.sentence}")
    for line in comparison.table():
        ends = f"[{100 * line['lo']:3.0f}, {100 * line['hi']:3.0f}]"
        print(f"  {line['spec']:12} {100 * line['precision']:5.1f} {ends}  {line.get('by', '-')}")
    controls = precisions(comparison, "control").items()
    print("  controls:", ", ".join(f"{spec} {100 * value:.1f}" for spec, value in controls))
    print(f"  guessing {100 * comparison.verdict['guess']:.1f}; {seconds:.0f} processor seconds")


def measure(name: str, specs: Sequence[str], root: Path) -> list[Comparison]:
    """Compare with the labels, and with shuffled ones."""
    folder = root / name
    folder.mkdir(parents=True)
    labels = {"mosaics": mosaics, "captions": captions}[name](folder)
    comparisons = []
    for kind, each in (("labels", labels), ("shuffled", shuffled(labels))):
        start = time.process_time()
        comparisons.append(compare(folder, each, specs, root / f"{name}-{kind}"))
        show(f"{name}, {kind}", comparisons[-1], time.process_time() - start)
    return comparisons


def check(name: str, comparisons: Sequence[Comparison]) -> None:
    """Assert what is asked."""
    real, random = comparisons
    best, guess = max(precisions(real).values()), real.verdict["guess"]
    values = np.array(list(precisions(random).values()))
    print(
        f"\n{name}: best {best:.3f} at {guess:.3f} (asked on mosaics: {MIN_PRECISION} at .35); "
        f"shuffled {values.mean() - guess:+.3f} from the prevalence, single ones "
        f"{values.min() - guess:+.3f} to {values.max() - guess:+.3f} (asked: {MAX_BIAS})"
    )
    assert name != "mosaics" or (best >= MIN_PRECISION and abs(guess - 0.35) < 0.03)
    assert abs(values.mean() - guess) <= MAX_BIAS
    assert random.verdict["sentence"] == "none"


def main() -> None:
    """Measure both sets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-r", "--representation", action="append")
    parser.add_argument("--sets", nargs="+", default=["mosaics", "captions"])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    specs = options.representation or REPRESENTATIONS
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.sets:
            comparisons = measure(name, specs, options.keep or Path(temporary))
            if not options.representation:
                check(name, comparisons)


if __name__ == "__main__":
    main()
