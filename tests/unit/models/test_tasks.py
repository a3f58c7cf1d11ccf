"""Models of numbers and of labels: fitted, saved, read again, and asked about new images."""

import csv
import io
import json
import shutil

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

import imrep
from imrep.cli import main
from imrep.errors import BadData, BadParameter
from imrep.models import document, saved
from imrep.models.fitted_regressor import SCALES

SPECS = ["gradient", "histogram", "gradient+histogram"]
TARGETS = ("value", "labels")


def picture(rng, brightness, striped, side=24):
    """Noise of a brightness, striped or not."""
    stripes = 40 * np.sin(np.arange(side) * rng.uniform(0.9, 1.1) + rng.uniform(0, 6))
    pixels = brightness + striped * stripes[:, None, None] + rng.normal(0, 12, (side, side, 3))
    return PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write(folder, count, seed):
    """Pictures with a table of brightness and one of labels, which are returned."""
    folder.mkdir()
    rng, values, labels = np.random.default_rng(seed), {}, {}
    for i in range(count):
        brightness, striped = rng.uniform(70, 180), bool(rng.integers(2))
        name = f"{i:03}.png"
        picture(rng, brightness, striped).save(folder / name)
        values[name] = brightness
        labels[name] = ["bright"] * (brightness > 125) + ["striped"] * striped
    lines = [f"{name},{value}" for name, value in values.items()]
    (folder / "value.csv").write_text("\n".join(["path,value", *lines]))
    lines = [f"{name},{'|'.join(own)}" for name, own in labels.items()]
    (folder / "labels.csv").write_text("\n".join(["path,labels", *lines]))
    return values, labels


class Compared:
    """Comparisons by number and by labels, and new images."""

    def __init__(self, root):
        self.photos, self.new = root / "photos", root / "new"
        write(self.photos, 90, 0)
        self.values, self.labels = write(self.new, 60, 1)
        self.by = {
            kind: imrep.compare(
                self.photos / f"{kind}.csv", SPECS, root / kind, size=24, save=root / f"m-{kind}"
            )
            for kind in TARGETS
        }
        self.saved = {kind: root / f"m-{kind}" for kind in TARGETS}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("tasks")
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr("imrep.embedding.peak_memory.peaks", lambda specs, threads: {})
        yield Compared(root)


def predict(*words):
    return CliRunner().invoke(main, ["predict", *map(str, words)])


def rewrite(folder, **facts):
    """Change model.json and sign it again."""
    path = folder / saved.JSON
    content = json.loads(path.read_text()) | facts
    content["digest"] = document.digest_of(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", [*SPECS, "together"])
def test_what_was_saved_answers_as_what_was_fitted(both, kind, name, tmp_path):
    comparison = both.by[kind]
    if name not in [line["spec"] for line in comparison.table()]:
        pytest.skip(f"{name} was not measured: a single part has all the weight")
    fitted = comparison.model(name)
    loaded = imrep.load_model(fitted.save(tmp_path / "model"))
    first, second = (own.answers(both.new, unlike=True) for own in (fitted, loaded))
    field = {"value": "values", "labels": "probabilities"}[kind]
    np.testing.assert_array_equal(getattr(first, field), getattr(second, field))
    np.testing.assert_array_equal(first.distances, second.distances)
    assert repr(fitted) == repr(loaded) and repr(first) == repr(second)


def test_numbers_are_right_and_their_intervals_hold_what_they_say(both):
    model = imrep.load_model(both.saved["value"])
    answers = model.answers(both.new)
    true = np.array([both.values[name] for name in answers.paths if name in both.values])
    keep = [name in both.values for name in answers.paths]
    values, (low, high) = answers.values[keep], answers.intervals[keep].T
    assert np.abs(values - true).mean() == pytest.approx(model.measured.error, rel=0.5)
    assert np.corrcoef(values, true)[0, 1] > 0.95
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.9, abs=0.12)
    narrow = model.answers(both.new, coverage=0.5)
    assert (np.ptp(narrow.intervals[keep], axis=1) < high - low).all()
    np.testing.assert_array_equal(model.predict(both.new), answers.values)


def test_labels_are_right_and_their_probabilities_calibrated(both):
    model = imrep.load_model(both.saved["labels"])
    answers = model.answers(both.new)
    assert answers.names == ("bright", "striped")
    true = np.array([[name in both.labels[path] for name in answers.names]
                     for path in answers.paths])  # fmt: skip
    assert ((answers.probabilities >= 0.5) == true).mean() > 0.85
    assert answers.probabilities.mean() == pytest.approx(true.mean(), abs=0.1)
    np.testing.assert_array_equal(model.predict(both.new), answers.probabilities >= 0.5)
    sure = model.answers(both.new, at_least=0.95)
    assert sum(map(len, sure.labels)) <= sum(map(len, answers.labels))


def test_the_command_writes_a_number_and_its_interval(both, tmp_path):
    out = tmp_path / "answers.csv"
    done = predict(both.saved["value"], both.new, "-o", out, "--unlike")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert list(rows[0]) == ["path", "value", "lo", "hi", "distance"] and len(rows) == 60
    assert all(float(row["lo"]) < float(row["value"]) < float(row["hi"]) for row in rows)
    assert "of how the value varies" in done.stderr
    for words in (("--at-least", ".5"), ("--top", "2")):
        assert predict(both.saved["value"], both.new, *words).exit_code == 2


def test_the_command_writes_labels_and_their_probabilities(both):
    done = predict(both.saved["labels"], both.new, "-q")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["path", "labels", "p(bright)", "p(striped)"]
    for row in rows:
        given = [name for name in ("bright", "striped") if float(row[f"p({name})"]) >= 0.5]
        assert row["labels"] == "|".join(given)


@pytest.mark.parametrize("kind", TARGETS)
def test_json_says_the_same(both, kind, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    shutil.copy(both.new / "000.png", tmp_path)
    done = predict(both.saved[kind], tmp_path, "--json", "-q")
    assert done.exit_code == 0, (done.output, done.exception)
    content = json.loads(done.stdout)
    first, second = content["answers"]
    if kind == "value":
        assert first["lo"] < first["value"] < first["hi"]
        assert second == {"path": "broken.png", "value": None, "lo": None, "hi": None}
    else:
        assert set(first["p"]) == {"bright", "striped"}
        assert second["labels"] == [] and set(second["p"].values()) == {None}


def test_damaged_errors_and_scales_are_refused(both, tmp_path):
    folder = shutil.copytree(both.saved["value"], tmp_path / "model")
    stored = load_file(folder / saved.ARRAYS)
    stored["errors"] = stored["errors"][::-1].copy()
    save_file(stored, folder / saved.ARRAYS)
    files = json.loads((folder / saved.JSON).read_text())["files"]
    rewrite(folder, files=files | {saved.ARRAYS: saved._digest(folder / saved.ARRAYS)})
    with pytest.raises(BadData, match="ascending numbers in errors"):
        imrep.load_model(folder)
    folder = shutil.copytree(both.saved["value"], tmp_path / "other")
    target = json.loads((folder / saved.JSON).read_text())["target"]
    rewrite(folder, target=target | {"scale": "cube"})
    with pytest.raises(BadData, match=r"needs a scale of .*, got 'cube'"):
        imrep.load_model(folder)


def test_a_comparison_by_number_has_no_classifier(both):
    with pytest.raises(BadParameter, match=r"images with classes, got others\. Try model"):
        both.by["value"].classifier("gradient")


def test_the_logarithm_is_taken_back():
    for name, back in SCALES.items():
        taken = {"": lambda y: y, "log": np.log, "log1p": np.log1p}[name]
        np.testing.assert_allclose(back(taken(np.array([0.5, 20.0]))), [0.5, 20.0])
