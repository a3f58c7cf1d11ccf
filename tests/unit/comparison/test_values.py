"""A comparison on images with a number as a whole: rows, table, answers, page, logarithms."""

import csv
import math
import re

import commands
import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import answers
from imrep.assets import Assets
from imrep.embedding import peak_memory
from imrep.errors import BadData, BadParameter

COUNT = 75


def folder_of(path, values, column="value"):
    """Gray images of random texture, as bright as their number says, and the csv of the numbers."""
    path.mkdir(parents=True)
    rng = np.random.default_rng(0)
    bright = np.argsort(np.argsort(values)) / len(values)
    names = [f"{i:02}.png" for i in range(len(values))]
    for name, share in zip(names, bright, strict=True):
        pixels = (60 + 120 * share + rng.normal(0, 30, (24, 24, 1))).clip(0, 255).repeat(3, 2)
        PIL.Image.fromarray(pixels.astype(np.uint8)).save(path / name)
    with (path / "split.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", column), *zip(names, values.tolist(), strict=True)])
    return path


@pytest.fixture(scope="module")
def prices():
    return np.random.default_rng(1).lognormal(3, 1.2, COUNT).round(2)


@pytest.fixture(scope="module")
def compared(tmp_path_factory, prices):
    """By the plain numbers, at two sizes, and by their ratios."""
    root = tmp_path_factory.mktemp("values")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr(peak_memory, "peaks", lambda specs, threads: {})
        data = folder_of(root / "data", prices, "price")
        options = {"size": 24, "target": "price"}
        plain = imrep.compare(
            data, ["histogram", "pixels", "edge"], root / "plain", sizes=(16,), **options
        )
        ratios = imrep.compare(data, ["histogram", "hog"], root / "log", log=True, **options)
        yield plain, ratios


def rows_of(comparison, metric, kind="accuracy"):
    return [row for row in comparison.rows if (row.kind, row.metric) == (kind, metric)]


def test_the_sentence_is_about_the_column(compared):
    plain, ratios = compared
    assert "of how price varies" in plain.sentence
    assert "guessing explains 0), off by " in plain.sentence
    assert "of how the logarithm of price varies" in ratios.sentence
    assert "off by a factor of 1." in ratios.sentence
    assert plain.pick and plain.verdict["guess"] == 0


def test_the_table_has_the_share_explained_and_the_error(compared):
    plain, ratios = compared
    first = plain.table()[0]
    assert first["spec"] in ("histogram", "pixels", "together")
    assert 0.3 < first["r2"] <= 1 and first["lo"] < first["r2"] < first["hi"] <= 1
    assert first["error"] < rows_of(plain, "guess_error", "data")[0].value
    assert "accuracy" not in first and "knn" not in first
    assert 1 < ratios.table()[0]["error"] < rows_of(ratios, "guess_error", "data")[0].value
    shares = [line["r2"] for line in plain.table() if line["role"] == "contender"]
    assert shares == sorted(shares, reverse=True)
    assert str(round(100 * first["r2"])) in repr(plain)


def test_ratios_are_predicted_better_than_a_few_large_numbers(compared):
    plain, ratios = compared
    by_spec = [{line["spec"]: line["r2"] for line in each.table()} for each in compared]
    assert by_spec[1]["histogram"] > by_spec[0]["histogram"]
    assert any(note["id"] == "skewed" for note in plain.verdict["notes"])
    assert not any(note["id"] == "skewed" for note in ratios.verdict["notes"])


def test_rows_say_what_is_predicted(compared):
    plain, ratios = compared
    (target,) = rows_of(plain, "target", "data")
    assert (target.detail, target.value) == ("price", COUNT)
    assert {row.unit for row in rows_of(plain, "error")} == {"number"}
    assert {row.unit for row in rows_of(ratios, "error")} == {"factor"}
    meta = plain.rows[0]
    assert (meta.n, meta.classes, meta.folds) == (COUNT, 0, 5)
    controls = {row.spec for row in rows_of(plain, "r2") if row.role == "control"}
    assert {"noise", "frame"} <= controls
    assert {row.detail for row in rows_of(plain, "r2_curve")} == {"20"}


def test_sizes_are_compared_by_the_share_explained(compared):
    lines = compared[0].by_size()
    assert {line["size"] for line in lines} == {16, 24}
    assert all("r2" in line for line in lines)
    assert sum("gain" in line for line in lines) == 3


def test_answers_are_in_the_unit_of_the_numbers(compared, prices):
    for comparison in compared:
        columns = answers.read(comparison.folder)
        np.testing.assert_allclose(columns["value"], prices)
        predicted = columns["histogram.predicted"]
        assert np.corrcoef(np.log(prices), predicted)[0, 1] > 0.5
    plain = answers.read(compared[0].folder)
    error = np.abs(plain["value"] - plain["histogram.predicted"]).mean()
    (row,) = (row for row in rows_of(compared[0], "error") if row.spec == "histogram")
    assert row.value == pytest.approx(error)


def test_the_page_has_sections_in_its_own_words(compared):
    plain, _ = compared
    page = plain.report.read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([\w-]+)"', page)
    assert {"accuracy-cost", "results", "difference", "learning-curves"} <= set(sections)
    assert {"predicted", "furthest", "image-size", "method"} <= set(sections)
    assert not {"confusion", "label-errors", "cues", "probabilities"} & set(sections)
    assert "In plain words: for a new image of this kind " in page
    remarks = Assets.load(plain.folder).remarks["furthest"]
    assert len(remarks) == 12
    assert [remark.p for remark in remarks] == sorted((r.p for r in remarks), reverse=True)


def test_nothing_is_listed_that_needs_classes(compared):
    for comparison in compared:
        assert comparison.suspects() == [] and comparison.cues() == []


@pytest.fixture
def quick(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})

    def run(values, **options):
        data = folder_of(tmp_path / "data", values)
        return imrep.compare(data, ["pixels", "histogram"], tmp_path / "out", size=16, **options)

    return run


def test_equal_numbers_cannot_be_tested(quick):
    result = quick(np.full(12, 7.5))
    assert result.verdict["sentence"] == "nothing"
    assert result.sentence.startswith(
        "Nothing can be tested: the value is 7.5 for every image; give one that varies."
    )
    assert not (result.folder / answers.FILENAME).exists()


def test_few_images_are_too_few(quick):
    result = quick(np.linspace(0.5, 9.5, 24))
    assert result.verdict["sentence"] == "too few" and result.pick == ""


def test_numbers_below_zero_have_no_ratio(quick):
    with pytest.raises(BadData, match="got -3"):
        quick(np.array([1.0, -3, 5, 7]), log=True)


def test_classes_have_no_logarithm(tmp_path, quick):
    for name in "ab":
        (tmp_path / "c" / name).mkdir(parents=True)
        for i in range(3):
            pixels = np.full((16, 16, 3), 40 * i + ord(name) - 90, np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "c" / name / f"{i}.png")
    with pytest.raises(BadParameter, match="--log needs numbers to predict, got classes"):
        imrep.compare(tmp_path / "c", ["pixels"], tmp_path / "out", size=16, log=True)


def test_numbers_with_zeros_are_compared_by_ratios_of_one_more(quick):
    result = quick(np.arange(62.0), log=True)
    assert "the logarithm of 1 + the value" in result.sentence
    error = result.table()[0]["error"]
    assert 1 < error < math.e


def test_the_screen_has_the_columns_of_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})
    data = folder_of(tmp_path / "data", np.linspace(1, 100, 62))
    words = ("compare", data, "-r", "histogram", "-r", "edge", "--size", 16, "-o", tmp_path / "out")
    head, first, *_ = commands.run(*words).output.partition("R²")[2].splitlines()
    assert head.split()[:4] == ["95%", "CI", "error", "by"]
    assert re.search(r"histogram +\d\d\.\d% +\d+-\d+ +[\d.]+ ", first)
