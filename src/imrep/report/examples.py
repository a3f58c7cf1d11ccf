"""The images in the page's head: one of each class, so that one sees which folder it is about."""

from typing import NamedTuple

from imrep.assets import Assets

MAX_EXAMPLES = 20  # two rows on a wide screen
_UNLABELLED = 10


class Example(NamedTuple):
    """A thumbnail and its class, which is empty without labels."""

    tile: int
    name: str


def examples(assets: Assets) -> list[Example]:
    """The first thumbnail of each class, in their order; without labels ten spread evenly."""
    first: dict[str, int] = {}
    for tile, label in enumerate(assets.labels):
        if label is not None:
            first.setdefault(label, tile)
    if first:
        names = sorted(first, key=lambda name: (name not in assets.classes, first[name]))
        return [Example(first[name], name) for name in names]
    step = max(1, len(assets.paths) // _UNLABELLED)
    return [Example(tile, "") for tile in range(0, len(assets.paths), step)][:_UNLABELLED]
