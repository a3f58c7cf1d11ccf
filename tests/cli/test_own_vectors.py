"""`imrep compare --vectors` as a process: every kind of file, every rule, every refusal."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet
import pytest

import imrep
from imrep import results
from imrep.errors import BadData


@pytest.fixture(scope="module")
def made(tmp_path_factory, imrep):
    """A folder of two classes of fifty images, and vectors of them in every kind of file."""
    root = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    for name, ground in (("dark", 110), ("light", 140)):
        (root / "photos" / name).mkdir(parents=True)
        for i in range(50):
            pixels = rng.normal(ground + rng.normal(0, 20), 30, (24, 24, 3)).clip(0, 255)
            PIL.Image.fromarray(pixels.astype(np.uint8)).save(
                root / "photos" / name / f"{name}-{i:02}.png"
            )
    environment = {"IMREP_CACHE": str(root / "cache"), "NO_COLOR": "1"}
    for suffix in ("parquet", "npz", "safetensors"):
        words = ("embed", root / "photos", "pixels:side=2", "--size", 24, "-q")
        imrep(*words, "-o", root / f"v.{suffix}", **environment)
    table = pyarrow.parquet.read_table(root / "v.parquet")
    paths, vectors = table["path"].to_pylist(), np.array(table["vector"].to_pylist(), np.float32)
    np.save(root / "v.npy", vectors)
    write(root / "v.csv", paths, vectors)
    return environment, root, paths, vectors


def write(path, paths, vectors, **more):
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["path", *more, *(f"x{i}" for i in range(vectors.shape[1]))])
        for i, (name, vector) in enumerate(zip(paths, vectors, strict=True)):
            out.writerow(
                [name, *(column[i] for column in more.values()), *map(repr, vector.tolist())]
            )


@pytest.fixture
def compare(start):
    """Run `imrep compare` on the photos to its end."""

    def compare(made, out, *words, specs=("pixels:side=2",)):
        environment, root, *_ = made
        chosen = [word for spec in specs for word in ("-r", spec)]
        words = ("compare", root / "photos", "--size", 24, "-o", out, *chosen, *words)
        process = start(*words, **environment)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    return compare


def scores(out):
    rows = results.read(out / results.FILENAME)
    return {
        row.spec: (row.value, row.lo, row.hi)
        for row in rows
        if (row.kind, row.metric) == ("accuracy", "probe")
        and row.role in ("contender", "own", "sum")
    }


def test_every_kind_of_file_gives_the_representations_own_accuracy(compare, made, tmp_path):
    root = made[1]
    kinds = ("parquet", "npz", "safetensors", "csv", "npy")
    words = [word for kind in kinds for word in ("--vectors", f"{kind}={root}/v.{kind}")]
    done = compare(made, tmp_path / "out", *words, "--ms", "npz=12")
    assert done.returncode == 0, done.stderr
    found = scores(tmp_path / "out")
    assert set(found) == {"pixels:side=2", *kinds} and len(set(found.values())) == 1
    assert (
        "npy has no paths: row 1 is taken for dark/dark-00.png, row 100 for light/light-49.png."
        in (done.stdout)
    )
    assert done.stdout.count(results.OUTSIDE) >= 5
    assert f"{results.OUTSIDE} ms: 12, as you said." in done.stdout
    rows = results.read(tmp_path / "out" / results.FILENAME)
    own = [row for row in rows if row.spec == "parquet"]
    assert {(row.role, row.fitted_on) for row in own} == {("own", "outside")}
    measured = {(row.kind, row.metric) for row in own}
    assert ("labelfree", "cka") in measured
    assert not {("cost", "ms"), ("cost", "memory"), ("stability", "moves")} & measured
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "safetensors" in page


def test_rows_find_their_images_by_every_rule(compare, made, tmp_path):
    _environment, root, paths, vectors = made
    order = np.random.default_rng(1).permutation(len(paths))
    (tmp_path / "link").symlink_to(root / "photos")
    spelt = {
        "equal": lambda path: path.replace("/", "\\"),
        "file": lambda path: f"{tmp_path}/link/{path}",
        "end": lambda path: f"/old/disk/photos/{path}",
        "name": lambda path: f"flat/{path.rpartition('/')[2]}",
        "stem": lambda path: path.rpartition("/")[2].removesuffix(".png"),
    }
    words = []
    for rule, spell in spelt.items():
        file = tmp_path / f"{rule}.npz"
        np.savez(file, vectors=vectors[order], paths=np.array([spell(paths[i]) for i in order]))
        words += ["--vectors", f"{rule}={file}"]
    done = compare(made, tmp_path / "out", *words)
    assert done.returncode == 0, done.stderr
    found = scores(tmp_path / "out")
    assert set(found) == {"pixels:side=2", *spelt} and len(set(found.values())) == 1
    assert done.stdout.count("is matched by name without suffix.") == 1


def test_shuffled_without_paths_is_asked_about(compare, made, tmp_path):
    _, _root, _, vectors = made
    np.save(tmp_path / "v.npy", vectors[np.random.default_rng(1).permutation(len(vectors))])
    done = compare(made, tmp_path / "out", "--vectors", f"mine={tmp_path}/v.npy")
    note = "mine sees nothing of the classes: is its order that of the sorted paths?"
    assert note in done.stdout


def test_sums_with_other_representations_and_json(compare, made, tmp_path):
    root = made[1]
    words = ("--vectors", f"mine={root}/v.npz", "--json", "--sizes", "24,32")
    done = compare(made, tmp_path / "out", *words, specs=("mine+histogram", "histogram"))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    table = {line["spec"]: line for line in answer["table"]}
    assert set(table) - {"together"} == {"mine", "mine+histogram", "histogram"}
    assert "ms" not in table["mine+histogram"] and "moves" not in table["mine+histogram"]
    rows = results.read(tmp_path / "out" / results.FILENAME)
    roles = {row.spec: (row.role, row.fitted_on) for row in rows if row.metric == "bytes"}
    assert roles["mine+histogram"] == ("sum", "outside")
    assert {row.spec for row in rows if row.metric == "ms_size"} == {"histogram"}


def test_a_second_run_computes_nothing_anew(compare, made, tmp_path):
    environment, root, *_ = made
    words = ("--vectors", f"mine={root}/v.parquet")
    compare(made, tmp_path / "out", *words)
    cache = Path(environment["IMREP_CACHE"])
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    done = compare(made, tmp_path / "again", *words)
    assert done.returncode == 0
    after = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    computed = [path for path in after if files.get(path) != after[path]]
    assert not [path for path in computed if path.suffix in (".npz", ".npy")]
    assert scores(tmp_path / "out") == scores(tmp_path / "again")


def test_images_without_a_vector_leave_the_scores_of_all(made, tmp_path, monkeypatch):
    environment, root, paths, vectors = made
    monkeypatch.setenv("IMREP_CACHE", environment["IMREP_CACHE"])
    groups = {path: path[-6:-4] for path in paths}
    comparison = imrep.compare(
        root / "photos",
        ["pixels:side=2"],
        tmp_path / "out",
        size=24,
        same_object=groups,
        vectors={"a": (paths[1:], vectors[1:]), "b": dict(zip(paths[:-1], vectors, strict=False))},
    )
    rows = comparison.rows
    assert {row.n for row in rows} == {98}
    assert len(set(scores(tmp_path / "out").values())) == 1
    assert next(line["object"] for line in comparison.table()) == pytest.approx(
        comparison.table()[1]["object"], abs=0.05
    )
    notes = [note["text"] for note in comparison.verdict["notes"]]
    for name, path in (("a", paths[0]), ("b", paths[-1])):
        assert f"1 image has no vector in {name} and left the scores of all: {path}." in notes


def test_rows_of_images_outside_a_sample_are_no_strangers(compare, made, tmp_path):
    words = ("--vectors", f"mine={made[1]}/v.npz", "--vectors", f"order={made[1]}/v.npy")
    done = compare(made, tmp_path / "out", *words, "--max-images", 60)
    assert done.returncode == 0, done.stderr
    assert len(set(scores(tmp_path / "out").values())) == 1
    assert "no image here" not in done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, v: (p[:-2], v[:-2]), "v has vectors for 98 of 100 images; light/light-48.png "
         "has none. Rows look like dark/dark-00.png."),
        (lambda p, v: ([f"x{i}.jpg" for i in range(100)], v), "v has vectors for 0 of 100 images; "
         "dark/dark-00.png has none. Rows look like x0.jpg."),
        (lambda p, v: (p, np.where(np.arange(100)[:, None] == 3, np.nan, v)), "v needs finite "
         "numbers, got nan for dark/dark-03.png in column 1. Make that vector again, or leave the "
         "column out."),
        (lambda p, v: (p, np.ones_like(v)), "v needs vectors that differ, got the same for all 100 "
         "images. Make them again."),
        (lambda p, v: (p, np.column_stack([v, np.arange(100) // 50])), "column 13 of v is the "
         "label. Leave it out."),
        (lambda p, v: (p, v[:, :, None, None]), "v has shape (100, 12, 1, 1); pool it to one "
         "vector an image."),
        (lambda p, v: (p[:-1], v), "v needs one vector for each of 99 paths, got 100. Give as "
         "many paths as vectors."),
    ],
)  # fmt: skip
def test_bad_vectors_are_one_sentence(made, tmp_path, monkeypatch, change, message):
    environment, root, paths, vectors = made
    monkeypatch.setenv("IMREP_CACHE", environment["IMREP_CACHE"])
    changed_paths, changed = change(paths, vectors)
    np.savez(tmp_path / "v.npz", vectors=changed, paths=np.array(changed_paths))
    with pytest.raises(BadData) as error:
        imrep.compare(root / "photos", ["hog"], tmp_path / "out", vectors={"v": tmp_path / "v.npz"})
    assert str(error.value) == message


def test_another_count_without_paths_and_labels_in_a_csv(compare, made, tmp_path):
    _, _, paths, vectors = made
    np.save(tmp_path / "v.npy", vectors[1:])
    done = compare(made, tmp_path / "out", "--vectors", f"v={tmp_path}/v.npy")
    message = (
        "v has 99 rows, photos has 100 images (sorted by path). Give paths: a parquet with path"
    )
    assert done.returncode == 1 and message in done.stderr
    label = [name.partition("/")[0] == "dark" for name in paths]
    write(tmp_path / "v.csv", paths, vectors, label=list(map(int, label)), bright=label)
    done = compare(made, tmp_path / "out", "--vectors", f"v={tmp_path}/v.csv")
    assert done.returncode == 0, done.stderr
    assert "Of v, the column label is no feature and was left out." in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--vectors", "{root}/v.npz"], 2, "needs NAME=FILE, got"),
        (["--vectors", "mine={root}/absent.npz"], 2, "does not exist"),
        (["--vectors", "a={root}/v.npz", "--vectors", "a={root}/v.npy"], 2, "each name once"),
        (["--vectors", "hog={root}/v.npz"], 1, "hog is a representation of imrep; call yours"),
        (["--vectors", "mine={root}/v.npz", "--ms", "mine=x"], 2, "'x' is not a valid"),
        (["--ms", "mine=3"], 1, "names of the vectors: none"),
    ],
)
def test_wrong_words_are_refused(compare, made, tmp_path, words, code, message):
    words = [word.format(root=made[1]) for word in words]
    done = compare(made, tmp_path / "out", *words)
    assert done.returncode == code and message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
