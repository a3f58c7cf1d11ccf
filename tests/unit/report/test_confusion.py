"""The confusion matrix: which classes, which shares, and the images of each cell."""

import numpy as np
import pytest
import report_fixture as fixture

from imrep import answers
from imrep.assets import Assets
from imrep.errors import BadData
from imrep.report import confusion
from imrep.report.findings import Findings

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "hog")}


def written(tmp_path, count=60, classes=4):
    """What the script is given of a run, and how often each pair was predicted."""
    folder = fixture.write(tmp_path, specs=FEW, count=count, classes=classes)
    findings, assets = Findings(fixture.rows(specs=FEW, classes=classes)), Assets.load(folder)
    return confusion.script_data(findings, assets, folder), confusion.counts(findings, assets)


def test_of_many_classes_the_most_confused_are_displayed():
    counts = (10 * np.eye(100, dtype=int)).tolist()
    counts[70][3], counts[5][90] = 9, 8
    lines = confusion.matrix([f"class {i}" for i in range(100)], counts)
    assert {"class 70", "class 3", "class 5", "class 90"} <= {line.name for line in lines}
    assert len(lines) == 16 and {len(line.cells) for line in lines} == {16}
    assert [line.number for line in lines] == [*range(1, 17)]
    cells = {cell[:2]: cell.share for line in lines for cell in line.cells}
    assert cells[70, 3] == pytest.approx(9 / 19)


def test_shares_are_of_the_true_class():
    lines = confusion.matrix(["a", "b", "c"], [[8, 2, 0], [0, 0, 0], [1, 1, 2]])
    cells = {cell[:2]: cell[2:] for line in lines for cell in line.cells}
    assert cells[0, 1] == (2, 0.2, "20") and cells[0, 2] == (0, 0, "")
    assert cells[1, 1] == (0, 0, "")  # a class without images
    assert cells[2, 2] == (2, 0.5, "50")


def test_frequent_errors_are_sorted_by_their_share_of_the_class():
    table = confusion.errors(["a", "b", "c"], [[90, 10, 0], [3, 5, 2], [0, 0, 0]])
    lines = [(line.name, *(cell.text for cell in line.cells)) for line in table.lines]
    assert lines == [("b", "a", "3", "30%"), ("b", "c", "2", "20%"), ("a", "b", "10", "10%")]
    ties = confusion.errors(["b", "a", "c"], [[8, 1, 1], [1, 8, 1], [0, 0, 9]]).lines
    assert [(line.name, line.cells[0].text) for line in ties] == [
        ("a", "b"), ("a", "c"), ("b", "a"), ("b", "c")]  # fmt: skip
    many = [[0 if i == j else 1 for j in range(9)] for i in range(9)]
    assert len(confusion.errors(list("abcdefghi"), many).lines) == 10
    assert not confusion.errors(["a", "b"], [[3, 0], [0, 3]])


def test_every_image_is_in_its_cell_and_the_surest_is_first(tmp_path):
    data, counts = written(tmp_path)
    cells = data["cells"]
    assert {key: cell["images"] for key, cell in cells.items()} == {
        f"{i},{j}": count for i, line in enumerate(counts) for j, count in enumerate(line) if count
    }
    for cell in cells.values():
        assert len(cell["tiles"]) + len(cell["names"]) == cell["images"]
        for entries in (cell["tiles"], cell["names"]):
            assert [p for _, p in entries] == sorted((p for _, p in entries), reverse=True)
    paths, truth, predicted = fixture.answered(60, 4)
    i = next(i for i in range(60) if truth[i] != predicted[i])
    key = f"{truth[i]},{predicted[i]}"
    assert i in [tile for tile, _ in cells[key]["tiles"]]
    without = paths[next(i for i in range(60, 120) if truth[i] != predicted[i])]
    assert without in [path for cell in cells.values() for path, _ in cell["names"]]


def test_of_many_names_some_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(confusion, "_MAX_NAMES", 3)
    data, _ = written(tmp_path)
    largest = max(data["cells"].values(), key=lambda cell: cell["images"])
    assert len(largest["names"]) == 3 < largest["images"] - len(largest["tiles"])


def test_cells_of_frequent_errors_between_other_classes_have_images(tmp_path):
    data, _ = written(tmp_path, count=200, classes=40)
    assert len(data["errors"]) == 10
    assert all(f"{i},{j}" in data["cells"] for i, j in data["errors"])


def test_answers_of_other_classes_are_refused(tmp_path):
    folder = fixture.write(tmp_path, specs=FEW, count=20, classes=5)
    answers.write(folder, fixture.answer_table(FEW, 20, 9))
    findings = Findings(fixture.rows(specs=FEW, classes=5))
    with pytest.raises(BadData, match="needs the classes of assets/, got 'coffee'"):
        confusion.script_data(findings, Assets.load(folder), folder)


def test_without_answers_there_are_only_numbers(tmp_path):
    folder = fixture.write(tmp_path, specs=FEW, count=20)
    (folder / answers.FILENAME).unlink()
    findings, assets = Findings(fixture.rows(specs=FEW)), Assets.load(folder)
    assert confusion.script_data(findings, assets, folder) is None
    assert confusion.counts(findings, assets) is not None
