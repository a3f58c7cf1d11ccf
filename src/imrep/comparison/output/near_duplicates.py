"""Near-duplicates for the reader: pairs of images with the reason, and a list of all of them."""

import csv
import io
from collections import Counter
from pathlib import Path

from imrep.assets import PAIRS, Pair
from imrep.comparison.data.image_collection import ImageCollection
from imrep.duplicates.evidence import reason
from imrep.duplicates.search import Edge
from imrep.io.files import write_text
from imrep.io.names import printable

FILENAME = "near_duplicates.csv"
_COLUMNS = (
    *("path", "copy", "label", "copy_label", "reason", "agreement", "correlation"),
    *("mirrored", "right", "down", "zoom", "brightness", "equal"),
)


def pairs(images: ImageCollection) -> list[tuple[Edge, Pair]]:
    """At most twelve near-duplicates; different labels first, then one pair of every group.

    A large group would otherwise take all the places.
    """
    rank: Counter[int] = Counter()
    listed = []
    for edge in images.duplicates.edges:
        group = int(images.duplicates.component[edge.i])
        listed.append((rank[group], edge, _pair(edge, images)))
        rank[group] += 1
    listed.sort(key=lambda entry: (not entry[2].conflict, entry[0]))
    return [(edge, pair) for _, edge, pair in listed[:PAIRS]]


def write(path: Path, images: ImageCollection) -> None:
    """List all near-duplicates as CSV, a pair a line; remove the list of an earlier run."""
    edges = images.duplicates.edges
    if not edges:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *(_line(edge, images) for edge in edges)])
    write_text(path, text.getvalue())


def _pair(edge: Edge, images: ImageCollection) -> Pair:
    items, facts = images.decoded.items, images.decoded.facts
    return Pair(
        paths=(items[edge.i].path, items[edge.j].path),
        labels=(images.label_texts[edge.i], images.label_texts[edge.j]),
        reason=reason(edge, facts[edge.i], facts[edge.j]),
    )


def _line(edge: Edge, images: ImageCollection) -> tuple[object, ...]:
    pair, (right, down) = _pair(edge, images), edge.shift
    equal = "files" if edge.same_file else "pixels" if edge.identical else ""
    return (
        *map(printable, pair.paths),
        *("" if label is None else printable(label) for label in pair.labels),
        *(pair.reason, f"{edge.hn:.4f}", f"{edge.v:.4f}", int(edge.mirrored)),
        *(f"{value + 0.0:.4f}" for value in (right, down, edge.zoom, edge.brightness)),  # no -0
        equal,
    )
