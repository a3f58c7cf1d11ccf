"""Accuracies beside those of the protocol's prototype, set by set (probe / k-NN, %).

    python benchmarks/accuracy.py [set ...]

The prototype had S = 64, seed 0, codebooks fitted once on all images and unweighted classes. Needs
the shared data (IMREP_DATA). Variations of parameters are in ablation.py.
"""

import os
import sys
import tempfile
from pathlib import Path

import torch

import imrep

SETS = ("cifar10", "eurosat", "dtd_a", "sign_digits", "caltech101_a", "mnist", "orl_faces_a")
EXPECTED = {  # in the order of SETS
    "pixels": "33.5/30.5 34.2/32.0 36.7/34.7 65.0/58.1 55.0/50.8 83.2/89.8 97.4/95.8",
    "histogram": "29.1/27.7 62.7/65.2 45.8/45.6 26.7/23.6 51.0/48.3 27.2/28.6 66.3/87.4",
    "hog": "44.5/46.7 44.3/44.7 55.6/61.9 75.3/70.0 76.0/76.5 94.6/92.2 98.9/95.8",
    "sift": "36.6/32.7 35.3/32.0 67.5/60.3 76.4/66.1 66.0/57.8 92.8/87.9 98.9/97.4",
    "laplacian": "26.3/32.6 30.2/21.5 40.6/46.1 48.3/42.2 43.5/58.8 79.0/85.0 93.7/92.6",
    "fourier": "34.4/28.9 46.1/36.5 55.8/54.7 66.4/63.6 52.3/45.0 67.7/71.0 98.4/98.9",
    "dct": "44.8/36.7 67.9/63.6 58.1/59.7 59.4/45.8 59.5/52.3 77.3/60.2 94.7/92.6",
    "filterbank": "47.2/38.2 60.3/34.1 55.3/55.0 83.3/77.2 77.0/64.8 95.8/90.6 100/98.9",
}


def main() -> None:
    shared = Path(os.environ.get("IMREP_DATA", Path(__file__).parents[2] / "shared" / "data"))
    torch.set_num_threads(1)
    names = ["gradient", *EXPECTED]
    for name in sys.argv[1:] or SETS:
        with tempfile.TemporaryDirectory() as out:
            comparison = imrep.compare(shared / "classification" / name, names, out)
            lines = {line["spec"]: line for line in comparison.table()}
        print(f"\n{name}: {comparison.sentence}")
        for spec in names:
            line = lines[spec]
            measured = f"{100 * line['accuracy']:5.1f}/{100 * line['knn']:.1f}"
            column = SETS.index(name)
            expected = EXPECTED[spec].split()[column] if spec in EXPECTED else "-"
            print(f"  {spec:12} {measured:>11}   expected {expected:>10}   {line['ms']:.3f} ms")


if __name__ == "__main__":
    main()
