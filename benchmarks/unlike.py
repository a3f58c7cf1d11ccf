"""`imrep predict --unlike`: images of other sets among those of the set that was fitted to.

    python benchmarks/unlike.py                            seven sets, nineteen representations
    python benchmarks/unlike.py --sets dtd_a mnist -r hog  some of them; nothing is asserted

Three quarters of a set, in complete groups, are what a classifier would be fitted to, and set the
threshold: the distance that 99 % of left-out images keep within. A codebook is that of the complete
set. Printed of each representation,
as means over the sets: the share of the other quarter that is named all the same (asked: at most
2 %), and the share that is named of 60 images of each other set, by the set fitted to. Needs the
shared data (IMREP_DATA).
"""

import argparse
from collections.abc import Mapping, Sequence

import encoded_sets
import numpy as np
import torch
from encoded_sets import REPRESENTATIONS, SETS, EncodedSet

from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.estimators.kernels import STANDARDISED, Kernels, features
from imrep.estimators.neighbourhood import Neighbourhood, threshold

OUTSIDERS = 60  # images of each other set
MAX_FALSE = 0.02


def sample(other: EncodedSet) -> np.ndarray:
    """Rows of images of a set, always the same."""
    rng = np.random.default_rng(0)
    return other.dataset.rows[rng.permutation(len(other.dataset))[:OUTSIDERS]]


def outsiders(candidate: EncodedCandidate, other: EncodedSet) -> np.ndarray:
    """Vectors of images of another set, by a codebook of the set that was fitted to."""
    (part,), rows = candidate.parts, sample(other)
    if part.fitted:
        squares = torch.from_numpy(other.state.decoded(64).squares[rows])
        with torch.no_grad():
            return part.rep.embed(squares.movedim(-1, 1).float() / 255).numpy()
    return next(each for each in other.encoded if each.spec == candidate.spec).vectors(rows)


def shares(
    own: EncodedSet, candidate: EncodedCandidate, others: Sequence[EncodedSet]
) -> tuple[float, float]:
    """Of images named as unlike: the share of the same set, and the mean share of the others."""
    rng, data = np.random.default_rng(0), own.dataset
    groups = np.unique(data.groups)
    held = np.isin(data.groups, rng.permutation(groups)[: len(groups) // 4])
    vectors = np.asarray(candidate.vectors(data.rows), np.float32)
    stats = Kernels(vectors[~held], candidate.spec).statistics

    def standardised(values: np.ndarray) -> np.ndarray:
        return features(values, STANDARDISED, stats.mean, stats.scale, stats.floor)

    among, usual = Neighbourhood.of(standardised(vectors[~held]), data.groups[~held])
    limit = threshold(usual)

    def named(values: np.ndarray) -> float:
        return float((among.distances(standardised(values)) > limit).mean())

    strangers = [named(outsiders(candidate, other)) for other in others]
    return named(vectors[held]), float(np.mean(strangers))


def table(sets: Mapping[str, EncodedSet], specs: Sequence[str]) -> np.ndarray:
    """(representations, sets, 2): shares named of the set itself and of the others."""
    values = np.empty((len(specs), len(sets), 2))
    for i, spec in enumerate(specs):
        for j, own in enumerate(sets.values()):
            candidate = next(each for each in own.encoded if each.spec == spec)
            others = [each for each in sets.values() if each is not own]
            values[i, j] = shares(own, candidate, others)
        cells = "".join(f"{100 * share:13.0f}" for share in values[i, :, 1])
        mean = 100 * values[i].mean(0)
        print(f"{spec:32}{mean[0]:7.1f}{mean[1]:9.0f}{cells}", flush=True)
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("-r", nargs="+", default=list(REPRESENTATIONS))
    parser.add_argument("--max-images", type=int, help="of each set")
    chosen = parser.parse_args()
    sets = {
        name: encoded_sets.read(name, chosen.max_images or SETS[name], chosen.r)
        for name in chosen.sets
    }
    print(f"{'% named of':32}{'itself':>7}{'others':>9}{''.join(f'{n:>13}' for n in sets)}")
    values = table(sets, chosen.r)
    same, others = 100 * values.mean((0, 1))
    print(f"{'mean':32}{same:7.1f}{others:9.0f}")
    if set(chosen.sets) == set(SETS):
        assert same <= 100 * MAX_FALSE, f"{same:.1f} % of the same set are named"


if __name__ == "__main__":
    main()
