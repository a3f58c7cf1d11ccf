"""A saved classifier: the same answers to the bit, and whatever is not as it was is refused."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import imrep
from imrep.errors import BadData, BadParameter, StoreMismatch
from imrep.models import document, saved

NAMES = ["gradient", "sift:words=8", "gradient+histogram", "mine", "mine+gradient", "together"]


@pytest.fixture(scope="module")
def folders(compared, tmp_path_factory):
    root = tmp_path_factory.mktemp("saved")
    return {
        name: compared.comparison.classifier(name).save(root / str(i))
        for i, name in enumerate(NAMES)
    }


@pytest.fixture
def model(folders, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(folders["sift:words=8"], tmp_path / "model")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_saved_answers_as_what_was_fitted(compared, folders, name):
    own = {"mine": compared.new_vectors}
    fitted = compared.comparison.classifier(name)
    vectors = own if fitted._fitted.own else None
    loaded = imrep.load_model(folders[name])
    first = fitted.answers(compared.new, unlike=True, vectors=vectors)
    second = loaded.answers(compared.new, unlike=True, vectors=vectors)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    np.testing.assert_array_equal(first.distances, second.distances)
    assert first.labels == second.labels and repr(fitted) == repr(loaded)


ASK = """
import sys, imrep
sys.stdout.buffer.write(imrep.load_model(sys.argv[1]).predict_proba(sys.argv[2]).tobytes())
"""


def test_another_process_gives_the_same_bits(compared, folders):
    here = imrep.load_model(folders["sift:words=8"]).predict_proba(compared.new)
    words = [sys.executable, "-c", ASK, folders["sift:words=8"], compared.new]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stdout == here.tobytes()


def test_the_folder_holds_no_pickle_and_no_path(compared, folders):
    for folder in folders.values():
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} <= {".json", ".safetensors", ""}
        text = "".join(path.read_text() for path in files if path.suffix == ".json")
        assert str(compared.photos) not in text and str(compared.out) not in text
    content = json.loads((folders["sift:words=8"] / saved.JSON).read_text())
    assert content["format"] == 1 and content["task"] == "class" and content["target"] is None
    assert content["parts"][0]["fitted"] == "rep0/"
    assert content["measured"]["data"] == "photos" and content["measured"]["n"] == 72


def test_saving_again_replaces_the_earlier_one(compared, tmp_path):
    folder = tmp_path / "model"
    compared.comparison.classifier("sift:words=8").save(folder)
    compared.comparison.classifier("gradient").save(folder)
    assert imrep.load_model(folder).spec == "gradient" and not (folder / "rep0").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_stays(compared, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"cat")
    with pytest.raises(BadData, match=r"needs a folder of its own, got .*, which holds cat\.png"):
        compared.comparison.classifier("gradient").save(tmp_path)
    with pytest.raises(BadData, match=r"got the file .*cat\.png"):
        compared.comparison.classifier("gradient").save(tmp_path / "cat.png")
    assert (tmp_path / "cat.png").read_bytes() == b"cat"


@pytest.mark.parametrize(
    "name", ["model.safetensors", "rep0/weights.safetensors", "rep0/config.json"]
)
@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_changed_or_incomplete_folder_is_refused(model, name, damage):
    path = model / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-7] if damage == "cut" else content[:-1] + b"?")
    with pytest.raises(BadData, match=rf"model needs {name} as it was saved, got (another|none)"):
        imrep.load_model(model)


@pytest.mark.parametrize("damage", ["cut", "edited"])
def test_so_is_a_changed_description(model, damage):
    path = model / "model.json"
    text = path.read_text()
    path.write_text(text[:200] if damage == "cut" else text.replace('"across"', '"askew"'))
    with pytest.raises(BadData, match=r"needs model\.json as it was saved"):
        imrep.load_model(model)


def rewrite(folder, **changes):
    """Change model.json as one who also updates its digest."""
    path = folder / "model.json"
    content = json.loads(path.read_text())
    content = content | changes
    content = {name: content[name] for name in content if changes.get(name) != "gone"}
    content["digest"] = document.digest_of(content)
    path.write_text(json.dumps(content))


def test_other_formats_are_refused(model):
    rewrite(model, format=2)
    with pytest.raises(BadData, match=r"needs format 1 in model\.json, got 2\. Update imrep"):
        imrep.load_model(model)
    rewrite(model, format=1, task="pose")
    with pytest.raises(BadData, match="needs a task of class, value, labels, got 'pose'"):
        imrep.load_model(model)
    rewrite(model, task="class", temperature="gone")
    with pytest.raises(BadData, match="one without 'temperature'"):
        imrep.load_model(model)


def test_a_representation_that_makes_other_numbers_is_refused(model):
    (part,) = json.loads((model / "model.json").read_text())["parts"]
    rewrite(model, parts=[part | {"fingerprint": "0123456789ab"}])
    with pytest.raises(StoreMismatch, match=r"was made by sift:words=8 0123456789ab; this imrep"):
        imrep.load_model(model)


def test_a_representation_that_is_not_here_is_refused_by_name(model):
    (part,) = json.loads((model / "model.json").read_text())["parts"]
    rewrite(model, parts=[part | {"spec": "cortex", "fitted": None}])
    with pytest.raises(LookupError, match=r"model was made by cortex\. no representation"):
        imrep.load_model(model)
    rewrite(model, parts=[part | {"fitted": "../../elsewhere/"}])
    with pytest.raises(BadData, match="needs its own folder"):
        imrep.load_model(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:-1], r"needs 0\.mean as float32 \(\d+,\), got float32 \(\d+,\)"),
        (lambda a: a.astype(np.float64), r"got float64"),
        (lambda a: a * np.float32(np.nan), r"needs finite numbers in 0\.mean"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(model, change, message):
    path = model / "model.safetensors"
    stored = load_file(path)
    save_file(stored | {"0.mean": np.ascontiguousarray(change(stored["0.mean"]))}, path)
    files = json.loads((model / "model.json").read_text())["files"]
    rewrite(model, files=files | {path.name: saved._digest(path)})
    with pytest.raises(BadData, match=message):
        imrep.load_model(model)


def test_what_is_no_classifier_is_refused(tmp_path):
    with pytest.raises(BadData, match=r"needs to be a saved model.*got no such folder"):
        imrep.load_model(tmp_path / "nothing")
    with pytest.raises(BadData, match="got one without it"):
        imrep.load_model(tmp_path)
    (tmp_path / "model.json").write_text("[1]")
    with pytest.raises(BadData, match=r"needs format 1 in model\.json, got None"):
        imrep.load_model(tmp_path)


def test_a_function_cannot_be_saved(compared, tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))

    def tiny(batch):
        return batch[:, :, ::6, ::6].flatten(1)

    found = imrep.compare(
        compared.photos, [tiny, "gradient"], tmp_path / "out", size=24,
        save=tmp_path / "model", save_which="tiny",
    )  # fmt: skip
    assert found.saved is None and not (tmp_path / "model").exists()
    assert "needs a representation that can be built again, got tiny" in found.saved_text
    with pytest.raises(BadParameter, match="got 'nobody'"):
        found.classifier("nobody")
    fitted = found.classifier("tiny")
    assert set(fitted.predict(compared.new)) <= set(fitted.classes_)
    with pytest.raises(BadParameter, match="got tiny, an object"):
        fitted.save(tmp_path / "model")
