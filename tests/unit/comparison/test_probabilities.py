"""Answers of a run: rows, the table beside the report, and the matrix agree."""

import json

import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import answers
from imrep.embedding import peak_memory

SPECS = ["gradient", "pixels", "gradient+pixels"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Three classes of stripes that differ in direction, thirty images each."""
    root = tmp_path_factory.mktemp("answers")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:24, :24]
    for c, name in enumerate(("across", "down", "slanted")):
        (root / "data" / name).mkdir(parents=True)
        for i in range(30):
            angle = c * np.pi / 3 + rng.normal(0, 0.3)
            wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6))
            pixels = 128 + 60 * wave[..., None] + rng.normal(0, 25, (24, 24, 3))
            image = PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(root / "data" / name / f"{i:02}.png")

    def nothing(images):
        return images.mean((2, 3)) * 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr(peak_memory, "peaks", lambda specs, threads: {})
        return imrep.compare(root / "data", [*SPECS, nothing], root / "out", size=24)


def values(found, metric, kind="probability"):
    return {row.spec: row.value for row in found.rows if (row.kind, row.metric) == (kind, metric)}


def test_every_representation_has_rows_and_columns(found):
    columns, specs = answers.read(found.folder), [*SPECS, "nothing", "together"]
    assert set(values(found, "nll")) == set(values(found, "ece")) >= set(specs)
    for spec in specs:
        for field in ("answer", "probability", "margin"):
            assert len(columns[f"{spec}.{field}"]) == 90
    assert columns["path"].tolist() == sorted(columns["path"])
    assert all(path.startswith(f"{label}/") for path, label in zip(
        columns["path"], columns["label"], strict=True))  # fmt: skip


def test_answers_are_those_that_the_accuracy_counts(found):
    columns, accuracy = answers.read(found.folder), values(found, "probe", "accuracy")
    for spec in [*SPECS, "together"]:
        right = columns[f"{spec}.answer"] == columns["label"]  # classes of one size
        assert right.mean() == pytest.approx(accuracy[spec])
        assert ((columns[f"{spec}.margin"] < 0) == ~right).all()
        assert (columns[f"{spec}.probability"] >= np.float32(1 / 3)).all()


def test_the_matrix_counts_them(found):
    columns = answers.read(found.folder, [found.pick])
    index = json.loads((found.folder / "assets" / "assets.json").read_text())
    for i, true in enumerate(index["classes"]):
        own = columns[f"{found.pick}.answer"][columns["label"] == true]
        counts = [(own == predicted).sum() for predicted in index["classes"]]
        assert counts == index["confusions"][found.pick][i]


def test_a_constant_code_gives_every_class_its_share(found):
    columns = answers.read(found.folder, ["nothing"])
    assert (columns["nothing.probability"] == np.float32(1 / 3)).all()
    assert (columns["nothing.margin"] == 0).all()
    assert values(found, "nll")["nothing"] == pytest.approx(np.log(3), rel=1e-6)
    assert "nothing" not in values(found, "temperature")


def test_the_reliability_is_that_of_the_pick(found):
    of_pick = ("confidence", "right", "sure")
    rows = [row for row in found.rows if row.kind == "probability" and row.metric in of_pick]
    assert {row.spec for row in rows} == {found.pick}
    bins = [row for row in rows if row.metric == "right"]
    assert [row.detail for row in bins] == [f"{i} of 10" for i in range(1, 11)]
    assert all(row.lo <= row.value <= row.hi for row in bins)
    columns = answers.read(found.folder, [found.pick])
    right = (columns[f"{found.pick}.answer"] == columns["label"]).mean()
    assert np.mean([row.value for row in bins]) == pytest.approx(right)
    assert 'id="probabilities"' in found.report.read_text()


def test_temperatures_are_within_their_bounds(found):
    temperatures = values(found, "temperature")
    assert set(temperatures) >= {*SPECS, "together"}
    assert all(0.25 <= value <= 64 for value in temperatures.values())
