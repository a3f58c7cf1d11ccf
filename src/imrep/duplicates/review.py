"""Groups of near-duplicates for a person to clear up: which image to keep, and why.

The pairs are those of `search`, by which `compare` keeps copies out of its test images. Of a group
the image with the most pixels is kept; among equal ones the largest file; among those the first by
name. Pixels and bytes are what copies lose when they are shrunk, cropped and recompressed.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imrep.datasets import Item
from imrep.duplicates import evidence
from imrep.duplicates.search import Duplicates, Edge
from imrep.embedding.decoded_images import Decoded
from imrep.images import Facts
from imrep.io.frames import data_frame
from imrep.plural import several

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    *("group", "path", "keep", "why", "label", "labels_differ", "width", "height", "bytes"),
    *("type", "copy_of", "agreement", "correlation", "mirrored", "equal"),
)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """An image of a group.

    Args:
        path: The image.
        keep: Whether it is the image of its group to keep.
        why: What makes it the best, or what it differs in from `copy_of`.
        label: Its class, if it has one.
        width: Pixels across.
        height: Pixels down.
        bytes: Size of the file.
        type: Format of the file.
        copy_of: The image it was compared with: the kept one where the two are a pair, else that
            of the pair with the highest agreement.
        agreement: Correlation of the fine detail of the two; 1 for the kept image.
        correlation: The same of all detail.
        mirrored: Whether one of the two is the mirror image of the other.
        equal: "files", "pixels", or "" where they differ.
        item: Where its bytes are.
    """

    path: str
    keep: bool
    why: str
    label: str | None
    width: int
    height: int
    bytes: int
    type: str
    copy_of: str = ""
    agreement: float = 1.0
    correlation: float = 1.0
    mirrored: bool = False
    equal: str = ""
    item: Item = field(repr=False, compare=False)


@dataclass(frozen=True)
class DuplicateGroup:
    """Images that are near-duplicates of one another.

    Args:
        copies: The image to keep, then the others by falling agreement.
    """

    copies: tuple[Copy, ...]

    @property
    def labels_differ(self) -> bool:
        """Whether its images have different labels."""
        return len({copy.label for copy in self.copies}) > 1

    def __len__(self) -> int:
        return len(self.copies)


@dataclass(frozen=True, repr=False, kw_only=True)
class DuplicateGroups:
    """The near-duplicates of a data set.

    Args:
        groups: Those with different labels first, then in the order of the data.
        images: Images that were compared.
        uniform: Images too uniform to compare: only equal files or pixels count for them.
        skipped: (path, reason) of the images that could not be read.
        notes: Sentences on how the images were gathered.
    """

    groups: tuple[DuplicateGroup, ...]
    images: int
    uniform: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def surplus(self) -> int:
        """Images that are copies of a kept one."""
        return sum(len(group) - 1 for group in self.groups)

    @property
    def sentence(self) -> str:
        """The verdict."""
        total = several(self.images, "image")
        if not self.groups:
            return f"No near-duplicates among {total}."
        text = (
            f"{several(len(self.groups), 'group')} of near-duplicates among {total}: "
            f"{several(self.surplus, 'image')} beside {len(self.groups):,} to keep."
        )
        conflicts = sum(group.labels_differ for group in self.groups)
        if conflicts:
            text += f" {several(conflicts, 'group')} with different labels: look at them first."
        return text

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[DuplicateGroup]:
        return iter(self.groups)

    def __repr__(self) -> str:
        return f"DuplicateGroups({self.sentence})"

    def rows(self) -> list[tuple[object, ...]]:
        """A row per image, with the columns `COLUMNS`; groups are numbered from 1."""
        return [
            (
                *(number, copy.path, "yes" if copy.keep else "no", copy.why, copy.label or ""),
                *("yes" if group.labels_differ else "no", copy.width, copy.height, copy.bytes),
                *(copy.type, copy.copy_of, round(copy.agreement, 4), round(copy.correlation, 4)),
                *("yes" if copy.mirrored else "no", copy.equal),
            )
            for number, group in enumerate(self.groups, 1)
            for copy in group.copies
        ]

    def csv(self) -> str:
        """The rows as CSV."""
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *self.rows()])
        return text.getvalue()

    def to_pandas(self) -> "DataFrame":
        """A row per image, with the columns `COLUMNS`.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        rows = self.rows()
        columns = {name: [row[k] for row in rows] for k, name in enumerate(COLUMNS)}
        return data_frame(columns, "DuplicateGroups.to_pandas")


def review(decoded: Decoded, duplicates: Duplicates) -> tuple[DuplicateGroup, ...]:
    """The groups, each with the image to keep first; those with different labels lead."""
    by_group: dict[int, list[Edge]] = {}
    for edge in duplicates.edges:
        by_group.setdefault(int(duplicates.component[edge.i]), []).append(edge)
    groups = [
        _group(decoded, members, by_group[int(duplicates.component[members[0]])])
        for members in duplicates.groups()
    ]
    return tuple(sorted(groups, key=lambda group: not group.labels_differ))


def _group(decoded: Decoded, members: Sequence[int], edges: Sequence[Edge]) -> DuplicateGroup:
    """The copies of a group."""
    facts = decoded.facts
    ranked = sorted(members, key=lambda i: (*_rank(facts[i]), decoded.items[i].path))
    best, second = ranked[:2]
    best_copy = _copy(decoded, best, keep=True, why=_advantage(facts[best], facts[second]))
    others = [_other(decoded, i, best, edges) for i in ranked[1:]]
    others.sort(key=lambda copy: -copy.agreement)
    return DuplicateGroup((best_copy, *others))


def _rank(facts: Facts) -> tuple[int, int]:
    """The smaller, the better."""
    return -facts.width * facts.height, -facts.bytes


def _advantage(best: Facts, second: Facts) -> str:
    """Why the best image of a group is kept, against the next."""
    if best.width * best.height > second.width * second.height:
        return f"most pixels, {best.width}×{best.height}"
    if best.bytes > second.bytes:
        return f"largest file of equal size in pixels, {best.bytes:,} bytes"
    return "as good as the next; first by name"


def _other(decoded: Decoded, image: int, best: int, edges: Sequence[Edge]) -> Copy:
    """An image that is not kept, beside the one it is most clearly a copy of."""
    own = [edge for edge in edges if image in (edge.i, edge.j)]
    edge = max(own, key=lambda edge: (best in (edge.i, edge.j), edge.identical, edge.hn))
    edge = edge if edge.j == image else evidence.reverse(edge)
    why = evidence.reason(edge, decoded.facts[edge.i], decoded.facts[image])
    return _copy(decoded, image, keep=False, why=why, edge=edge)


def _copy(decoded: Decoded, image: int, *, keep: bool, why: str, edge: Edge | None = None) -> Copy:
    item, facts = decoded.items[image], decoded.facts[image]
    copy = Copy(
        path=item.path,
        keep=keep,
        why=why,
        label=item.label,
        width=facts.width,
        height=facts.height,
        bytes=facts.bytes,
        type=facts.type,
        item=item,
    )
    if edge is None:
        return copy
    return Copy(
        **vars(copy)
        | {
            "copy_of": decoded.items[edge.i].path,
            "agreement": edge.hn,
            "correlation": edge.v,
            "mirrored": edge.mirrored,
            "equal": "files" if edge.same_file else "pixels" if edge.identical else "",
        }
    )
