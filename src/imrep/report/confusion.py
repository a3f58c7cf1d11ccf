"""The confusion of classes: a matrix of counts, the most frequent errors, and their images."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imrep import answers
from imrep.assets import FOLDER, Assets
from imrep.errors import BadData
from imrep.io.names import printable
from imrep.report import words
from imrep.report.findings import Findings
from imrep.report.tables import Cell, Column, Line, Table

Counts = Sequence[Sequence[int]]

_MAX_CLASSES = 16  # displayed; of more, those that are confused most often
_MAX_ERRORS = 10
_MAX_NAMES = 200  # of the images of a cell without a thumbnail; answers.parquet has all


class Share(NamedTuple):
    """A cell of the matrix.

    Attributes:
        true: Index of the class in its row.
        predicted: Index of the class in its column.
        images: Their number.
        share: Of the row, in [0, 1].
        text: The share in per cent, empty below half a per cent.
    """

    true: int
    predicted: int
    images: int
    share: float
    text: str


class Predicted(NamedTuple):
    """A row of the matrix: the true class, with its number, and a cell for each prediction."""

    number: int
    name: str
    cells: list[Share]


def counts(findings: Findings, assets: Assets) -> Counts | None:
    """Those of the pick, else of the leader: rows the true class, columns the predicted one."""
    table = assets.confusions.get(spec(findings))
    return None if table is None else table.tolist()


def spec(findings: Findings) -> str:
    """Whose predictions the page displays."""
    return findings.pick or findings.leader


def matrix(names: Sequence[str], table: Counts) -> list[Predicted]:
    """The rows in order of the classes; of many classes those most often confused."""
    shares = _shares(table)
    chosen = _most_confused(shares)
    return [
        Predicted(
            number,
            names[i],
            [Share(i, j, table[i][j], shares[i][j], _percent(shares[i][j])) for j in chosen],
        )
        for number, i in enumerate(chosen, 1)
    ]


def frequent(names: Sequence[str], table: Counts) -> list[tuple[int, int]]:
    """(true, predicted) of the most frequent errors, by their share of the true class."""
    errors = [
        (-share, names[i], names[j], i, j)
        for i, line in enumerate(_shares(table))
        for j, share in enumerate(line)
        if i != j and share
    ]
    return [error[3:] for error in sorted(errors)[:_MAX_ERRORS]]


def errors(names: Sequence[str], table: Counts) -> Table:
    """The table of the most frequent errors."""
    shares = _shares(table)
    lines = [
        Line(
            name=names[i],
            cells=[
                Cell(text=names[j], wordy=True),
                Cell(text=words.count(table[i][j]), value=table[i][j]),
                Cell(text=words.percent(shares[i][j]), value=shares[i][j]),
            ],
        )
        for i, j in frequent(names, table)
    ]
    columns = [
        Column(title="predicted class", wordy=True),
        Column(title="images"),
        Column(title="of the class"),
    ]
    caption = "The most frequent errors"
    return Table(caption=caption, first="true class", columns=columns, lines=lines)


def script_data(findings: Findings, assets: Assets, folder: Path) -> dict[str, Any] | None:
    """The images of each cell, surest answer first, for the page's script; None without answers.

    An image with a thumbnail is [tile, per cent], another one [path, per cent].
    """
    table = counts(findings, assets)
    columns = None if table is None else answers.read(folder, [spec(findings)])
    if table is None or columns is None:
        return None
    most_frequent = frequent(assets.classes, table)
    displayed = [cell[:2] for line in matrix(assets.classes, table) for cell in line.cells]
    return {
        "classes": list(assets.classes),
        "spec": findings.short[spec(findings)],
        "errors": most_frequent,
        "cells": _cells([*displayed, *most_frequent], assets, columns, spec(findings)),
    }


def _cells(
    pairs: Iterable[tuple[int, int]], assets: Assets, columns: dict[str, np.ndarray], name: str
) -> dict[str, dict[str, Any]]:
    """Images by "true,predicted"."""
    tiles = {printable(path): tile for tile, path in enumerate(assets.paths)}
    true = _indices(columns["label"], assets.classes)
    predicted = _indices(columns[f"{name}.answer"], assets.classes)
    probability = columns[f"{name}.probability"]
    order = np.argsort(-probability, kind="stable")
    cells = {}
    for i, j in pairs:
        rows = order[(true[order] == i) & (predicted[order] == j)].tolist()
        if not rows:
            continue
        listed = [(columns["path"][row], round(100 * float(probability[row]))) for row in rows]
        cells[f"{i},{j}"] = {
            "images": len(rows),
            "tiles": [(tiles[path], percent) for path, percent in listed if path in tiles],
            "names": [entry for entry in listed if entry[0] not in tiles][:_MAX_NAMES],
        }
    return cells


def _indices(texts: Iterable[str], classes: Sequence[str]) -> np.ndarray:
    index = {printable(label): c for c, label in enumerate(classes)}
    if unknown := set(texts) - index.keys():
        raise BadData(
            f"{answers.FILENAME} needs the classes of {FOLDER}/, got {min(unknown)!r}. "
            "Run imrep compare again."
        )
    return np.array([index[text] for text in texts], int)


def _shares(table: Counts) -> list[list[float]]:
    return [[count / max(sum(line), 1) for count in line] for line in table]


def _most_confused(shares: list[list[float]]) -> list[int]:
    if len(shares) <= _MAX_CLASSES:
        return list(range(len(shares)))
    pairs = [(s, i, j) for i, line in enumerate(shares) for j, s in enumerate(line) if i != j]
    chosen: list[int] = []
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        chosen += [k for k in (i, j) if k not in chosen and len(chosen) < _MAX_CLASSES]
    return sorted(chosen)


def _percent(share: float) -> str:
    return "" if share < 0.005 else f"{100 * share:.0f}"
