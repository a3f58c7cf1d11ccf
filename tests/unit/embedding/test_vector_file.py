"""A data set becomes one file of vectors: whole, in order, resumable, with what was skipped."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from imrep import datasets, factory, images
from imrep.base import Fitted
from imrep.codes import Map, Vector
from imrep.embedding import fitting, vector_file
from imrep.embedding.checkpoints import WorkFolder
from imrep.embedding.vector_file import Settings
from imrep.errors import BadData, BadImage, BadParameter
from imrep.images import canvas
from imrep.registry.cards import Card

SMALL = Settings(size=16, batch=3, shard=5, threads=1)


class Stop(Exception):
    """Stands for a kill."""


class Means(Fitted[Map]):
    """Channel means from which those of the images it was fitted on are taken."""

    card = Card(title="Means", family="test", cite="")

    def __init__(self):
        super().__init__()
        self.register_buffer("centre", torch.full((3,), torch.nan))
        self.fits = []

    @property
    def fitted(self):
        return not bool(self.centre.isnan().any())

    @property
    def spec(self):
        return "means"

    def encode(self, image):
        return Map(image, tuple(image.shape[2:]))

    def fit_codes(self, codes):
        self.fits.append(sum(len(code) for code in codes))
        self.centre.copy_(torch.cat([c.values.mean((2, 3)) for c in codes]).mean(0))

    def pool(self, code):
        self._need_fit()
        return code.values.mean((2, 3)) - self.centre


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures of two classes, the fourth of them broken."""
    rng = np.random.default_rng(0)
    root = tmp_path / "photos"
    for i in range(12):
        path = root / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 + i, 30, 3), np.uint8)).save(path)
    (root / "b" / "03.png").write_bytes((root / "b" / "03.png").read_bytes()[:60])
    return root


def items_of(folder):
    return datasets.find(folder).items


def expected(items, rep, size=16):
    rows = [i for i, item in enumerate(items) if not item.path.endswith("03.png")]
    squares = np.stack([images.square(items[i].read(), size)[0] for i in rows])
    batch = torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255
    return [items[i].path for i in rows], rep.embed(batch).numpy()


def test_vectors_are_those_of_the_images_in_order(folder, tmp_path):
    items, rep = items_of(folder), factory.get("pixels", side=4)
    written = vector_file.embed(items, rep, tmp_path / "out" / "v.npz", SMALL)
    paths, vectors = expected(items, rep)
    with np.load(written.path) as file:
        np.testing.assert_array_equal(file["paths"], paths)
        np.testing.assert_array_equal(file["labels"], [path[0] for path in paths])
        np.testing.assert_allclose(file["vectors"], vectors, atol=1e-6)
        assert file["vectors"].dtype == np.float32
        assert (str(file["spec"]), str(file["size"])) == ("pixels:side=4", "16")
        assert str(file["fingerprint"]) == rep.fingerprint
    assert (written.rows, written.dim, written.resumed) == (11, 48, 0)


def test_what_was_skipped_is_named_with_its_reason(folder, tmp_path):
    written = vector_file.embed(items_of(folder), factory.get("pixels"), tmp_path / "v.npz", SMALL)
    with (tmp_path / "v.npz.skipped.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert line == dict(zip(("path", "reason"), written.skipped[0], strict=True))
    assert line["path"] == "b/03.png"
    assert len(line["reason"]) > 10


def test_a_clean_run_removes_the_list_of_an_earlier_one(folder, tmp_path):
    out, rep = tmp_path / "v.npz", factory.get("pixels")
    vector_file.embed(items_of(folder), rep, out, SMALL)
    (folder / "b" / "03.png").unlink()
    assert vector_file.embed(items_of(folder), rep, out, SMALL).skipped_path is None
    assert not (tmp_path / "v.npz.skipped.csv").exists()


def test_nothing_but_the_results_is_left(folder, tmp_path):
    vector_file.embed(items_of(folder), Means(), tmp_path / "out" / "v.npz", SMALL)
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["v.npz", "v.npz.rep", "v.npz.skipped.csv"]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".safetensors"])
@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_an_interrupted_run_ends_with_the_same_bytes(folder, tmp_path, suffix, after):
    items, rep = items_of(folder), factory.get("pixels", side=4)
    whole = vector_file.embed(items, rep, tmp_path / "a" / f"v{suffix}", SMALL)
    calls = []

    def kill(*_):
        calls.append(1)
        if len(calls) > after:
            raise Stop

    out = tmp_path / "b" / f"v{suffix}"
    with pytest.raises(Stop):
        vector_file.embed(items, rep, out, SMALL, kill)
    assert not out.exists()
    again = vector_file.embed(items, rep, out, SMALL)
    assert again.resumed == after // 2 * 5  # a shard of five is two batches of three
    assert out.read_bytes() == whole.path.read_bytes()
    assert again.skipped == whole.skipped


def test_assumptions_before_an_interruption_are_reported(tmp_path):
    Image.fromarray(np.full((20, 20), 0.5, np.float32)).save(tmp_path / "00.tif")
    for i in range(1, 11):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{i:02}.png")
    items = items_of(tmp_path)
    with pytest.raises(Stop):
        vector_file.embed(items, factory.get("pixels"), tmp_path / "v.npz", SMALL, stop_at(7))
    with images.noting() as notes:
        again = vector_file.embed(items, factory.get("pixels"), tmp_path / "v.npz", SMALL)
    assert again.resumed == 5
    assert [note for note in notes if "0 as black and 1 as white" in note]


def test_finished_shards_are_not_read_again(folder, tmp_path, monkeypatch):
    items, rep = items_of(folder), factory.get("pixels")
    with pytest.raises(Stop):
        vector_file.embed(items, rep, tmp_path / "v.npz", SMALL, stop_at(7))
    read = []
    monkeypatch.setattr(
        datasets.Item, "read", lambda item: read.append(item.path) or item.source.read()
    )
    vector_file.embed(items, rep, tmp_path / "v.npz", SMALL)
    assert read == [item.path for item in items[5:]]


def stop_at(reached):
    def progress(_, done, __):
        if done >= reached:
            raise Stop

    return progress


@pytest.mark.parametrize("change", ["spec", "size", "images", "file"])
def test_the_shards_of_another_run_are_thrown_away(folder, tmp_path, change):
    rep, settings, out = factory.get("pixels", side=4), SMALL, tmp_path / "v.npz"
    with pytest.raises(Stop):
        vector_file.embed(items_of(folder), rep, out, settings, stop_at(7))
    if change == "spec":
        rep = factory.get("pixels", side=5)
    elif change == "size":
        settings = Settings(size=8, batch=3, shard=5, threads=1)
    elif change == "images":
        (folder / "a" / "00.png").unlink()
    else:
        Image.new("RGB", (9, 9), "red").save(folder / "a" / "00.png")
    again = vector_file.embed(items_of(folder), rep, out, settings)
    assert again.resumed == 0
    with np.load(out) as file:
        np.testing.assert_allclose(
            file["vectors"], expected(items_of(folder), rep, settings.size)[1], atol=1e-6
        )


def test_a_codebook_is_fitted_once_and_saved(folder, tmp_path):
    items, rep, out = items_of(folder), Means(), tmp_path / "v.npz"
    with pytest.raises(Stop):
        vector_file.embed(items, rep, out, SMALL, fail_when_encoding)
    assert rep.fits == [11]
    later = Means()
    written = vector_file.embed(items, later, out, SMALL)
    assert later.fits == []
    assert written.fitted_on == 11
    assert written.fitted_path == tmp_path / "v.npz.rep"
    loaded = Means()
    loaded.load_weights(written.fitted_path)
    torch.testing.assert_close(loaded.centre, rep.centre)
    with np.load(out) as file:
        np.testing.assert_allclose(file["vectors"].mean(0), 0, atol=1e-5)
        assert str(file["fingerprint"]) == loaded.fingerprint


def fail_when_encoding(what, *_):
    if what == "means":
        raise Stop


def test_a_codebook_is_fitted_on_at_most_three_thousand(folder, monkeypatch):
    monkeypatch.setattr(fitting, "_MAX_IMAGES", 4)
    items = items_of(folder)
    reps = [Means(), Means(), Means()]
    seeds = (0, 0, 1)
    for rep, seed in zip(reps, seeds, strict=True):
        assert fitting.fit(rep, items, Settings(size=16), seed) in (3, 4)
    assert torch.equal(reps[0].centre, reps[1].centre)
    assert not torch.equal(reps[0].centre, reps[2].centre)


def test_native_sizes_give_vectors_of_one_length(folder, tmp_path):
    rep = factory.get("pixels", side=4)
    native = Settings(size=None, batch=3, shard=5, threads=1)
    written = vector_file.embed(items_of(folder), rep, tmp_path / "v.npz", native)
    with np.load(written.path) as file:
        assert file["vectors"].shape == (11, 48)
        assert str(file["size"]) == "native"


class Picky(Means):
    """Refuses small images."""

    def __init__(self):
        super().__init__()
        self.centre.zero_()

    def encode(self, image):
        if image.shape[2] < 25:
            raise BadImage(f"picky needs 25 rows, got {image.shape[2]}. Enlarge them.")
        return Vector(image.mean((2, 3)))

    def pool(self, code):
        return code.values


def test_what_the_representation_refuses_is_skipped_with_its_words(folder, tmp_path):
    native = Settings(size=None, batch=3, shard=5, threads=1)
    written = vector_file.embed(items_of(folder), Picky(), tmp_path / "v.npz", native)
    reasons = dict(written.skipped)
    assert reasons["a/00.png"] == "picky needs 25 rows, got 20. Enlarge them."
    assert written.rows == 12 - len(reasons) == 7
    with np.load(written.path) as file:
        assert not set(file["paths"]) & set(reasons)


def test_numbers_that_are_not_finite_are_skipped(folder, tmp_path):
    rep = Picky()
    rep.encode = lambda image: Vector(image.mean((2, 3)) / 0)
    with pytest.raises(BadData, match=r"v\.npz\.skipped\.csv says why"):
        vector_file.embed(items_of(folder), rep, tmp_path / "v.npz", SMALL)
    assert "not finite" in (tmp_path / "v.npz.skipped.csv").read_text()


def test_not_one_image_is_an_error(tmp_path):
    broken = tmp_path / "photos"
    broken.mkdir()
    (broken / "a.png").write_bytes(b"\x89PNG")
    items = items_of(broken)
    with pytest.raises(BadData, match="none of the 1 files"):
        vector_file.embed(items, factory.get("pixels"), tmp_path / "v.npz", SMALL)
    with pytest.raises(BadData, match="nothing to fit on"):
        vector_file.embed(items, Means(), tmp_path / "w.npz", SMALL)


def test_an_unknown_suffix_is_refused_before_any_work(folder, tmp_path):
    with pytest.raises(BadParameter, match=r"got 'v.csv'. Try v.parquet."):
        vector_file.embed(items_of(folder), factory.get("pixels"), tmp_path / "v.csv", SMALL)
    assert not list(tmp_path.glob("v*"))


def test_progress_ends_at_the_end(folder, tmp_path):
    seen = []
    vector_file.embed(
        items_of(folder), Means(), tmp_path / "v.npz", SMALL, lambda *said: seen.append(said)
    )
    assert seen[-1] == ("means · 1 skipped", 12, 12)
    assert seen[0][0].startswith("fitting")


def test_a_draft_that_a_kill_left_is_no_shard(tmp_path):
    with WorkFolder(tmp_path / "v.npz", {"run": 1}) as work:
        (work.path / "draft.1.000000.npz").write_bytes(b"half")
        assert work.count() == 0
        assert json.loads((work.path / "key.json").read_text())["key"] == {"run": 1}
        work.discard()
    assert not list(tmp_path.iterdir())


class TestTogether:
    SPECS = ("pixels:side=2", "hog:cell=4", "means")

    def outputs(self, folder):
        reps = [Means() if spec == "means" else factory.get(spec) for spec in self.SPECS]
        return [(rep, folder / f"{i}.npz") for i, rep in enumerate(reps)]

    def test_each_file_is_that_of_a_run_of_its_own(self, folder, tmp_path):
        items = items_of(folder)
        written = vector_file.embed_together(items, self.outputs(tmp_path / "all"), SMALL)
        for (rep, out), made in zip(self.outputs(tmp_path / "own"), written, strict=True):
            own = vector_file.embed(items, rep, out, SMALL)
            assert out.read_bytes() == made.path.read_bytes()
            assert (made.rows, made.skipped, made.fitted_on) == (
                own.rows,
                own.skipped,
                own.fitted_on,
            )

    def test_every_file_is_decoded_once(self, folder, tmp_path, monkeypatch):
        decoded = []
        square = canvas.square
        monkeypatch.setattr(canvas, "square", lambda *a, **k: decoded.append(1) or square(*a, **k))
        items = items_of(folder)
        vector_file.embed_together(items, self.outputs(tmp_path)[:2], SMALL)
        assert len(decoded) == len(items)

    def test_after_a_kill_each_goes_on_from_its_own_shard(self, folder, tmp_path):
        items, outputs = items_of(folder), self.outputs(tmp_path)[:2]
        vector_file.embed(items, *outputs[1], SMALL)
        whole = outputs[1][1].read_bytes()

        def stop(what, done, count):
            if done > 6:
                raise Stop

        with pytest.raises(Stop):
            vector_file.embed(items, *outputs[0], SMALL, stop)
        outputs[1][1].unlink()
        resumed = [f.resumed for f in vector_file.embed_together(items, outputs, SMALL)]
        assert resumed == [5, 0] and outputs[1][1].read_bytes() == whole
        again = tmp_path / "again.npz"
        vector_file.embed(items, factory.get(self.SPECS[0]), again, SMALL)
        assert outputs[0][1].read_bytes() == again.read_bytes()

    def test_one_that_refuses_all_leaves_the_others_whole(self, folder, tmp_path):
        items = items_of(folder)
        outputs = [
            (factory.get("scattering:scales=5"), tmp_path / "no.npz"),
            (factory.get("pixels:side=2"), tmp_path / "yes.npz"),
        ]
        with pytest.raises(BadData, match="none of the 12 files gave a vector"):
            vector_file.embed_together(items, outputs, SMALL)
        assert np.load(tmp_path / "yes.npz")["vectors"].shape[0] == 11
        assert not (tmp_path / "no.npz").exists()
