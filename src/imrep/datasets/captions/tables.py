"""Tables with a column of paths, or of image bytes, and one of captions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imrep.datasets.captions.rows import Row, Rows, located
from imrep.datasets.dataset import count
from imrep.datasets.sources import File, Source
from imrep.datasets.tables import columns, parquet
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.parquet import NoData
from imrep.errors import BadData, BadFile

# In order of preference; compared without case, spaces, dashes and underscores.
COLUMNS = (
    *("caption", "captions", "text", "texts", "sentence", "sentences", "description"),
    *("alttext", "comment", "title"),
)


def read(path: Path) -> Rows:
    """The captions in a .csv, .tsv, .jsonl or .parquet file.

    Raises:
        BadData: It has no such columns, or a line has too many cells.
    """
    if path.suffix.lower() != ".parquet":
        try:
            table = columns.read(File(path).read(), path.name)
        except BadFile as error:
            raise BadData(f"{path.name} cannot be read as a table: {error}") from error
        return _of_paths(table, path)
    frame = parquet.read(File(path), path.name)
    if isinstance(frame, NoData):
        raise BadData(frame.reason)
    if frame.listing is not None:
        return _of_paths(frame.listing, path)
    return _of_images(frame.rows, frame.names, path)


def _of_paths(table: Table, path: Path) -> Rows:
    index, captions = columns.paths(table), _column(table.names, table.where)
    texts = [columns.cell_text(cell).strip() for cell in table.values(index)]
    images = located([text for text in texts if text], [path.parent], path.name)
    rows = [
        replace(images[text], caption=caption, position=table.position(number))
        for number, (text, cell) in enumerate(zip(texts, table.values(captions), strict=True))
        if text
        for caption in _captions(cell)
    ]
    without = len(texts) - sum(map(bool, texts))
    notes = [f"{count(without, 'line')} of {path.name} without a path left out."]
    return Rows(path.name, rows, tuple(notes if without else ()))


def _of_images(sources: Sequence[Source], names: Sequence[str], path: Path) -> Rows:
    """Captions beside image bytes, as in data sets of Hugging Face."""
    import pyarrow.parquet as pq

    column = names[_column(names, path.name)]
    cells = pq.read_table(path, columns=[column])[column].to_pylist()
    rows = []
    for number, (source, cell) in enumerate(zip(sources, cells, strict=True)):
        name = f"{path.stem}/{number:06d}"
        rows += [Row(name, name, source, text, f"row {number}") for text in _captions(cell)]
    return Rows(path.name, rows)


def _column(names: Sequence[str], where: str) -> int:
    index, _ = columns.pick(names, COLUMNS)
    if index is None:
        listed = ", ".join(names) or "nothing"
        raise BadData(
            f"{where} needs a column caption, got {listed}. Name it so in its first line."
        )
    return index


def _captions(cell: object) -> Iterator[str]:
    """The texts of a cell: one, or a list of them; an empty one for none."""
    if isinstance(cell, list | tuple):
        yield from (columns.cell_text(each) for each in cell)
        if not cell:
            yield ""
        return
    text = columns.cell_text(cell)
    yield "" if text in columns.MISSING else text
