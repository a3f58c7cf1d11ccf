"""An object is taken wherever its name is: representations, modules, functions, pictures."""

import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import torch

import imrep
from imrep.embedding import peak_memory
from imrep.errors import BadData, BadParameter, UnknownName


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})


@pytest.fixture(scope="module")
def pictures():
    """Thirty-two arrays of two classes, one darker than the other."""
    rng = np.random.default_rng(0)
    mean = np.repeat([90, 160], 16)[:, None, None, None]
    found = np.clip(rng.normal(mean, 40, (32, 24, 24, 3)), 0, 255).astype(np.uint8)
    return found, ["dark"] * 16 + ["light"] * 16


@pytest.fixture
def paths(pictures, tmp_path):
    found = []
    for i, (picture, label) in enumerate(zip(*pictures, strict=True)):
        path = tmp_path / "data" / label / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(picture).save(path)
        found.append(path)
    return found


def mean_color(images):
    return images.mean((2, 3)).numpy()


def compare(data, specs, tmp_path, **more):
    return imrep.compare(data, specs, tmp_path / "out", size=24, **more)


def scores(found):
    probes = [row for row in found.rows if (row.kind, row.metric) == ("accuracy", "probe")]
    return {row.spec: row.value for row in probes if row.role != "control"}


def test_instances_modules_and_functions_join_specs(paths, tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5), torch.nn.Flatten())
    others = [imrep.get("dct"), "hog", torch.nn.Flatten(), torch.nn.Flatten(), net]
    found = compare(tmp_path / "data", [*others, mean_color], tmp_path)
    names = {"dct", "hog", "Flatten", "Flatten 2", "Sequential", "mean_color"}
    assert set(scores(found)) == names
    assert "passed as an object" in found.report.read_text()
    codes = tmp_path / "cache" / "codes"
    assert len(list(codes.iterdir())) == 2  # what two specs name is kept, the objects' is not


def test_use_it_is_shown_where_it_works(paths, tmp_path):
    assert compare(tmp_path / "data", [imrep.get("dct")], tmp_path).verdict["command"]
    assert not compare(tmp_path / "data", [mean_color], tmp_path).verdict["command"]


@pytest.mark.parametrize("kind", ["list of tensors", "array", "tensor", "pil", "paths", "floats"])
def test_pictures_in_memory_are_the_files(pictures, paths, tmp_path, kind):
    array, labels = pictures
    tensors = torch.from_numpy(array).permute(0, 3, 1, 2) / 255
    given = {
        "list of tensors": list(tensors),
        "tensor": tensors,
        "array": array,
        "floats": array / 255,
        "pil": [PIL.Image.fromarray(each) for each in array],
        "paths": paths,
    }[kind]
    found = compare((given, labels), ["pixels:side=4"], tmp_path)
    files = compare(tmp_path / "data", ["pixels:side=4"], tmp_path / "again")
    assert scores(found) == scores(files)
    assert not found.verdict["command"]  # nothing on disk to type


def test_labels_and_groups_as_objects(pictures, tmp_path):
    array, _ = pictures
    labels = np.repeat([0.0, 1.0], 16)
    labels[0] = np.nan
    groups = {f"{i:06}": f"session {i // 2}" for i in range(32)}
    found = compare((array, labels), ["pixels:side=4"], tmp_path, groups=groups)
    assert {row.detail for row in found.rows if row.metric == "class"} == {"0", "1"}
    assert found.rows[0].n == 31
    assert found.rows[0].groups == 16


def test_vectors_made_elsewhere(paths, tmp_path):
    vectors = imrep.Embedder("pixels:side=4", size=24).fit_transform(paths)
    order = np.random.default_rng(0).permutation(len(paths))
    shuffled = [paths[i] for i in order]
    every = {
        "pair": (shuffled, vectors[order]),
        "mapping": dict(zip(shuffled, vectors[order], strict=True)),
        "array": vectors,
        "tensor": torch.from_numpy(vectors),
    }
    found = compare(tmp_path / "data", ["pixels:side=4"], tmp_path, vectors=every, ms={"array": 2})
    assert len(set(scores(found).values())) == 1 and len(scores(found)) == 5
    times = {line["spec"]: line.get("ms") for line in found.table()}
    assert times["array"] == 2 and times["pair"] is None
    rows = [row for row in found.rows if row.spec == "pair"]
    assert {(row.role, row.fitted_on) for row in rows} == {("own", "outside")}


def test_vectors_of_images_in_memory_have_their_order(pictures, tmp_path):
    array, labels = pictures
    order = np.random.default_rng(0).permutation(len(array))
    some = [f"{i:02}.png" for i in order]
    for i, name in enumerate(some):
        PIL.Image.fromarray(array[i]).save(tmp_path / name)
    data = ([tmp_path / name for name in some], [labels[i] for i in order])
    means = array[order].mean((1, 2))
    found = compare(data, ["pixels:side=4"], tmp_path, vectors={"mine": means})
    assert scores(found)["mine"] > 0.9
    assert f"row 1 is taken for {tmp_path.as_posix()}/{some[0]}" in str(found.verdict["notes"])


def test_embedder_takes_modules_and_functions(paths):
    flat = imrep.Embedder(torch.nn.Flatten(), size=8).fit(paths)
    assert flat.transform(paths[:3]).shape == (3, 192)
    assert len(flat.get_feature_names_out()) == 192
    assert imrep.Embedder(mean_color).fit_transform(paths[:2]).shape == (2, 3)


def test_invert_and_match_take_instances(pictures):
    image = torch.from_numpy(pictures[0][:1]).permute(0, 3, 1, 2) / 255
    assert imrep.invert(image, imrep.get("dct")).image.shape == image.shape
    with pytest.raises(BadParameter):
        imrep.match(image, image, imrep.get("dct"))


def test_what_cannot_be_taken_is_refused_in_a_sentence(pictures, paths, tmp_path):
    array, labels = pictures
    for data, specs, error in (
        (tmp_path / "data", [3], BadParameter),
        (tmp_path / "data", [torch.nn.Flatten], BadParameter),
        (tmp_path / "data", [torch.nn.Identity()], BadData),
        (5, ["hog"], BadData),
        ((array, labels[1:]), ["hog"], BadData),
        ((array * 3.0, labels), ["hog"], BadData),
        (([], []), ["hog"], BadData),
        ((array[None], ["a"]), ["hog"], BadData),
        ((["no picture", 3], ["a", "b"]), ["hog"], BadData),
    ):
        with pytest.raises(error, match=r"needs .* got"):
            compare(data, specs, tmp_path)
    with pytest.raises(BadData, match="groups needs names"):
        compare(tmp_path / "data", ["hog"], tmp_path, groups={"nobody.png": "a"})
    with pytest.raises(BadParameter, match="Embedder needs"):
        imrep.Embedder(4).fit(paths)


def test_a_class_of_a_program_is_loaded_or_it_is_said_why_not(tmp_path):
    program = """if True:
        import imrep, sys, torch
        from imrep.codes import Vector
        class Mine(imrep.Representation):
            card = imrep.Card(title="Mine", family="own", cite="")
            def __init__(self, *, gain: int = 2):
                super().__init__()
                self.gain = gain
            def encode(self, image):
                return Vector(self.gain * image.mean((2, 3)))
        Mine(gain=3).save(sys.argv[1])
        print(imrep.load(sys.argv[1]).gain)
    """
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "mine"], capture_output=True)
    assert done.stdout.split() == [b"3"], done.stderr
    assert json.loads((tmp_path / "mine" / "config.json").read_text())["spec"] == "mine:gain=3"
    with pytest.raises(
        UnknownName, match=r"needs the class __main__\.Mine .* got none\. Define it"
    ):
        imrep.load(tmp_path / "mine")
