"""The sample that a representation is fitted on."""

import json

import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import imrep
from imrep import datasets
from imrep.embedding import fitting
from imrep.embedding.checkpoints import WorkFolder
from imrep.embedding.shards import Settings
from imrep.errors import BadData


@given(st.integers(1, 9000), st.integers(0, 5))
def test_the_sample_has_no_image_twice_and_keeps_their_order(count, seed):
    rows = fitting.sample(count, seed)
    assert len(rows) == min(count, 3000)
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0 and rows[-1] < count
    np.testing.assert_array_equal(rows, fitting.sample(count, seed))


def test_another_seed_samples_other_images():
    assert not np.array_equal(fitting.sample(9000, 0), fitting.sample(9000, 1))


def settings(**more):
    return Settings(size=16, batch=4, shard=100, **more)


@pytest.fixture
def items(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(9):
        pixels = rng.integers(0, 256, (24, 24, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{i}.png")
    (folder / "4.png").write_bytes(b"no image")
    return datasets.find(str(folder)).items


def test_fitting_takes_the_readable_images_and_says_how_many(items):
    rep, steps = imrep.get("sift:words=4"), []
    count = fitting.fit(rep, items, settings(), progress=lambda *step: steps.append(step))
    assert count == 8 and not rep.needs_fit
    assert steps[-1] == ("fitting sift", 8, 9)


def test_a_folder_without_images_cannot_be_fitted_on(items):
    rep = imrep.get("sift:words=4")
    with pytest.raises(BadData, match="none of the 1 files could be read as an image; nothing to"):
        fitting.fit(rep, [items[4]], settings())


def test_what_an_earlier_run_fitted_is_loaded(tmp_path, items, monkeypatch):
    def silent(step, done, total):
        """No progress."""

    with WorkFolder(tmp_path / "out.npz", {"a": 1}) as work:
        first = imrep.get("sift:words=4")
        assert fitting.fit_once(first, items, work, settings(), 0, silent) == 8
        monkeypatch.setattr(fitting, "fit", lambda *_: pytest.fail("fitted again"))
        again = imrep.get("sift:words=4")
        assert fitting.fit_once(again, items, work, settings(), 0, silent) == 8
        for name, tensor in first.state_dict().items():
            assert torch.equal(tensor, again.state_dict()[name])
        summary = json.loads((fitting.folder(work) / fitting.SUMMARY).read_text())
        assert summary == {"images": 8, "size": 16, "seed": 0}


def test_what_needs_no_fit_is_left_alone(tmp_path, items):
    with WorkFolder(tmp_path / "out.npz", {"a": 1}) as work:
        rep = imrep.get("hog")
        assert fitting.fit_once(rep, items, work, settings(), 0, lambda *_: None) == 0
        assert not fitting.folder(work).exists()
