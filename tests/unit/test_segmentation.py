"""Images segmented into a folder: masks of their size, areas, runs that are cut off."""

import csv

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from imrep import datasets, segmentation
from imrep.datasets import masks
from imrep.errors import BadData
from imrep.segmentation import mask_of, segment_folder


class Brightness:
    """Class 2 where the image is bright, 1 where it is not, never 0; it notes what it sees."""

    spec, fingerprint = "brightness", "0123"
    labels, colours = ("none", "dark", "bright"), ((9, 9, 9), (0, 60, 0), (250, 240, 0))

    def __init__(self, trained_side=None):
        self.trained_side, self.sizes = trained_side, []

    def segment(self, image):
        self.sizes.append(tuple(image.shape[2:]))
        mean = image.mean(1, keepdim=True)
        return torch.cat([torch.full_like(mean, -1), 0.5 - mean, mean - 0.5], 1)


@pytest.fixture
def folder(tmp_path):
    """Images whose right third is bright, one in a folder of its own, one broken."""
    (tmp_path / "photos" / "b").mkdir(parents=True)
    for name, (height, width) in {
        "a.png": (40, 60),
        "b/a.jpg": (33, 48),
        "c.png": (20, 30),
    }.items():
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, 2 * width // 3 :] = 255
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return tmp_path / "photos"


def items(folder):
    return datasets.find(folder).items


def test_masks_overlays_and_tables(folder, tmp_path):
    result = segment_folder(items(folder), Brightness(), tmp_path / "out")
    assert [each.path for each in result.areas] == ["a.png", "b/a.jpg", "c.png"]
    assert result.areas[0].shares == pytest.approx((0, 2 / 3, 1 / 3))
    assert [path for path, _ in result.skipped] == ["broken.png"]
    assert (tmp_path / "out.skipped.csv").read_text().count("\n") == 2
    mask = Image.open(tmp_path / "out" / "masks" / "b" / "a.png")
    assert mask.mode == "P" and mask.size == (48, 33)
    assert mask.getpalette()[:9] == [9, 9, 9, 0, 60, 0, 250, 240, 0]
    overlay = np.asarray(Image.open(tmp_path / "out" / "overlays" / "a.png"))
    assert overlay.shape == (40, 60, 3) and tuple(overlay[5, 5]) == (0, 33, 0)
    with (tmp_path / "out" / "areas.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[2] == {"path": "c.png", "none": "0.000000", "dark": "0.666667",
                       "bright": "0.333333"}  # fmt: skip


def test_what_it_writes_is_read_as_masks(folder, tmp_path):
    segment_folder(items(folder), Brightness(), tmp_path / "set")
    (folder / "broken.png").unlink()
    folder.rename(tmp_path / "set" / "images")
    own = masks.find(str(tmp_path / "set")).annotations
    assert own.classes.names == Brightness.labels and own.classes.rgb == Brightness.colours
    assert (own.of("images/a.png").read()[:, 41:] == 2).all()


@pytest.mark.parametrize(
    ("trained", "side", "sizes"),
    [
        (None, None, [(40, 60), (33, 48), (20, 30)]),
        (10, None, [(10, 15), (10, 15), (10, 15)]),
        (10, 80, [(80, 120), (80, 116), (80, 120)]),
        (10, 0, [(40, 60), (33, 48), (20, 30)]),
    ],
)
def test_the_network_sees_the_size_of_its_training(folder, tmp_path, trained, side, sizes):
    rep = Brightness(trained)
    segment_folder(items(folder), rep, tmp_path / "out", side=side)
    assert rep.sizes == sizes


def test_long_images_are_bounded_by_their_long_side():
    rep = Brightness(32)
    assert mask_of(rep, torch.rand(1, 3, 10, 4000)).shape == (10, 4000)
    assert rep.sizes == [(1, 128)]


@pytest.mark.parametrize("side", [7, 24, 61])
def test_scores_are_enlarged_as_torch_does(monkeypatch, side):
    """In strips of a few rows, by bilinear interpolation."""
    rep, image = Brightness(), torch.rand(1, 3, 45, 30)
    monkeypatch.setattr(segmentation, "_STRIP", 3 * 30 * 4)
    rep.segment = lambda image: torch.rand(
        1, 3, *image.shape[2:], generator=torch.Generator().manual_seed(0)
    )
    scores = rep.segment(torch.zeros(1, 3, round(side * 1.5), side))
    expected = F.interpolate(scores, (45, 30), mode="bilinear", align_corners=False).argmax(1)[0]
    assert (mask_of(rep, image, side) == expected.numpy()).mean() > 0.999


def test_an_interrupted_run_continues(folder, tmp_path):
    class Cut(Brightness):
        def segment(self, image):
            if len(self.sizes) == 2:
                raise KeyboardInterrupt
            return super().segment(image)

    with pytest.raises(KeyboardInterrupt):
        segment_folder(items(folder), Cut(), tmp_path / "out")
    rep = Brightness()
    result = segment_folder(items(folder), rep, tmp_path / "out")
    assert rep.sizes == [(20, 30)] and result.resumed == 3  # two images and a broken file
    whole = segment_folder(items(folder), Brightness(), tmp_path / "whole")
    assert result.areas == whole.areas
    names = sorted(p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*"))
    assert names == sorted(
        p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*")
    )
    again = segment_folder(items(folder), Brightness(), tmp_path / "out")
    assert again.resumed == 0


def test_another_run_is_not_continued(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".imrep").write_text("{}")
    (tmp_path / "out" / ".segmented.jsonl").write_text('"another key"\n["a.png", [0, 0, 1]]\n')
    assert segment_folder(items(folder), Brightness(), tmp_path / "out").resumed == 0


def test_names_that_differ_in_their_suffix_have_files_of_their_own(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "a.tif"):
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name)
    segment_folder(items(tmp_path / "photos"), Brightness(), tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out" / "masks").iterdir())
    assert names == ["a.png.png", "a.tif.png"]


def test_nothing_readable_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(BadData, match=r"segment needs images that can be read, got none: a\.png"):
        segment_folder(items(tmp_path / "a.png"), Brightness(), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(BadData, match="segment needs a folder of its own"):
        segment_folder(items(tmp_path / "a.png"), Brightness(), tmp_path / "full")


def test_many_classes_are_written_in_sixteen_bits(tmp_path):
    mask = np.array([[0, 299]])
    data = segmentation._encoded(mask, [(0, 0, 0)] * 300)
    (tmp_path / "a.png").write_bytes(data)
    assert np.asarray(Image.open(tmp_path / "a.png")).tolist() == [[0, 299]]
