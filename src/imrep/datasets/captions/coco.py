"""The captions of COCO (Chen et al. 2015, https://arxiv.org/abs/1504.00325)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imrep.datasets.captions.rows import Rows, located
from imrep.datasets.dataset import several
from imrep.errors import BadData


def read(path: Path) -> Rows:
    """The captions in a .json with `images` (id, file_name) and `annotations` (image_id, caption).

    File names are relative to the folder of the file or to the one above it, or to a folder in
    either that holds nearly all of them.

    Raises:
        BadData: It is no such file; the number of the entry is named.
    """
    document = _document(path)
    names = {
        _entry(image, "id", int | str, "images", i, path): _entry(
            image, "file_name", str, "images", i, path
        )
        for i, image in enumerate(document["images"])
    }
    images = located(names.values(), [path.parent, path.parent.parent], path.name)
    rows = []
    for i, annotation in enumerate(document["annotations"]):
        number = _entry(annotation, "image_id", int | str, "annotations", i, path)
        text = _entry(annotation, "caption", str, "annotations", i, path)
        if number not in names:
            raise BadData(
                f"{path.name} needs the image of every caption, got image_id {number} in entry "
                f"{i} of annotations and no such image."
            )
        rows.append(replace(images[names[number]], caption=text, position=f"entry {i}"))
    captioned = {row.path for row in rows}
    without = sorted(row.path for row in images.values() if row.path not in captioned)
    notes = [several(without, "image", f"of {path.name} without a caption left out")]
    return Rows(path.name, rows, tuple(notes if without else ()))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadData(f"{path.name} cannot be read as JSON ({error}). Write it again.") from error
    keys = ("images", "annotations")
    if not isinstance(document, dict) or not all(
        isinstance(document.get(key), list) for key in keys
    ):
        raise BadData(
            f"{path.name} needs the lists images and annotations, as COCO's captions have them, "
            "got others. Give such a file, or a csv with columns path and caption."
        )
    return document


def _entry(entry: Any, key: str, kind: Any, of: str, number: int, path: Path) -> Any:
    """A value of an entry of one of the two lists."""
    value = entry.get(key) if isinstance(entry, Mapping) else None
    if not isinstance(value, kind):
        raise BadData(
            f"{path.name} needs {key} in every entry of {of}, got {value!r} in entry {number}."
        )
    return value
