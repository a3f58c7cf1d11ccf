"""What is to be predicted of every image: a class, a number or several labels."""

from dataclasses import dataclass
from typing import Literal, get_args

from imrep.errors import BadParameter, short_repr

Kind = Literal["class", "value", "labels"]

KINDS: tuple[Kind, ...] = get_args(Kind)

Answer = str | float | tuple[str, ...]
"""The target of one image: its class, its number or its labels."""

SEPARATOR = "|"
"""Between the labels in a cell."""


@dataclass(frozen=True)
class Target:
    """What the images of a data set are labelled with.

    Attributes:
        kind: "class", one of several names; "value", a number; "labels", any of several names.
        column: Its name: a column of a table, or of what a program passed; "" for folders.
    """

    kind: Kind = "class"
    column: str = ""


CLASSES = Target()
"""Classes by folders."""


@dataclass(frozen=True)
class Request:
    """Which target is wanted.

    Args:
        column: Of a table; None for its column label, value or labels.
        kind: None for what column and cells say.

    Raises:
        BadParameter: It is no kind, or no name.
    """

    column: str | None = None
    kind: Kind | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise BadParameter(
                f"compare needs a target of {', '.join(KINDS)}, got {short_repr(self.kind)}. "
                "Try value for numbers."
            )
        if self.column is not None and (
            not isinstance(self.column, str) or not self.column.strip()
        ):
            raise BadParameter(
                f"compare needs target to name a column, got {short_repr(self.column)}. Try label."
            )


ANY = Request()
"""The column label, value or labels, else the folders."""


def plural(kind: Kind) -> str:
    """What the images have: "classes", "numbers", "labels"."""
    return {"class": "classes", "value": "numbers", "labels": "labels"}[kind]


def missing(kind: Kind) -> str:
    """What an image lacks: "a label", "a value", "labels"."""
    return {"class": "a label", "value": "a value", "labels": "labels"}[kind]
