"""Whatever is given to a public call that it cannot take is refused in one line of imrep's own."""

import click
import numpy as np
import pytest
import torch
from PIL import Image

import imrep
from imrep.errors import ImrepError, short_repr

ODD = {
    "None": None, "a number": 3, "a list": [], "a dictionary": {}, "a function": len,
    "an object": object(), "a class": dict, "NaN": float("nan"), "bytes": b"x",
    "an array": np.zeros((8, 8, 3)), "a tensor": torch.zeros(1, 1, 3, 8, 8),
    "a picture": Image.new("RGB", (8, 8)), "a module": torch.nn.Flatten(), "a big number": 10**9,
}  # fmt: skip
IMAGE = torch.rand(1, 3, 16, 16)
CALLS = {
    "read": lambda odd, _: imrep.read(odd),
    "card": lambda odd, _: imrep.card(odd),
    "load": lambda odd, _: imrep.load(odd),
    "write's path": lambda odd, _: imrep.write(odd, IMAGE),
    "write's picture": lambda odd, folder: imrep.write(folder / "x.png", odd),
    "save": lambda odd, _: imrep.get("pixels").save(odd),
    "a parameter": lambda odd, _: imrep.get("hog", cell=odd),
    "apply_edits": lambda odd, _: imrep.apply_edits(IMAGE, odd),
    "invert": lambda odd, _: imrep.invert(odd, "pixels"),
    "match": lambda odd, _: imrep.match(IMAGE, odd),
    "embed's data": lambda odd, _: imrep.embed(odd, "pixels", size=8),
    "embed's representation": lambda odd, _: imrep.embed([IMAGE], odd, size=8),
    "picture": lambda odd, _: imrep.picture(odd, "pixels"),
    "picture's representation": lambda odd, _: imrep.picture(IMAGE, odd),
    "Embedder's pictures": lambda odd, _: imrep.Embedder("pixels").fit(odd),
    "Embedder's size": lambda odd, _: imrep.Embedder("pixels", size=odd).fit(list(IMAGE)),
    "Embedder's batch": lambda odd, _: imrep.Embedder("pixels", batch=odd).fit(list(IMAGE)),
}
TAKEN = {
    ("embed's data", "an array"), ("embed's data", "a tensor"),
    ("embed's representation", "a module"), ("picture's representation", "a module"),
    ("read", "a picture"), ("a parameter", "a number"), ("Embedder's size", "None"),
    ("Embedder's size", "a number"), ("Embedder's batch", "a number"),
    ("Embedder's pictures", "an array"), ("Embedder's pictures", "a tensor"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_taken_or_refused_in_one_line(call, odd, tmp_path):
    if (call, odd) in TAKEN:
        CALLS[call](ODD[odd], tmp_path)
        return
    with pytest.raises(ImrepError) as caught:
        CALLS[call](ODD[odd], tmp_path)
    said = str(caught.value)
    assert "\n" not in said and len(said) < 250 and said[-1] in ".)"


def test_save_needs_a_name():
    with pytest.raises(ImrepError, match=r"needs a folder, got ''"):
        imrep.get("pixels").save("")


@pytest.mark.parametrize("value", ["x" * 300, [1] * 300, np.zeros((9, 9, 9)), object()])
def test_a_value_in_a_message_is_short(value):
    assert len(short_repr(value)) < 100 and "\n" not in short_repr(value)


class TestCompare:
    """`imrep.compare` with what a notebook holds."""

    @pytest.mark.parametrize("odd", [
        {"vectors": "v.parquet"}, {"vectors": {"mine": np.ones((4, 2))}},
        {"vectors": {"mine": (np.ones((4, 2)), ["a"] * 4)}}, {"vectors": {"mine": (["a"], ["b"])}},
        {"groups": 5}, {"groups": [1, 2]}, {"groups": "nothing.csv"}, {"same_object": 5},
        {"sizes": 32}, {"sizes": "32"}, {"sizes": ["a"]}, {"size": None}, {"size": "x"},
        {"margin": "x"}, {"margin": -1}, {"seed": -1}, {"seed": 1.5}, {"max_images": "x"},
        {"threads": 0}, {"threads": "x"}, {"out": None}, {"out": 5}, {"max_pixels": "x"},
    ])  # fmt: skip
    def test_an_odd_option_is_refused_before_the_work(self, odd, tmp_path):
        pictures = list(np.random.default_rng(0).random((4, 8, 8, 3)))
        arguments = {"out": tmp_path / "r", "size": 8} | odd
        with pytest.raises(ImrepError) as caught:
            imrep.compare((pictures, list("abab")), ["pixels:side=2"], **arguments)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 250
        assert not (tmp_path / "r").exists()

    @pytest.mark.parametrize("pictures", [
        np.full((4, 8, 8, 3), 200.0), np.full((4, 8, 8, 3), np.nan), np.ones((4, 3, 8, 9)),
        np.ones((4, 8, 8, 3), complex), [np.ones(3)] * 4, [None] * 4, [],
    ])  # fmt: skip
    def test_odd_pictures_come_with_a_remedy(self, pictures, tmp_path):
        with pytest.raises(ImrepError) as caught:
            imrep.compare((pictures, list("abab")), ["pixels:side=2"], tmp_path / "r", size=8)
        assert "compare needs" in str(caught.value)

    def test_one_label_a_picture(self, tmp_path):
        pictures = np.ones((4, 8, 8, 3), np.uint8)
        with pytest.raises(ImrepError, match="one list of labels for each picture"):
            imrep.compare((list(pictures), np.full((4, 2), 3)), ["pixels:side=2"], tmp_path / "r")


def folder_of(tmp_path, kinds="ab", number=3):
    noise = np.random.default_rng(0)
    for kind in kinds:
        for place in range(number):
            path = tmp_path / "d" / kind / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise.integers(0, 255, (8, 8, 3), np.uint8)).save(path)
    return sorted((tmp_path / "d").rglob("*.png"))


def test_a_list_of_paths_has_the_labels_of_its_folders(tmp_path):
    paths = folder_of(tmp_path)
    found = imrep.compare(paths, ["pixels:side=2"], tmp_path / "r", size=8)
    assert found.rows[0].classes == 2


def test_groups_in_a_csv_hold_for_pictures_in_memory_too(tmp_path):
    pictures = [Image.open(path) for path in folder_of(tmp_path)]
    (tmp_path / "g.csv").write_text("path,group\n000000,x\n000001,x\nelsewhere,y\n")
    for given in (tmp_path / "g.csv", {"000000": "x", "000001": "x", "elsewhere": "y"}):
        found = imrep.compare(
            (pictures, list("aaabbb")), ["pixels:side=2"], tmp_path / "r", size=8, groups=given
        )
        assert found.rows[0].groups == 5
        said = [note["text"] for note in found.verdict["notes"]]
        assert any("1 path of groups not in the data: elsewhere" in text for text in said)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_of_pillows_lies_as_its_file_does(tmp_path, orientation):
    from imrep import images
    from imrep.datasets import in_memory

    exif = Image.Exif()
    exif[0x112] = orientation
    noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.jpg", exif=exif)
    (item,) = in_memory.dataset([Image.open(tmp_path / "x.jpg")]).items
    expected, _ = images.square(tmp_path / "x.jpg", None)
    assert (images.square(item.read(), None)[0] == expected).all()


@pytest.mark.parametrize("mode", ["La", "RGBa", "HSV", "CMYK", "I;16", "P", "LA", "1"])
def test_a_picture_of_any_mode_is_what_read_makes_of_it(mode):
    from imrep import images
    from imrep.datasets import in_memory

    gray = np.random.default_rng(0).integers(0, 65535, (6, 6), np.uint16)
    plain = Image.fromarray(gray) if mode == "I;16" else Image.fromarray((gray // 257).astype("u1"))
    steps = {"La": ["LA", "La"], "RGBa": ["RGBA", "RGBa"], "I;16": []}.get(mode, ["RGB", mode])
    for step in steps:
        plain = plain.convert(step)
    (item,) = in_memory.dataset([plain]).items
    assert (images.square(item.read(), None)[0] == images.square(plain, None)[0]).all()


@pytest.mark.parametrize("command", [("embed", "x.png", "pixels"), ("edit", "x.png", "blur")])
def test_a_dash_is_no_output(command, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from imrep.cli import main

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("x.png")
    done = CliRunner().invoke(main, [*command, "-o", "-"])
    assert done.exit_code == 2 and "an output needs a name, got '-'" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_a_name_longer_than_the_terminal_has_a_line_of_its_own(monkeypatch, capsys):
    from types import SimpleNamespace

    from imrep.cli import compare

    roles = {"role": "contender"}
    lines = [{"spec": "hog", "ms": 1.0} | roles, {"spec": "x" * 90, "ms": 2.0} | roles]
    found = SimpleNamespace(table=lambda: lines, verdict={"equals": []}, pick="hog", rows=())
    monkeypatch.setattr(compare.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    compare._table(found)
    printed = click.unstyle(capsys.readouterr().out).splitlines()
    assert printed[2].strip() == "x" * 90
    assert printed[3].strip() == "2.000" and len(printed[3]) == len(printed[0])
