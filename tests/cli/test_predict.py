"""`imrep compare --save` and `imrep predict` as a process: from photos to a csv of answers."""

import csv
import json
import shutil
import signal
import time

import numpy as np
import PIL.Image
import pytest

import imrep as package


def write_images(folder, count, seed, classes=("dark", "light")):
    """Classes that differ in brightness."""
    rng = np.random.default_rng(seed)
    for name, ground in zip(classes, (100, 150), strict=False):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.normal(ground + rng.normal(0, 12), 30, (24, 24, 3)).clip(0, 255)
            PIL.Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{name}{i:02}.png")


@pytest.fixture(scope="module")
def root(tmp_path_factory, imrep):
    """Photos, new ones among which one is broken, vectors of both, and saved classifiers."""
    root = tmp_path_factory.mktemp("predict")
    write_images(root / "photos", 40, 0)
    write_images(root / "new", 6, 1)
    (root / "new" / "dark" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    environment = {"IMREP_CACHE": str(root / "cache"), "NO_COLOR": "1"}
    for data in ("photos", "new"):
        words = ("embed", data, "pixels:side=2", "--size", 24, "-q", "-o", f"{data}.npz")
        imrep(*words, cwd=root, **environment)
    compare = (
        "compare",
        "photos",
        "-r",
        "pixels:side=4",
        "-r",
        "sift:words=4",
        "-r",
        "mine+pixels:side=4",
    )
    compare += ("--vectors", "mine=photos.npz", "--size", 24, "-q")
    for which in ("", "mine", "mine+pixels:side=4", "together"):
        named = ("--save-which", which) if which else ()
        folder = f"model {which or 'pick'}".replace("+", " ").replace(":", " ")
        done = imrep(*compare, "--save", folder, *named, cwd=root, **environment)
        assert f"imrep predict '{folder}' new/" in done.stdout, done.stdout + done.stderr
    (root / "model pick").rename(root / "model")
    return root


@pytest.fixture
def ask(inside, root, monkeypatch):
    """`imrep predict` in this process, where the classifiers are."""
    monkeypatch.chdir(root)
    return lambda *words, **more: inside("predict", *words, **more)


def table(text):
    return list(csv.DictReader(text.splitlines()))


def test_from_photos_to_a_csv_in_two_commands(installed, root):
    done = installed("predict", "model", "new", "-o", "answers.csv", cwd=root)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("answers.csv  13 images, ")
    assert lines[1:] == ["1 file could not be read"]
    header, reason = done.stderr.splitlines()
    assert " measured at " in header and "on 80 images of photos it had not seen" in header
    assert header.endswith("guessing 50%.") and reason.startswith("dark/broken.jpg: ")
    rows = table((root / "answers.csv").read_text())
    assert [*rows[0]] == ["path", "label", "p"]
    assert rows[0] == {"path": "dark/broken.jpg", "label": "", "p": ""}
    right = [row["label"] in row["path"] for row in rows[1:]]
    assert len(right) == 12 and np.mean(right) > 0.8
    assert all(0.5 <= float(row["p"]) <= 1 for row in rows[1:])
    assert not list(root.glob("answers.csv.*"))


def test_files_are_answered_in_the_order_they_came(ask, root):
    paths = [root / "new" / "light" / "light03.png", root / "new" / "dark" / "dark01.png"]
    done = ask("model", *paths, "--top", 2, "-q")
    rows = table(done.stdout)
    assert [row["path"].rsplit("/", 1)[-1] for row in rows] == ["light03.png", "dark01.png"]
    assert {row["label"] for row in rows} == {row["label2"] for row in rows} == {"dark", "light"}
    assert all(float(row["p"]) + float(row["p2"]) == pytest.approx(1, abs=2e-6) for row in rows)
    assert done.stderr == ""


def test_doubtful_and_unlike_images_are_told(ask, root, tmp_path):
    shutil.copytree(root / "new" / "light", tmp_path / "new")
    rng = np.random.default_rng(0)
    stripes = (rng.random((1, 24, 3)) > 0.5) * np.ones((24, 1, 1)) * 255
    PIL.Image.fromarray(stripes.astype(np.uint8)).save(tmp_path / "new" / "strange.png")
    words = ("model", tmp_path / "new", "--at-least", ".999", "--unlike")
    done = ask(*words)
    rows = {row["path"]: row for row in table(done.stdout)}
    assert float(rows["strange.png"]["distance"]) > 1
    assert "strange.png" in done.stderr.splitlines()[-1]
    assert any(row["label"] == "" and float(row["p"]) > 0 for row in rows.values())


def test_json_says_all(ask, root):
    done = ask("model", "new", "--json", "--strict", "--unlike", expect=3)
    found = json.loads(done.stdout)
    assert found["measured"]["n"] == 80 and len(found["answers"]) == 13
    assert [one["path"] for one in found["skipped"]] == ["dark/broken.jpg"]
    assert found["answers"][0]["p"] is None and found["answers"][0]["top"] == []
    model = package.load_model(root / "model")
    (p,) = model.predict_proba([root / "new" / "dark" / "dark00.png"]).max(1)
    assert found["answers"][1]["p"] == pytest.approx(p, abs=1e-6)


def test_vectors_made_elsewhere_are_answered_without_images(ask, root):
    done = ask("model mine", "--vectors", "mine=new.npz", "-q")
    rows = table(done.stdout)
    assert len(rows) == 12 and rows[0]["path"] == "dark/dark00.png"
    both = "model mine pixels side=4"
    mixed = ask(both, "new", "--vectors", "mine=new.npz", "-q")
    assert len(table(mixed.stdout)) == 13
    said = ask(both, "new", expect=1).stderr.splitlines()[-1]
    assert said == (
        "mine+pixels:side=4 needs vectors named mine for these images, got none. Make them as "
        "those that were compared, and give them under that name."
    )
    said = ask(both, "--vectors", "mine=new.npz", expect=1).stderr
    assert "needs images for mine+pixels:side=4, got none" in said
    words = ("model mine", "--vectors", "yours=new.npz")
    assert "needs vectors of mine, got yours" in ask(*words, expect=1).stderr


def test_together_is_one_model(ask, root):
    done = ask("model together", "new", "--vectors", "mine=new.npz")
    assert done.stderr.startswith("together, measured at ")
    assert len(table(done.stdout)) == 13


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("model",), 2, "predict needs DATA, the images"),
        (("photos", "new"), 1, "photos needs to be a saved model, a folder with model.json"),
        (("model", "nowhere"), 1, "nowhere"),
        (("model", "new", "-o", "photos"), 2, "is a directory"),
    ],
)
def test_mistakes_are_told_in_a_sentence(ask, root, words, status, message):
    said = ask(*words, expect=status).stderr
    assert message in said and "Traceback" not in said


def test_a_damaged_model_is_refused(ask, root, tmp_path):
    shutil.copytree(root / "model", tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    said = ask(tmp_path / "model", "new", expect=1).stderr
    assert said == (
        f"{tmp_path}/model needs model.safetensors as it was saved, got another file. Copy the "
        "folder again, or run compare --save again.\n"
    )


def test_what_cannot_be_saved_is_said_before_the_work_or_after(imrep, root, tmp_path):
    environment = {"IMREP_CACHE": str(root / "cache"), "NO_COLOR": "1"}
    words = ("compare", root / "photos", "-r", "pixels:side=4", "--size", 24, "-q")
    said = imrep(*words, "--save", root / "new", cwd=tmp_path, expect=1, **environment).stderr
    assert "needs a folder of its own" in said and not (tmp_path / "report").exists()
    said = imrep(*words, "--save-which", "hog", cwd=tmp_path, expect=2, **environment).stderr
    assert "Add --save model/" in said
    save = ("--save", "model", "--save-which", "hog")
    said = imrep(*words, *save, cwd=tmp_path, expect=1, **environment).stderr
    assert "needs one of those compared, got 'hog'" in said
    write_images(tmp_path / "few", 4, 2)
    few = ("compare", "few", "-r", "pixels:side=4", "-r", "pixels:side=2", "--size", 24)
    done = imrep(*few, "-q", "--save", "model", cwd=tmp_path, **environment)
    assert "Nothing was saved in model/: there are too few images to decide." in done.stdout
    assert not (tmp_path / "model").exists()
    done = imrep(*few, "--json", *save[:3], "pixels:side=2", cwd=tmp_path, **environment)
    assert json.loads(done.stdout)["saved"] == "model"


def test_interrupted_it_goes_on(start, imrep, root, tmp_path):
    (tmp_path / "many").mkdir()
    for i in range(600):
        shutil.copy(
            root / "new" / "dark" / f"dark{i % 6:02}.png", tmp_path / "many" / f"{i:03}.png"
        )
    words = ("predict", root / "model", "many", "-o", "a.csv", "--threads", 1)
    running = start(*words, cwd=tmp_path)
    first = tmp_path / "a.csv.parts" / "000000.npz"
    while running.poll() is None and not first.exists():
        time.sleep(0.002)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    if running.returncode == 130:  # else it ended before the signal came
        assert "The progress is saved. To resume: imrep predict" in err
    imrep(*words, cwd=tmp_path)
    resumed = (tmp_path / "a.csv").read_bytes()
    imrep("predict", root / "model", "many", "-o", "b.csv", cwd=tmp_path)
    assert resumed == (tmp_path / "b.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"many", "a.csv", "b.csv"}
