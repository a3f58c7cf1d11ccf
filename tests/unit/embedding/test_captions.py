"""Captions of a data set: broken files named, runs that were cut off resumed, draws by image."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from imrep import datasets
from imrep.embedding.captions import Captioner, Settings, captions


@dataclass
class Sentence:
    text: str
    score: float


class Means:
    """Captions that say how bright an image is; they count the calls."""

    spec, canvas = "means", 16

    def __init__(self, fingerprint="a"):
        self.fingerprint, self.images = fingerprint, 0

    def caption(self, image, *, count=1, beam=5, nucleus=0.0, official_quirk=False, seed=0):
        self.images += len(image)
        return [
            [
                Sentence(f"{each.mean():.3f} {seed if nucleus else ''}", -float(i))
                for i in range(count)
            ]
            for each in image
        ]


class CutError(Exception):
    """Ends a run, as a crash would."""


def silent(*_):
    """No progress."""


@pytest.fixture
def items(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        Image.fromarray(np.full((24, 24, 3), 10 * i, np.uint8)).save(folder / f"{i:02}.png")
    (folder / "07.png").write_bytes(b"no image")
    return datasets.find(folder).items


def test_the_protocol_is_met_by_a_method():
    assert isinstance(Means(), Captioner)
    assert not isinstance(object(), Captioner)


def test_every_image_has_its_captions_or_a_reason(items):
    written = captions(Means(), items, Settings(count=2), silent)
    assert [each.path for each in written] == [item.path for item in items]
    for i, each in enumerate(written):
        if i == 7:
            assert each.reason and not each.captions
        else:
            assert [text.strip() for text, _ in each.captions] == [f"{10 * i / 255:.3f}"] * 2
            assert [score for _, score in each.captions] == [0, -1]


@pytest.mark.parametrize("nucleus", [0.0, 0.9])
def test_a_run_that_was_cut_off_resumes(items, tmp_path, nucleus):
    journal, settings = tmp_path / "journal", Settings(nucleus=nucleus)

    def cut(what, done, total):
        if done >= 8:
            raise CutError

    with pytest.raises(CutError):
        captions(Means(), items, settings, cut, journal)
    with journal.open("a") as file:
        file.write('{"path": "cut o')  # a line that was not written to its end
    rep = Means()
    resumed = captions(rep, items, settings, silent, journal)
    assert resumed == captions(Means(), items, settings, silent)
    assert rep.images == 12


@pytest.mark.parametrize("change", ["representation", "settings", "images"])
def test_another_run_starts_over(items, tmp_path, change):
    journal, settings, rep = tmp_path / "journal", Settings(), Means()
    captions(Means(), items, settings, silent, journal)
    if change == "representation":
        rep = Means("b")
    elif change == "settings":
        settings = replace(settings, count=2)
    else:
        items = items[1:]
    captions(rep, items, settings, silent, journal)
    assert rep.images == len(items) - 1
