"""A COCO file as data: its images, labelled by the categories of their annotations.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.
doi:10.1007/978-3-319-10602-1_48
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imrep.datasets.captions.rows import located
from imrep.datasets.dataset import Dataset, Item, several
from imrep.datasets.tables import columns, target_columns
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.target import Request
from imrep.errors import BadData

_CATEGORY, _LABELS = "category", "labels"  # names of the target: one an image, or several
_FOLDERS = (".", "images", "..", "../images")  # where the images may lie, from the file's folder


def is_file(path: Path) -> bool:
    """Whether a path may be a COCO file: a .json with a list of images."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        return bool(_document(path))
    except BadData:
        return False


def of_file(path: Path, request: Request | None = None) -> Dataset:
    """The images that a COCO file lists, found beside it, in a folder there or in the one above.

    Where each image has annotations of at most one category, that is its class; else it has the
    labels of all. An image that is not there becomes an item that cannot be read.

    Raises:
        BadData: It is no such file, or has no such target.
    """
    document = _document(path)
    names = _names(document, path)
    roots = [root for folder in _FOLDERS if (root := path.parent / folder).is_dir()]
    rows = located(names.values(), roots, path.name)
    categories = _categories(document, path)
    sets: dict[str, set[str]] = {row.path: set() for row in rows.values()}
    unmatched = []
    for number, annotation in enumerate(document.get("annotations") or ()):
        own = annotation if isinstance(annotation, dict) else {}
        category = categories.get(own.get("category_id"))
        if own.get("image_id") not in names:
            unmatched.append(f"entry {number}")
        elif category is not None:
            sets[rows[names[own["image_id"]]].path].add(category)
    target, answers, notes = _target(sets, path.name, request)
    if unmatched:
        notes.append(several(unmatched, "annotation", f"of {path.name} of no image left out"))
    sources = {row.path: row.source for row in rows.values()}
    items = tuple(Item.of(name, answers[name], source) for name, source in sources.items())
    return Dataset(path.name, items, tuple(notes), target=target)


def _target(sets: Mapping[str, set[str]], where: str, request: Request | None) -> Any:
    """What the target is, the answer of each image, and notes."""
    if not any(sets.values()):
        if request is not None and request.column is not None:
            raise target_columns.lacking(request, {where: []})
        return (*target_columns.of_folders(dict.fromkeys(sets), request), [])
    single = all(len(names) <= 1 for names in sets.values())
    column = _CATEGORY if single else _LABELS
    name = None if request is None else request.column
    if name is not None and columns.plain(name) not in (*columns.LABELS, "categories"):
        raise target_columns.lacking(request, {where: [column]})  # type: ignore[arg-type]  # has a column
    cells: list[object] = [
        next(iter(names), None) if single else sorted(names) for names in sets.values()
    ]
    paths = list(sets)
    read = target_columns.read([Column(where, column, cells, lambda row: paths[row])], request)
    return read.target, dict(zip(paths, read.lines[0], strict=True)), list(read.notes[0])


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BadData(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise BadData(f"{path.name} cannot be read as JSON ({why}). Write it again.") from error
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, list) or not images:
        raise BadData(
            f"{path.name} needs a list of images, as COCO has it, got "
            f"{'an empty one' if images == [] else 'none'}. Give a COCO file, a table or a folder."
        )
    for key in ("annotations", "categories"):
        if not isinstance(document.get(key, []), list | None):
            raise BadData(f"{path.name} needs a list under {key}, as COCO has it, got another.")
    return document


def _names(document: dict[str, Any], path: Path) -> dict[object, str]:
    """The file of each image, by its id."""
    names: dict[object, str] = {}
    for number, entry in enumerate(document["images"]):
        own = entry if isinstance(entry, dict) else {}
        name, identity = own.get("file_name"), own.get("id", f"entry {number}")
        if not isinstance(name, str) or not name or not isinstance(identity, int | str):
            raise BadData(
                f"{path.name} needs file_name and id in every entry of images, got others in entry "
                f"{number}."
            )
        if names.setdefault(identity, name) != name:
            raise BadData(f"{path.name} needs one image for each id, got two with {identity!r}.")
    return names


def _categories(document: dict[str, Any], path: Path) -> dict[object, str]:
    """The name of each category, by its id."""
    names: dict[object, str] = {}
    for number, entry in enumerate(document.get("categories") or ()):
        own = entry if isinstance(entry, dict) else {}
        if not isinstance(own.get("id"), int | str) or not isinstance(own.get("name"), str):
            raise BadData(
                f"{path.name} needs id and name in every entry of categories, got others in entry "
                f"{number}."
            )
        names[own["id"]] = own["name"]
    return names
