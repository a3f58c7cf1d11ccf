"""A data set and its items, the images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from imrep.datasets.sources import File, Refused, Source
from imrep.datasets.target import CLASSES, Answer, Target
from imrep.io.names import printable

_LABELLED_SHARE = 0.9  # of the files have a label in a labelled data set


@dataclass(frozen=True)
class Item:
    r"""One image of a data set.

    Attributes:
        path: Its name relative to the folder or archive, with forward slashes, as printable text:
            a byte that is not UTF-8 is written `\xNN`. A folder that could not be opened ends in
            a slash.
        label: Its class, if it has one, as printable text.
        group: The group of images of one object or session; None for a group of its own.
        value: Its number, if numbers are predicted and it has one.
        labels: Its labels, if sets of them are predicted, sorted, as printable text; empty where
            it has none of them, None where that is not known.
        raw: The name in the file system, where it differs from `path`.
    """

    path: str
    label: str | None = None
    group: str | None = None
    value: float | None = field(default=None, kw_only=True)
    labels: tuple[str, ...] | None = field(default=None, kw_only=True)
    source: Source = field(kw_only=True, repr=False)
    raw: str = field(default="", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        texts = {"path": printable(self.path), "raw": self.raw or self.path}
        if self.label is not None:
            texts["label"] = printable(self.label)
        for name, text in texts.items():
            object.__setattr__(self, name, text)
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(map(printable, self.labels)))

    @classmethod
    def of(cls, path: str, answer: Answer | None, source: Source) -> "Item":
        """An image with its target: text is a class, a tuple several labels."""
        if isinstance(answer, tuple):
            return cls(path, labels=answer, source=source)
        if isinstance(answer, float):
            return cls(path, value=answer, source=source)
        return cls(path, answer, source=source)

    @property
    def answer(self) -> Answer | None:
        """Its target: its class, its number or its labels."""
        if self.labels is not None:
            return self.labels
        return self.label if self.value is None else self.value

    def named(self, name: str) -> "Item":
        """The same image under another name of the file system."""
        return replace(self, path=name, raw=name)

    @property
    def stamp(self) -> object:
        """A value that changes with the bytes, obtained without reading them."""
        return self.source.stamp

    @property
    def file(self) -> Path | None:
        """Its file; None for a member of an archive or a table."""
        return self.source.path if isinstance(self.source, File) else None

    @property
    def refused(self) -> bool:
        """Whether it is already known to be unreadable; `read` raises the reason."""
        return isinstance(self.source, Refused)

    def read(self) -> bytes:
        """The bytes of the image file. Raises BadFile where they cannot be read."""
        return self.source.read()


@runtime_checkable
class Annotations(Protocol):
    """What people have added to the images of a data set: captions, poses, masks."""

    @property
    def key(self) -> str:
        """Digest of all of them."""

    @property
    def parameters(self) -> Mapping[str, bool | int | float | str]:
        """Those of the representation that learns from them."""

    def of(self, path: str) -> Any:
        """The annotation of the image that has this path in the data set."""


@dataclass(frozen=True)
class Dataset:
    """Items sorted by path, with notes on how they were found.

    Attributes:
        name: Its name in a report.
        items: The images, sorted by path.
        notes: Sentences that every command prints and a report repeats.
        builtin: Whether it came with imrep's dependencies.
        target: What its images are labelled with.
        total: How many images there were before `max_items`.
        all_items: The images before `max_items`, unreadable ones included, in the order of rows of
            vectors without paths: sorted by path, or as a program passed them.
        annotations: What people have added to the images; None where they have not.
    """

    name: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    builtin: bool = False
    target: Target = CLASSES
    total: int = 0
    all_items: tuple[Item, ...] = field(default=(), repr=False)
    annotations: Annotations | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "notes", tuple(map(printable, self.notes)))

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, sorted."""
        return tuple(sorted({item.label for item in self.items if item.label is not None}))

    @property
    def labelled(self) -> bool:
        """Whether there are at least two classes and over 90 % of the files have a label."""
        readable = [item for item in self.items if not item.refused]
        with_label = sum(item.label is not None for item in readable)
        return len(self.classes) >= 2 and with_label > _LABELLED_SHARE * len(readable)


def several(names: Sequence[str], noun: str, what: str) -> str:
    """'3 files …: a, b, c.', with at most three names."""
    listed = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return f"{count(len(names), noun)} {what}: {listed}."


def count(number: int, noun: str) -> str:
    """'1 file', '2 files'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
