"""Tables that name images (csv, tab-separated, JSON lines), and the roles of their columns.

The same column names hold for parquet. A choice among several columns is reported in a note; an
unusable table is refused.
"""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imrep.datasets.dataset import count
from imrep.datasets.folder_labels import composed
from imrep.errors import BadData

# In order of preference; compared without case, spaces, dashes and underscores.
PATHS = (
    *("path", "filepath", "imagepath", "imgpath", "picturepath", "photopath", "filename"),
    *("imagefilename", "imagefile", "imagename", "imgname", "file", "image", "img", "picture"),
    *("photo", "pic", "jpg", "png", "paths", "files", "filenames", "images"),
)
# Identifiers are used where no column of paths exists: often the file without its suffix.
IDS = ("imageid", "imgid", "pictureid", "photoid", "fileid", "id", "uuid")
LABELS = (
    *("label", "labels", "class", "classname", "classlabel", "category", "categoryname"),
    *("target", "labelname", "classes", "classid", "categoryid", "labelid", "targets"),
)
GROUPS = (
    *("group", "groups", "groupid", "object", "objectid", "session", "sessionid", "subject"),
    *("subjectid", "patient", "patientid", "person", "personid", "identity"),
)
PICTURES = (
    *("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp", "tif", "tiff", "gif"),
    *("bmp", "images", "imagebytes", "bytes", "content", "data", "pixels", "binary"),
)

# How spreadsheets and pandas write a missing value.
MISSING = frozenset(("nan", "NaN", "-nan", "-NaN", "NA", "<NA>", "N/A", "n/a", "#N/A", "#NA",
                      "NULL", "null", "None"))  # fmt: skip
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"sep=(.)\r?\n")  # the first line of some spreadsheets' files


@dataclass(frozen=True)
class Table:
    """A table in memory.

    Attributes:
        where: Its name in messages.
        names: Its columns, as written there.
        rows: The cells; a line may be shorter than `names`.
        lines: The line of the file, counted from 1, in which each row starts; empty for a file
            without lines.
    """

    where: str
    names: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    lines: Sequence[int] = field(default=(), compare=False, repr=False)

    def position(self, row: int) -> str:
        """Where a row is, for a message."""
        return f"line {self.lines[row]}" if self.lines else f"row {row}"

    def values(self, index: int) -> list[object]:
        """A column's cells, None where a line is too short."""
        return [row[index] if index < len(row) else None for row in self.rows]


def read(data: bytes, where: str) -> Table:
    """The table in a .csv, .tsv or .jsonl file, by the suffix of `where`.

    Raises:
        BadData: It is no table, or no text.
    """
    if where.lower().endswith(".jsonl"):
        return _json_lines(_text(data, where), where)
    text, delimiter = decoded(data, where)
    before = int(_SEPARATOR.match(_text(data, where)) is not None)
    try:
        numbered = list(_numbered_lines(text, delimiter, before))
    except csv.Error as error:
        raise BadData(f"{where} cannot be read as csv ({error}). Write it again.") from error
    lines = [line for _, line in numbered]
    names = tuple(name.strip() for name in lines[0]) if lines else ()
    for number, line in numbered[1:]:
        if any(line[len(names) :]):
            if len(names) == 1:
                raise BadData(
                    f"{where} needs the names of its columns in its first line, got {names[0]!r}. "
                    "Write them there, such as path,label."
                )
            raise BadData(
                f"{where} needs {count(len(names), 'cell')} in each line, as in its first, got "
                f"{len(line)} in line {number}. Quote what holds {delimiter!r}."
            )
    return Table(where, names, lines[1:], [number for number, _ in numbered[1:]])


def _numbered_lines(text: str, delimiter: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, with the number of that in which each starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    start = 1
    for line in reader:
        if any(line):
            yield before + start, line
        start = reader.line_num + 1  # a quoted cell may span several


def decoded(data: bytes, where: str) -> tuple[str, str]:
    """The text of a csv file, without a line that declares its delimiter, and the delimiter.

    Raises:
        BadData: It is no text.
    """
    text = _text(data, where)
    if (declared := _SEPARATOR.match(text)) is not None:
        return text[declared.end() :], declared[1]
    head = text.lstrip("\r\n").partition("\n")[0]
    return text, max(_DELIMITERS, key=head.count)  # a comma where several are equally frequent


def pick(names: Sequence[str], role: Sequence[str]) -> tuple[int | None, list[str]]:
    """The column of a role (`PATHS`, `LABELS` …), and every candidate."""
    ranks = {name: rank for rank, name in enumerate(role)}
    fitting = [i for i, name in enumerate(names) if plain(name) in ranks]
    fitting.sort(key=lambda i: ranks[plain(names[i])])
    return (fitting[0] if fitting else None), [names[i] for i in fitting]


def needed(table: Table, role: Sequence[str]) -> int:
    """The column of a role.

    Raises:
        BadData: There is none.
    """
    index, _ = pick(table.names, role)
    if index is None:
        names = ", ".join(table.names) or "nothing"
        raise BadData(
            f"{table.where} needs a column {role[0]}, got {names}. Name it so in the first line."
        )
    return index


def paths(table: Table) -> int:
    """The column of paths, else of identifiers.

    Raises:
        BadData: There is none.
    """
    index, _ = pick(table.names, (*PATHS, *IDS))
    return needed(table, PATHS) if index is None else index


def choice(where: str, what: str, fitting: Sequence[str]) -> list[str]:
    """A note on the choice among several columns."""
    if len(fitting) < 2:
        return []
    return [f"{where} has several columns of {what}, {', '.join(fitting)}; {fitting[0]} was taken."]


def chosen(where: str, column: str) -> list[str]:
    """A note on the column of labels, unless its name is label."""
    if plain(column) == LABELS[0]:
        return []
    return [f"Labels are those of the column {column} of {where}."]


def unlabelled(where: str, names: Sequence[str], used: Sequence[str]) -> list[str]:
    """A note on a table without a column of labels, if an unused column might be it."""
    if set(names) <= set(used):
        return []
    return [f"{where} has no column of labels; its columns are {', '.join(names)}. "
            "Rename the one that holds them to label."]  # fmt: skip


def labels(
    values: Sequence[object], where: str, column: str, names: Sequence[str] | None = None
) -> tuple[list[str | None], list[str]]:
    """A column's values as class names, None where one is missing; and notes.

    Args:
        values: The cells.
        where: The table's name in messages.
        column: The column's name.
        names: Names of numbered classes; -1 stands for none.
    """
    if any(isinstance(value, list | dict | tuple) for value in values):
        note = f"The column {column} of {where} holds several labels for an image; it was not used."
        return [None] * len(values), [note]
    if names is not None:
        classes = [_named(value, names) for value in values]
    else:
        classes = _without_decimals([_label(value) for value in values])
    missing = Counter(str(v) for v, label in zip(values, classes, strict=True) if label is None)
    if not missing:
        return classes, []
    words = ", ".join(sorted({word for word in missing if word.strip() and word != "None"})[:3])
    without = f"{count(missing.total(), 'line')} of {where} without a label"
    return classes, [f"{without} ({words})." if words else f"{without}."]


def cell_text(value: object) -> str:
    """A cell as text, '' for an empty one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(value)


def _label(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.1f}"
    text = composed(cell_text(value).strip())
    return None if not text or text in MISSING else text


def _without_decimals(labels: list[str | None]) -> list[str | None]:
    """'0', '1' for '0.0', '1.0': integers that became floats because values are missing."""
    if any(
        label is not None and not re.fullmatch(r"-?(0|[1-9]\d*)(\.0+)?", label) for label in labels
    ):
        return labels
    return [None if label is None else label.split(".")[0] for label in labels]


def _named(value: object, names: Sequence[str]) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return composed(str(names[value])) if 0 <= value < len(names) else None
    return _label(value)


def plain(name: str) -> str:
    """A column's name without case, spaces, dashes, underscores and points."""
    return re.sub(r"[\s_\-.]+", "", name).casefold()


def _text(data: bytes, where: str) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        raise BadData(
            f"{where} needs to be UTF-8 text, got other bytes. Save it as UTF-8."
        ) from error
    if "\0" in text:
        raise BadData(f"{where} needs to be UTF-8 text, got null bytes. Save it as UTF-8.")
    return text


def _json_lines(text: str, where: str) -> Table:
    numbers = [number for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    try:
        lines = [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError as error:
        raise BadData(f"{where} cannot be read as JSON lines ({error}). Write it again.") from error
    if not all(isinstance(line, dict) for line in lines):
        raise BadData(f"{where} needs an object in each line, got other values. Write it again.")
    names = tuple(dict.fromkeys(str(name) for line in lines for name in line))
    return Table(where, names, [[line.get(name) for name in names] for line in lines], numbers)
