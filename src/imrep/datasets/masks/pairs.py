"""Which mask belongs to which image: by folders and names, or by the lines of a table."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from imrep.datasets import file_tree
from imrep.datasets.dataset import Item, count
from imrep.datasets.file_tree import Tree
from imrep.datasets.masks.classes import FILES
from imrep.datasets.sources import File, Source
from imrep.datasets.tables import columns
from imrep.datasets.tables.path_resolution import Names
from imrep.errors import BadData

# In order of preference, without case.
_IMAGES = ("images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "frames")
_MASKS = (
    *("masks", "mask", "labels", "label", "annotations", "segmentation", "segmentations"),
    *("segmentationclass", "groundtruth", "gt", "targets"),
)
# What masks add to the name of their image, as CamVid's and Cityscapes' do.
_ENDINGS = (
    *("_mask", "-mask", "_masks", "_label", "_labels", "_seg", "_segmentation", "_gt", "_L"),
    *("_gtFine_labelIds", "_gtFine_labelTrainIds"),
)
_IMAGE_ENDINGS = ("_leftImg8bit",)
_COLUMNS = ("mask", "maskpath", "masks", "labelpath", "segmentation", "annotation")
_REMEDY = "Give a folder with images/ and masks/, or a csv with the columns image and mask."


class Pair(NamedTuple):
    """An image and its mask.

    Attributes:
        item: The image.
        mask: The mask's bytes.
        name: The mask's name in messages, with the line that names it.
    """

    item: Item
    mask: Source
    name: str


class Pairs(NamedTuple):
    """All pairs.

    Attributes:
        name: Of the data set.
        pairs: Sorted by the path of the image.
        classes: Bytes and name of the file that lists the classes, if there is one.
        notes: Sentences about what was left out.
    """

    name: str
    pairs: tuple[Pair, ...]
    classes: tuple[bytes, str] | None
    notes: tuple[str, ...]


def find(data: str) -> Pairs:
    """The pairs in a folder, an archive or a csv.

    Raises:
        BadData: There are none, or an image has no mask.
    """
    path = Path(data).expanduser()
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl") and path.is_file():
        return _of_table(path)
    if path.is_dir():
        return _of_tree(file_tree.folder(path))
    if path.suffix.lower() == ".zip" and path.is_file():
        return _of_tree(file_tree.archive(path))
    came = "a file" if path.exists() else "nothing"
    raise BadData(f"masks need a folder, a zip or a csv, got {came} at {path}. {_REMEDY}")


def _of_tree(tree: Tree) -> Pairs:
    images, masks = (_folder_of(tree, names) for names in (_IMAGES, _MASKS))
    if images is None or masks is None:
        folders = sorted({name.partition("/")[0] for name in tree.pictures if "/" in name})
        came = f"the folders {', '.join(folders[:5])}" if folders else "no folders"
        raise BadData(f"{tree.name} needs images/ and masks/, got {came}. {_REMEDY}")
    own = {name: source for name, source in tree.pictures.items() if name.startswith(images)}
    mask_files = {name: s for name, s in tree.pictures.items() if name.startswith(masks)}
    by_stem = _by_stem(mask_files, masks)
    pairs, absent = [], []
    for name in sorted(own):
        mask = _match(by_stem, _stem(name, images), name)
        if mask is None:
            absent.append(name)
        else:
            pairs.append(Pair(Item(name, source=own[name]), mask_files[mask], mask))
    if absent or not pairs:
        raise BadData(_without(absent, tree.name, masks))
    unused = len(mask_files) - len({pair.name for pair in pairs})
    notes = (f"{count(unused, 'mask')} without an image left out.",) if unused else ()
    return Pairs(tree.name, tuple(pairs), _classes_beside(tree, images), notes)


def _folder_of(tree: Tree, names: Iterable[str]) -> str | None:
    """The folder of pictures with the first of these names, as "a/b/"; the outermost of several."""
    folders: defaultdict[str, set[str]] = defaultdict(set)
    for picture in tree.pictures:
        parts = picture.split("/")[:-1]
        for i, part in enumerate(parts):
            folders[part.casefold()].add("/".join(parts[: i + 1]) + "/")
    for name in names:
        if matches := folders.get(name):
            return min(matches, key=lambda folder: (folder.count("/"), folder))
    return None


def _stem(name: str, folder: str) -> str:
    """The path within a folder, without suffix and without what images add."""
    stem = posixpath.splitext(name.removeprefix(folder))[0]
    for ending in _IMAGE_ENDINGS:
        stem = stem.removesuffix(ending)
    return stem


def _by_stem(masks: Iterable[str], folder: str) -> dict[str, list[str]]:
    """Masks by the names of the images that they may be of."""
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for name in masks:
        stem = posixpath.splitext(name.removeprefix(folder))[0]
        by_stem[stem].append(name)
        for ending in _ENDINGS:
            if stem.endswith(ending):
                by_stem[stem.removesuffix(ending)].append(name)
    return by_stem


def _match(by_stem: Mapping[str, list[str]], stem: str, image: str) -> str | None:
    names = by_stem.get(stem, [])
    if len(names) > 1:
        raise BadData(
            f"{image} needs one mask, got {' and '.join(sorted(names)[:3])}. Remove all but one."
        )
    return names[0] if names else None


def _without(absent: list[str], name: str, masks: str) -> str:
    if not absent:
        return f"{name} needs images in its folder of images, got none. {_REMEDY}"
    more = f" and {len(absent) - 1:,} more" if absent[1:] else ""
    stem = posixpath.splitext(posixpath.basename(absent[0]))[0]
    return (
        f"{absent[0]}{more} needs a mask in {masks}, got none. Add {stem}.png there, or leave the "
        "image out."
    )


def _classes_beside(tree: Tree, images: str) -> tuple[bytes, str] | None:
    """The file that lists the classes, in the folder that holds the images' one."""
    folder = images.rstrip("/").rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    for file in FILES:
        name = prefix + file
        if name in tree.tables:
            return tree.tables[name].read(), name
        if tree.root is not None and (tree.root / name).is_file():
            return File(tree.root / name).read(), name
    return None


def _of_table(path: Path) -> Pairs:
    table = columns.read(File(path).read(), path.name)
    image, mask = columns.paths(table), columns.needed(table, _COLUMNS)
    names = Names({}, path.parent)
    pairs: dict[str, Pair] = {}
    for row, cells in enumerate(table.rows):
        where = f"{path.name}, {table.position(row)}"
        files = []
        for index in (image, mask):
            text = str(cells[index] or "").strip() if index < len(cells) else ""
            if not text:
                column = table.names[index]
                raise BadData(f"{where} needs a path in the column {column}, got none. Add it.")
            name = names.resolve(text)
            if name is None:
                raise BadData(str(names.refusal(text, "", where).reason))
            files.append((name, names.outside[name]))
        (name, source), (mask_name, mask_source) = files
        if name in pairs:
            raise BadData(f"{where} needs another image, got {name} again. Remove the line.")
        pairs[name] = Pair(Item(name, source=source), mask_source, f"{mask_name} ({where})")
    if not pairs:
        raise BadData(f"{path.name} needs a line for each image, got none. {_REMEDY}")
    ordered = tuple(pairs[name] for name in sorted(pairs))
    classes = (path.parent / file for file in FILES if file != path.name)
    beside = next((file for file in classes if file.is_file()), None)
    listed = None if beside is None else (File(beside).read(), beside.name)
    return Pairs(path.name, ordered, listed, ())
