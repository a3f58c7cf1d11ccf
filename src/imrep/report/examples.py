"""The images in the page's head: one of each class, so that one sees which folder it is about."""

from collections import Counter
from typing import NamedTuple

from imrep.assets import Assets

MAX_EXAMPLES = 20  # two rows on a wide screen
_UNLABELLED = 10


class Example(NamedTuple):
    """A thumbnail and its class, which is empty without labels."""

    tile: int
    name: str


def examples(assets: Assets, spec: str) -> list[Example]:
    """A typical thumbnail of each class, in their order; without labels ten spread evenly.

    Typical is the one that is most often among the nearest neighbours of its class, by this
    representation.
    """
    popularity = _popularity(assets, spec)
    best: dict[str, int] = {}
    for tile, label in enumerate(assets.labels):
        if label is None:
            continue
        if label not in best or popularity[tile] > popularity[best[label]]:
            best[label] = tile
    if best:
        return [Example(tile, name) for name, tile in best.items()]
    step = max(1, len(assets.paths) // _UNLABELLED)
    return [Example(tile, "") for tile in range(0, len(assets.paths), step)][:_UNLABELLED]


def _popularity(assets: Assets, spec: str) -> Counter[int]:
    """How many images of its own class have each thumbnail among their nearest."""
    if spec not in assets.neighbours:
        return Counter()
    rows = assets.neighbours[spec].tolist()
    labels = assets.labels
    return Counter(j for i, row in enumerate(rows) for j in row if labels[i] == labels[j])
