"""What a report contains besides numbers: images, neighbours, confusions, skipped files.

A folder `assets/` holds one `assets.json` and a few sheets of equal tiles, so that a page can
inline a sheet once and display any tile of it. Photographs are WebP (lossy);
reconstructions are PNG, since their blur matters.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from imrep.errors import BadData
from imrep.io.files import write_atomic, write_text
from imrep.io.names import encodable_values

Tiles = NDArray[np.uint8]  # (t, s, s, 3), sRGB
FOLDER, INDEX = "assets", "assets.json"
THUMBNAILS, SIDE = 2_000, 48  # their maximal number and their side, px: bounded by the page's 8 MB
NEAREST, QUERIES, PAIRS, REBUILT = 5, 3, 12, 7  # numbers of each in a report
ODD = 6  # odd images of each issue in a report
CHECKED = 48  # suspected label errors that are displayed
_QUALITIES = 82, 60, 40, 20  # of WebP, tried in this order
_MAX_SHEET = 2_500_000  # bytes, of the page's 8 MB; only 2,000 thumbnails of noise exceed it
COLUMNS = 25  # of a sheet: 2,000 tiles are 25 × 80, within the maximal side of WebP


def _no_tiles() -> Tiles:
    return np.zeros((0, SIDE, SIDE, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two near-duplicates, as rows of `Assets.copies`: tiles 2i and 2i + 1 of the i-th pair.

    Args:
        paths: Of the two files, relative to the data.
        labels: Of the two; None without one. Different labels are displayed in red.
        reason: What they have in common and in what they differ, as a caption.
    """

    paths: tuple[str, str]
    labels: tuple[str | None, str | None] = (None, None)
    reason: str = ""

    @property
    def conflict(self) -> bool:
        """Whether the two labels differ."""
        return None not in self.labels and self.labels[0] != self.labels[1]


class OddPicture(NamedTuple):
    """An image that looks odd.

    Attributes:
        path: Of the file, relative to the data.
        issue: One of `comparison.diagnostics.quality.ISSUES`.
        caption: What was measured, in a few words.
    """

    path: str
    issue: str
    caption: str


class Remark(NamedTuple):
    """A picture with what is said of its label.

    Attributes:
        path: Of the file, relative to the data.
        label: Its class.
        other: The class that it is held against.
        p: Probability of the label, out of fold; in "confused", of the other class.

    In "furthest" the label is a true number, the other the predicted one, and `p` the error over
    the mean error of guessing.
    """

    path: str
    label: str
    other: str
    p: float


@dataclass(frozen=True, kw_only=True)
class Assets:
    """Everything in a report that is not a number in results.jsonl.

    Args:
        thumbnails: (t, 48, 48, 3) uint8, at most 2,000 images; each can be the query.
        paths: Their t paths, relative to the data.
        labels: Their t labels, None without one.
        objects: Where labels are classes, the objects that they show, None without one; or empty.
        neighbours: spec -> (t, 5) indices into thumbnails, nearest first, never the image itself;
            fewer than five images give narrower arrays.
        queries: Up to three indices displayed first.
        maps: spec -> (t, 2) positions of the thumbnails on a plane, any scale.
        variances: spec -> shares of the variance along the two axes of its map, in [0, 1].
        copies: (2p, s, s, 3) uint8, the images of `pairs`.
        pairs: Up to twelve near-duplicates, those with different labels first.
        odd_tiles: (o, s, s, 3) uint8, the images of `odd`.
        odd: Up to six images of each issue.
        remarked: (r, s, s, 3) uint8, the images of `remarks`, one section after the other.
        remarks: "suspects", "hardest", "typical" and "confused" -> what is said of the images.
        originals: (7, 32, 32, 3) uint8, the images to reconstruct.
        original_paths: Their paths; or empty.
        rebuilt: spec -> (7, 32, 32, 3) uint8, least-squares reconstructions from the vectors.
        perturbed: perturbation -> (s, s, 3) uint8, one image under each; "original" first.
        variants: variant -> (s, s, 3) uint8, an image in each; as it is first.
        perturbed_path: Path of that image; or "".
        classes: Names of the rows and columns of the confusion matrices.
        confusions: spec -> (C, C) counts, rows: true class, columns: predicted class.
        skipped: (path, reason) of files that could not be read, in order.

    Raises:
        BadData: Shapes that do not fit each other.
    """

    thumbnails: Tiles = field(default_factory=_no_tiles)
    paths: Sequence[str] = ()
    labels: Sequence[str | None] = ()
    objects: Sequence[str | None] = ()
    neighbours: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    queries: Sequence[int] = ()
    maps: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    variances: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    copies: Tiles = field(default_factory=_no_tiles)
    pairs: Sequence[Pair] = ()
    odd_tiles: Tiles = field(default_factory=_no_tiles)
    odd: Sequence[OddPicture] = ()
    remarked: Tiles = field(default_factory=_no_tiles)
    remarks: Mapping[str, Sequence[Remark]] = field(default_factory=dict)
    originals: Tiles = field(default_factory=_no_tiles)
    original_paths: Sequence[str] = ()
    rebuilt: Mapping[str, Tiles] = field(default_factory=dict)
    perturbed: Mapping[str, Tiles] = field(default_factory=dict)
    variants: Mapping[str, Tiles] = field(default_factory=dict)
    perturbed_path: str = ""
    classes: Sequence[str] = ()
    confusions: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    skipped: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        t, c = len(self.thumbnails), len(self.classes)
        if t > THUMBNAILS:
            raise BadData(
                f"a report needs at most {THUMBNAILS:,} thumbnails, got {t:,}. Draw fewer."
            )
        _check_shape("paths and labels", (len(self.paths), len(self.labels)), (t, t))
        n = len(self.originals)
        _check_shape(
            "original_paths", (len(self.original_paths),), (n if self.original_paths else 0,)
        )
        _check_shape("objects", (len(self.objects),), (t if self.objects else 0,))
        for spec, nearest in self.neighbours.items():
            _check_shape(f"neighbours of {spec}", nearest.shape[:1], (t,))
            if nearest.size and (nearest.min() < 0 or nearest.max() >= t):
                raise BadData(f"neighbours of {spec} need indices below {t}, got others. Fix them.")
        for spec, spots in self.maps.items():
            _check_shape(f"map of {spec}", spots.shape, (t, 2))
        _check_shape("copies", (len(self.copies),), (2 * len(self.pairs),))
        _check_shape("odd tiles", (len(self.odd_tiles),), (len(self.odd),))
        remarks = sum(map(len, self.remarks.values()))
        _check_shape("remarks", (len(self.remarked),), (remarks,))
        for spec, pictures in self.rebuilt.items():
            _check_shape(f"rebuilt of {spec}", pictures.shape, self.originals.shape)
        for spec, counts in self.confusions.items():
            _check_shape(f"confusions of {spec}", counts.shape, (c, c))

    def frame(self, query: int, tile: int) -> str:
        """How a neighbour is framed: "object", "same" class, "different", or "" if unknown."""
        thing = self.objects[query] if self.objects else None
        if thing is not None and thing == self.objects[tile]:
            return "object"
        if self.labels[query] is None or self.labels[tile] is None:
            return ""
        return "same" if self.labels[query] == self.labels[tile] else "different"

    def save(self, folder: Path) -> None:
        """Write `folder/assets/`; the index last, so that a folder with an index is complete."""
        target = folder / FOLDER
        for name, tiles in self._sheets().items():
            if len(tiles):
                _write_sheet(target / name, tiles)
        named = encodable_values(self._index())
        index = json.dumps(named, ensure_ascii=False, allow_nan=False)
        write_text(target / INDEX, index)

    @classmethod
    def load(cls, folder: Path) -> "Assets":
        """The assets that `save` wrote; lossy sheets are changed slightly by compression.

        Raises:
            BadData: There are none.
        """
        source = folder / FOLDER
        if not (source / INDEX).is_file():
            raise BadData(f"a report needs {FOLDER}/{INDEX}, got {folder}. Run imrep compare.")
        index = json.loads((source / INDEX).read_text(encoding="utf-8"))
        sheets = {name: _read_sheet(source / name, n) for name, n in index["sheets"].items()}
        rebuilt = sheets["reconstructions.png"]
        per = len(rebuilt) // (1 + len(index["rebuilt"]))
        return cls(
            thumbnails=sheets["thumbnails.webp"],
            paths=index["paths"],
            labels=index["labels"],
            objects=index.get("objects", ()),
            neighbours={s: np.array(v, np.int64) for s, v in index["neighbours"].items()},
            queries=index["queries"],
            maps={s: np.array(v, np.float64) for s, v in index["maps"].items()},
            variances={s: (v[0], v[1]) for s, v in index.get("variances", {}).items()},
            copies=sheets["copies.webp"],
            pairs=[
                Pair(paths=tuple(paths), labels=tuple(labels), reason=reason)
                for paths, labels, reason in index["pairs"]
            ],
            odd_tiles=sheets.get("odd.webp", _no_tiles()),
            odd=[OddPicture(*entry) for entry in index.get("odd", ())],
            remarked=sheets.get("remarked.webp", _no_tiles()),
            remarks={
                section: [Remark(*remark) for remark in remarks]
                for section, remarks in index.get("remarks", {}).items()
            },
            originals=rebuilt[:per],
            original_paths=index.get("original_paths", ()),
            rebuilt={s: rebuilt[per * i :][:per] for i, s in enumerate(index["rebuilt"], 1)},
            perturbed=dict(zip(index["perturbed"], sheets["perturbed.webp"], strict=True)),
            variants=dict(
                zip(index.get("variants", ()), sheets.get("variants.webp", ()), strict=True)
            ),
            perturbed_path=index.get("perturbed_path", ""),
            classes=index["classes"],
            confusions={s: np.array(v, np.int64) for s, v in index["confusions"].items()},
            skipped=[(path, reason) for path, reason in index["skipped"]],
        )

    def _sheets(self) -> dict[str, Tiles]:
        return {
            "thumbnails.webp": self.thumbnails,
            "copies.webp": self.copies,
            "odd.webp": self.odd_tiles,
            "remarked.webp": self.remarked,
            "reconstructions.png": np.concatenate([self.originals, *self.rebuilt.values()]),
            "perturbed.webp": _stacked(self.perturbed),
            "variants.webp": _stacked(self.variants),
        }

    def _index(self) -> dict[str, Any]:
        return {
            "sheets": {name: len(tiles) for name, tiles in self._sheets().items()},
            "paths": list(self.paths),
            "labels": list(self.labels),
            "objects": list(self.objects),
            "neighbours": {spec: n.tolist() for spec, n in self.neighbours.items()},
            "queries": [int(query) for query in self.queries],
            "maps": {spec: np.round(xy, 4).tolist() for spec, xy in self.maps.items()},
            "variances": {s: [round(x, 4) for x in v] for s, v in self.variances.items()},
            "pairs": [(pair.paths, pair.labels, pair.reason) for pair in self.pairs],
            "odd": [list(picture) for picture in self.odd],
            "remarks": {section: list(remarks) for section, remarks in self.remarks.items()},
            "rebuilt": list(self.rebuilt),
            "perturbed": list(self.perturbed),
            "variants": list(self.variants),
            "original_paths": list(self.original_paths),
            "perturbed_path": self.perturbed_path,
            "classes": list(self.classes),
            "confusions": {spec: counts.tolist() for spec, counts in self.confusions.items()},
            "skipped": [list(entry) for entry in self.skipped],
        }


def sheet(tiles: Tiles) -> Tiles:
    """Tiles (t, s, s, 3) as one image (rows · s, columns · s, 3), 25 to a row, rest black."""
    side, columns = tiles.shape[1], min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    padded = np.zeros((rows * columns, side, side, 3), np.uint8)
    padded[: len(tiles)] = tiles
    grid = padded.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return grid.reshape(rows * side, columns * side, 3)


def _stacked(tiles: Mapping[str, Tiles]) -> Tiles:
    return np.stack(list(tiles.values())) if tiles else _no_tiles()


def _write_sheet(path: Path, tiles: Tiles) -> None:
    picture = PIL.Image.fromarray(sheet(tiles))
    for quality in _QUALITIES if path.suffix == ".webp" else (None,):
        data = _encoded(picture, quality)
        if len(data) <= _MAX_SHEET:
            break
    write_atomic(path, data)


def _encoded(picture: PIL.Image.Image, quality: int | None) -> bytes:
    """WebP of this quality; PNG without one."""
    data = io.BytesIO()
    if quality is None:
        picture.save(data, "PNG", optimize=True)
    else:
        picture.save(data, "WEBP", quality=quality)
    return data.getvalue()


def _read_sheet(path: Path, count: int) -> Tiles:
    if not count:
        return _no_tiles()
    with PIL.Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    columns = min(COLUMNS, count)
    side = pixels.shape[1] // columns
    grid = pixels.reshape(-1, side, columns, side, 3).swapaxes(1, 2)
    return grid.reshape(-1, side, side, 3)[:count]


def _check_shape(what: str, shape: tuple[int, ...], needed: tuple[int, ...]) -> None:
    if tuple(shape) != tuple(needed):
        raise BadData(f"{what} need the shape {needed}, got {tuple(shape)}. Match the thumbnails.")
