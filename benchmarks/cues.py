"""What the classes hang on: accuracy on seven variants of the images, set by set.

    python benchmarks/cues.py                          four sets, nine cheap representations
    python benchmarks/cues.py --sets sign_digits       some of them

Prints balanced accuracy, in %, of the best representation on each variant (picked after looking)
and of all together by weights that are fitted anew in every training part; below, the points that
the latter loses with their 95 % intervals, and the sentence of the report. In brackets what the
protocol's prototype had with the same nine. Needs the shared data (IMREP_DATA); keeps
vectors and scores in the cache of `imrep compare` (IMREP_CACHE).
"""

import argparse
import time

import encoded_sets
import numpy as np
import torch
from encoded_sets import SETS
from threadpoolctl import threadpool_limits

from imrep.comparison.conclusions.cues import Cues, sentence
from imrep.comparison.diagnostics.cues.scores import predict_variants
from imrep.comparison.diagnostics.cues.variants import ORIGINAL, VARIANTS
from imrep.comparison.probes.classifier import balanced_accuracy
from imrep.comparison.probes.combination import combine
from imrep.comparison.statistics.gain import gains

CHEAP = (  # under a millisecond, whatever the machine is doing
    *("dct", "histogram", "fourier", "laplacian", "kernel"),
    *("gradient", "hog", "pixels", "edge"),
)
NAMES = (ORIGINAL, *VARIANTS)
BEST = {  # of nine, by variant
    "eurosat": (77, 72, 74, 70, 70, 76, 45, 75),
    "caltech101_a": (82, 81, 76, 70, 81, 58, 76, 80),
    "dtd_a": (69, 71, 57, 57, 68, 66, 67, 72),
    "sign_digits": (85, 86, 85, 84, 90, 38, 80, 86),
}
WEIGHTED = {
    "caltech101_a": (90, 85, 82, 80, 89, 70, 78, 90),
    "sign_digits": (89, 88, 88, 81, 89, 54, 80, 88),
}


def line(title: str, numbers: list[float], expected: tuple[int, ...]) -> str:
    """A title and a number for each variant, the prototype's in brackets."""
    cells = [f"{n:4.0f}" + (f" ({expected[i]})" if expected else "") for i, n in enumerate(numbers)]
    return f"{title:<22}" + "".join(f"{cell:>11}" for cell in cells)


def measure(name: str) -> None:
    """Print the figures of one set and assert its largest loss."""
    start = time.process_time()
    data = encoded_sets.read(name, SETS[name], CHEAP)
    dataset, labels = data.dataset, data.dataset.labels
    encoding = time.process_time() - start
    _, predicted = predict_variants(data.encoded, dataset, True, data.state)
    best = [
        100 * max(balanced_accuracy(each.probe == labels, labels) for each in parts)
        for parts in predicted.values()
    ]
    hits = np.stack(
        [
            combine([p.folds for p in parts], labels, dataset.groups, dataset.folds).probe == labels
            for parts in predicted.values()
        ]
    )
    results = gains(hits, labels, dataset.groups, dataset.seed)
    seconds = time.process_time() - start - encoding
    print(line(name, best, BEST.get(name, ())))
    weighted = [100 * each.accuracy for each in results]
    print(line(f"{name}, together", weighted, WEIGHTED.get(name, ())))
    intervals = [f"{100 * r.gain_low:+.0f}…{100 * r.gain_high:+.0f}" for r in results]
    print(f"{'':<22}" + "".join(f"{interval:>11}" for interval in intervals))
    scores = dict(zip(NAMES, results, strict=True))
    for each in sentence([Cues(None, dataset, scores)]):
        print(f"    {each.text}")
    print(f"    {seconds:.1f} CPU s", flush=True)
    check(name, {variant: -100 * each.gain for variant, each in scores.items()})


def check(name: str, loss: dict[str, float]) -> None:
    """The findings that the prototype made, in points."""
    if name == "sign_digits":
        assert loss["blocks shuffled"] > 25, loss
        assert abs(loss["no colour"]) < 5, loss
    if name == "caltech101_a":
        assert 8 < loss["blocks shuffled"] < 32, loss
        assert 4 < loss["edges only"] < 22, loss
    if name == "dtd_a":
        assert loss["edges only"] < 12, loss
    if name == "eurosat":
        assert loss["edges only"] > 15 and loss["blocks shuffled"] < 8, loss


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets", nargs="+", choices=list(SETS), default=list(BEST))
    names = options.parse_args().sets
    torch.set_num_threads(1)
    print(f"{'':<22}" + "".join(f"{variant[:10]:>11}" for variant in NAMES))
    with threadpool_limits(1):
        for name in names:
            measure(name)


if __name__ == "__main__":
    main()
