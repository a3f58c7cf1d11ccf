"""Accuracies of a representation under variations of its parameters (probe / k-NN, %).

    python benchmarks/ablation.py [representation ...] [--sets eurosat dtd_a] [--max-images 1000]

Every variation is a spec of imrep, measured by the protocol of `imrep compare` at 64 pixels and
seed 0. Needs the shared data (IMREP_DATA).
"""

import argparse
import os
import tempfile
from pathlib import Path

import torch

import imrep

SETS = ("cifar10", "eurosat", "dtd_a", "sign_digits", "caltech101_a", "mnist", "orl_faces_a")
VARIATIONS = {
    "pixels": ("side=16", "gray=true"),
    "histogram": ("bins=4", "bins=32,joint=false", "space=hsv", "space=lab", "soft=true"),
    "gradient": ("operator=scharr", "orientations=16", "cells=8"),
    "hog": ("cell=4", "cell=16", "block=1", "signed=true", "norm=l1sqrt", "layout=opencv"),
    "sift": ("words=64", "step=8", "grid=1", "pooling=vlad", "pooling=fisher", "detector=opencv"),
    "edge": ("sigma=1.0", "euclidean=true", "cells=8"),
    "corner": ("method=shi-tomasi", "block=5"),
    "blob": ("method=dog", "polarity=bright"),
    "kernel": ("kernel=edge", "kernel=gaussian", "cells=8"),
    "morphology": ("shape=square", "shape=disk", "operation=tophat", "sizes=6"),
    "segment": ("regions=4", "regions=16", "start=grid", "texture=0.0"),
    "laplacian": ("levels=2", "cells=2", "cells=8"),
    "scattering": ("scales=2", "scales=4", "order=1", "orientations=4", "colour=rgb"),
    "filterbank": ("bank=random", "bank=dct,size=8", "rectify=crelu", "cells=2"),
    "fourier": ("side=32",),
    "dct": ("channels=24", "channels=64", "chroma=dctnet", "cells=1", "cells=4"),
    "bandpass": ("method=butterworth", "low=none", "high=none", "rings=4", "orientations=1"),
    "bilateral": ("sigma_space=4.0", "sigma_range=0.2", "cells=6"),
    "tanhpolar": ("method=cartesian", "keep_aspect_ratio=true", "cells=8"),
}


def specs(name: str) -> list[str]:
    """The representation at its defaults and under every variation."""
    return [name, *(f"{name}:{variation}" for variation in VARIATIONS[name])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="representation", choices=[[], *VARIATIONS])
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="SET")
    parser.add_argument("--max-images", type=int, help="sample so many images of each set")
    options = parser.parse_args()
    shared = Path(os.environ.get("IMREP_DATA", Path(__file__).parents[2] / "shared" / "data"))
    torch.set_num_threads(1)
    for name in options.names or VARIATIONS:
        columns = [_measure(shared, each, name, options.max_images) for each in options.sets]
        print(f"\n{name:36} {' '.join(f'{each:>12}' for each in options.sets)}")
        for spec in specs(name):
            cells = " ".join(f"{column.get(spec, '-'):>12}" for column in columns)
            print(f"{spec:36} {cells}", flush=True)


def _measure(shared: Path, data: str, name: str, max_images: int | None) -> dict[str, str]:
    """Accuracy of the probe / of k-NN in per cent, by spec."""
    with tempfile.TemporaryDirectory() as out:
        folder = shared / "classification" / data
        table = imrep.compare(folder, specs(name), out, max_images=max_images).table()
    return {line["spec"]: f"{100 * line['accuracy']:.1f}/{100 * line['knn']:.1f}" for line in table}


if __name__ == "__main__":
    main()
