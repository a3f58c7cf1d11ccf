"""Labels from folder names: which level of folders is the classes, and which the splits."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from imrep.datasets.dataset import count

Folder = tuple[str, ...]

_SPLITS = (
    *("training", "train", "trn", "testing", "test", "tst", "validation", "valid", "val"),
    *("development", "dev", "evaluation", "eval", "fold", "holdout"),
)
_FILLERS = (
    *("dataset", "data", "folder", "images", "image", "imgs", "img", "part", "photos", "pictures"),
    *("sets", "set", "split"),
)
# Folders of masks, where they lie beside the pictures (images/, train/).
_MASKS = (
    *("annotation", "annotations", "groundtruth", "groundtruths", "gt", "label", "labels"),
    *("mask", "masks", "segmask", "segmasks", "segmentation", "segmentations"),
)
_FEW = 0.1  # share of the pictures that may lie outside the folders of classes
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_FILLED = re.compile(f"(?:{'|'.join(_SPLITS)})(?:{'|'.join(_FILLERS)})")


@dataclass(frozen=True)
class FolderLabels:
    """Labels of pictures by their folders.

    Attributes:
        labels: Label by path, None where there is none.
        left_out: Paths beside the splits, in folders that are no split, and masks.
        notes: Sentences about both.
    """

    labels: dict[str, str | None]
    left_out: frozenset[str]
    notes: tuple[str, ...]


def by_folder(paths: Collection[str]) -> FolderLabels:
    """The label of each path: the first folder below the common one, or below the split.

    A single folder of folders is descended into. Where folders are named as splits (train, val2017,
    test_images …) and hold folders of the same names, these are the classes; folders beside the
    splits are left out. So are folders of masks beside those of the pictures.
    """
    folders = {path: tuple(path.split("/")[:-1]) for path in paths}
    tree = _Tree(Counter(folders.values()))
    masks = _masks(tree)
    if masks:
        lower = {p for p, folder in folders.items() if any(folder[: len(m)] == m for m in masks)}
        pictures = by_folder([path for path in folders if path not in lower])
        labels = pictures.labels | dict.fromkeys(lower)
        mask_notes = (_mask_note(folder, tree) for folder in sorted(masks))
        return FolderLabels(labels, pictures.left_out | lower, (*pictures.notes, *mask_notes))
    base = tree.only_folder(())
    splits, beside, notes = _splits(tree, base)
    depths = {split: len(tree.only_folder(split)) for split in splits}
    labels = {}
    left_out = set()
    for path, folder in folders.items():
        first = folder[: len(base) + 1]
        depth = depths.get(first, len(base))
        labels[path] = composed(folder[depth]) if len(folder) > depth else None
        if first in beside:
            left_out.add(path)
            labels[path] = None
    return FolderLabels(labels, frozenset(left_out), tuple(notes))


def composed(name: str) -> str:
    """A label in Unicode's composed form; macOS writes names decomposed."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_split(name: str) -> bool:
    """Whether a folder is named as a split: train, val2017, TestImages, seg_train."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SPLITS or _FILLED.fullmatch(word) for word in words)


def _plain_split(name: str) -> bool:
    """Whether it is named as a split and nothing else: test, but not test_pattern."""
    words = [word.lower() for word in _WORD.findall(name)]
    named = [word for word in words if word in _SPLITS or _FILLED.fullmatch(word)]
    return bool(named) and all(word in named or word in _FILLERS for word in words)


class _Tree:
    """How many pictures each folder holds, directly and below."""

    def __init__(self, direct: Counter[Folder]) -> None:
        self.direct = direct
        self.total: Counter[Folder] = Counter()
        self.children: defaultdict[Folder, set[Folder]] = defaultdict(set)
        for folder, number in direct.items():
            for depth in range(len(folder) + 1):
                self.total[folder[:depth]] += number
                if depth:
                    self.children[folder[: depth - 1]].add(folder[:depth])

    def only_folder(self, folder: Folder) -> Folder:
        """The folder reached by descending while there is a single child that holds folders."""
        while len(self.children[folder]) == 1:
            (child,) = self.children[folder]
            if not self.children[child] or self.direct[child] > _FEW * self.total[child]:
                break
            folder = child
        return folder

    def classes(self, folder: Folder) -> set[str]:
        """Names of its subfolders, the classes if it is a split."""
        return {composed(child[-1]) for child in self.children[self.only_folder(folder)]}

    def sum(self, folders: Iterable[Folder]) -> int:
        return sum(self.total[folder] for folder in folders)


def _splits(tree: _Tree, base: Folder) -> tuple[set[Folder], set[Folder], list[str]]:
    """Folders that are splits, folders beside them, and notes."""
    firsts = tree.children[base]
    named = {folder for folder in firsts if is_split(folder[-1])}
    holding = {folder for folder in named if tree.classes(folder)}
    if not holding:
        plain = firsts and all(_plain_split(folder[-1]) for folder in firsts)
        return (set(firsts), set(), []) if plain else (set(), set(), [])
    names = Counter(name for folder in firsts for name in tree.classes(folder))
    recurring = {name for folder in holding for name in tree.classes(folder) if names[name] > 1}
    members = named | {folder for folder in firsts if tree.classes(folder) & recurring}
    beside = firsts - members
    few = tree.sum(beside) <= _FEW * tree.total[base]
    sure = all(_plain_split(folder[-1]) for folder in named)
    if not recurring and not (few and sure):
        listed = _list(named)
        return set(), set(), [f"{listed} may be named as a split; it was taken as a class."]
    notes = [f"The folders {_list(members)} are taken together as splits: classes lie below."]
    notes += [
        f"{folder[-1]}/ ({count(tree.total[folder], 'picture')}) lies beside the splits and was "
        "left out. Give it as DATA to read it."
        for folder in sorted(beside)
    ]
    return members, beside, notes


def _masks(tree: _Tree) -> set[Folder]:
    """Folders named for masks, beside one named for images or as a split."""
    masks = set()
    for siblings in tree.children.values():
        named = {folder for folder in siblings if _letters(folder[-1]) in _MASKS}
        images = (folder[-1] for folder in siblings - named)
        if any(_letters(name) in _FILLERS or _plain_split(name) for name in images):
            masks |= named
    return masks


def _mask_note(folder: Folder, tree: _Tree) -> str:
    return (
        f"{'/'.join(folder)}/ ({count(tree.total[folder], 'picture')}) may hold masks of the "
        "pictures beside it and was left out. Give it as DATA to read it."
    )


def _letters(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalpha())


def _list(folders: Iterable[Folder]) -> str:
    return ", ".join(sorted(folder[-1] for folder in folders))
