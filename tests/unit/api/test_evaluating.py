"""`imrep.evaluate`: every task on images and texts whose answers are known."""

import csv

import numpy as np
import pytest
from PIL import Image
from tiny_bilingual import Tiny, write_photos

import imrep
from imrep.errors import BadData, BadParameter


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six squares of each of three colours."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return write_photos(tmp_path / "photos", 6)


@pytest.fixture
def captions(photos):
    """A csv with two captions for one image of each colour."""
    path = photos / "captions.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "caption"])
        for name in ("red", "green", "blue"):
            table.writerow([f"{name}/{name[0]}0.png", f"a {name} square"])
            table.writerow([f"{name}/{name[0]}0.png", f"it is {name}"])
    return path


def test_zeroshot_by_the_names_of_the_classes(photos):
    figures = imrep.evaluate(Tiny(), photos, task="zeroshot")
    assert figures["top-1"].value == 1 and len(figures) == 1 and figures.data == "photos"
    assert "Figures(tinycolours on photos: top-1 100 %" in repr(figures)
    for i, name in enumerate(("red", "green", "blue")):
        (photos / name).rename(photos / str(i))
    figures = imrep.evaluate(Tiny(), photos, task="zeroshot")
    assert figures.notes == (
        "Classes whose names say nothing (0, 1, 2): their accuracy is chance.",
    )


def test_retrieval_with_several_captions_an_image(captions):
    figures = imrep.evaluate(Tiny(), captions, task="retrieval")
    assert figures["image → text R@1"].value == figures["text → image R@1"].value == 1
    assert figures["text → image R@1"].chance == pytest.approx(1 / 3)
    assert figures["image → text R@1"].chance == pytest.approx(1 / 3)  # two of six
    with captions.open("a") as file:
        file.write("red/r1.png,a red square\nred/r2.png,a red square\n")
    figures = imrep.evaluate(Tiny(), captions, task="retrieval")
    assert figures["text → image R@1"].value < 1
    assert any(
        note.startswith("2 captions are those of another image too") for note in figures.notes
    )


def test_a_probe_of_classes_needs_no_text(photos):
    figures = imrep.evaluate("pixels:side=1", photos, task="probe")
    assert figures["linear probe"].value == 1 and figures["linear probe"].n == 18


def test_a_probe_of_several_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    rng, lines = np.random.default_rng(0), ["path,labels"]
    for i in range(40):
        bits = rng.random(2) < 0.5
        pixels = np.full((8, 8, 3), 40, np.uint8)
        pixels[..., 0] += np.uint8(150 * bits[0])
        pixels[..., 1] += np.uint8(150 * bits[1])
        Image.fromarray(pixels).save(tmp_path / f"{i:02}.png")
        lines.append(f"{i:02}.png,{'|'.join(np.array(['warm', 'cool'])[bits])}")
    (tmp_path / "tags.csv").write_text("\n".join(lines) + "\n")
    figures = imrep.evaluate("pixels:side=1", tmp_path / "tags.csv", task="probe")
    assert figures["VOC-style mAP"].value > 0.95


def test_captions_that_a_representation_writes(captions):
    (captions.parent / "green" / "g0.png").unlink()
    figures = imrep.evaluate(Tiny(), captions, task="caption")
    assert figures["exact match"].value == 1 and figures["CIDEr-D"].unit == "score"
    assert dict(figures.captions) == {"red/r0.png": "a red square", "blue/b0.png": "a blue square"}
    assert [path for path, _ in figures.skipped] == ["green/g0.png"]


def test_captions_of_a_run_that_was_cut_off_are_not_written_again(captions):
    written = []

    class Counting(Tiny):
        def caption(self, image, **settings):
            written.append(len(image))
            return super().caption(image, **settings)

    def stop(phrase, done, count):
        if sum(written) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imrep.evaluate(Counting(), captions, task="caption", size=None, progress=stop)
    figures = imrep.evaluate(Counting(), captions, task="caption", size=None)
    assert sum(written) == 3 and len(figures.captions) == 3


@pytest.mark.parametrize(
    ("spec", "task", "error", "message"),
    [
        ("pixels", "zeroshot", BadParameter, "embeds text, got pixels"),
        ("pixels", "caption", BadParameter, "writes captions, got pixels"),
        ("pixels", "probes", BadParameter, "Did you mean 'probe'"),
    ],
)
def test_what_lacks_the_ability_is_refused(photos, spec, task, error, message):
    with pytest.raises(error, match=message):
        imrep.evaluate(spec, photos, task=task)


def test_data_without_what_the_task_needs_are_refused(photos):
    with pytest.raises(BadData, match="needs captions, got none"):
        imrep.evaluate(Tiny(), photos, task="retrieval")
    with pytest.raises(BadData, match="two classes or more"):
        imrep.evaluate(Tiny(), photos / "red", task="zeroshot")
    with pytest.raises(BadData, match="captions from a file or a folder"):
        imrep.evaluate(Tiny(), np.zeros((2, 4, 4, 3)), task="caption")
