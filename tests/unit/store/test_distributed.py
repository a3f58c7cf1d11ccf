"""Workers on Ray write the table that this process writes, also when they are killed or cut off."""

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imrep
from imrep import datasets, store
from imrep.errors import BadFile, ExtraNeeded, WorkersLost
from imrep.store import distributed, update
from imrep.store.encoding import ReadImage

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExtraNeeded, match=r"pip install 'imrep\[ray\]'"):
        distributed.require_ray()


def test_only_what_can_be_read_here_shows_that_a_worker_is_cut_off(photos):
    item, other = datasets.find(str(photos)).items[:2]
    unread = ReadImage(item, "", reason="photos/0.png cannot be read: no such file.")
    assert distributed._cut_off([ReadImage(other, "d"), unread]).endswith("no such file)")
    assert distributed._cut_off([ReadImage(item, "d", reason="no image")]) == ""
    item.file.unlink()
    assert distributed._cut_off([unread]) == ""


@dataclass(frozen=True)
class Faulty:
    """A file that does harm to the first process that reads it: it is killed, or cut off."""

    file: Path
    flag: Path
    harm: str

    @property
    def stamp(self):
        return self.file.stat().st_size

    def read(self):
        try:
            with self.flag.open("x") as flag:
                flag.write(str(os.getpid()))
            is_first = True
        except FileExistsError:
            is_first = self.flag.read_text() == str(os.getpid())
        if self.harm == "always" or (is_first and self.harm == "kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if is_first:
            raise BadFile(f"{self.file.name} cannot be read: Stale file handle.")
        return self.file.read_bytes()


@pytest.fixture
def photos(tmp_path):
    """120 small images."""
    root = tmp_path / "photos"
    root.mkdir()
    rng = np.random.default_rng(0)
    for i in range(120):
        image = rng.integers(0, 256, (16, 16 + i % 3, 3), dtype=np.uint8)
        Image.fromarray(image).save(root / f"{i:03}.png")
    return root


@pytest.fixture(scope="module")
def cluster():
    """Ray with two workers on this machine, without a file that remains."""
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'imrep[ray]'")
    distributed.require_ray()
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with distributed._running(ray, None, 2):
        yield ray
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def embed(photos, tmp_path):
    """Embed the photos by two workers, or here; returns the summary."""

    def embed(name, items=None, **more):
        settings = update.Settings(size=16, batch=4, shard=8, data=str(photos))
        items = datasets.find(str(photos)).items if items is None else items
        return update.embed(items, imrep.get("hog"), tmp_path / name, settings, **more)

    return embed


@pytest.fixture
def same(tmp_path):
    """Assert that two stores have the same rows with the same vectors."""

    def table(name):
        opened = store.open(tmp_path / name)
        rows = opened.rows(["path", "digest", "label", "width", "height"]).to_pylist()
        order = sorted(range(len(rows)), key=lambda i: rows[i]["path"])
        return [rows[i] for i in order], opened.vectors()[order]

    def same(name, other):
        (rows, vectors), (expected, reference) = table(name), table(other)
        assert rows == expected and len(rows) == 120
        np.testing.assert_allclose(vectors, reference, atol=1e-6)

    return same


def faulty(photos, tmp_path, index, harm):
    """The photos, of which those from an index on do harm to the process that reads them first."""
    flag = tmp_path / "flag"
    items = list(datasets.find(str(photos)).items)
    stop = index + 1 if harm != "cut off" else len(items)
    for i in range(index, stop):
        items[i] = replace(items[i], source=Faulty(photos / items[i].path, flag, harm))
    return items


@pytest.mark.slow
def test_workers_write_the_same_table(cluster, embed, same, photos):
    steps = []
    (photos / "broken.png").write_bytes(b"no image")
    here = embed("here.lance")
    there = embed(
        "there.lance",
        encoder=distributed.Encoder(2),
        progress=lambda _, done, count: steps.append((done, count)),
    )
    assert (there.rows, there.encoded, there.skipped) == (here.rows, here.encoded, here.skipped)
    assert steps[-1] == (121, 121)
    same("there.lance", "here.lance")
    again = embed("there.lance", encoder=distributed.Encoder(2))
    assert (again.encoded, again.current, again.version) == (0, 120, there.version)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(cluster, embed, same, photos, tmp_path):
    items = faulty(photos, tmp_path, 50, "kill")
    done = embed("s.lance", items, encoder=distributed.Encoder(2))
    assert int((tmp_path / "flag").read_text()) != os.getpid()
    assert (done.encoded, done.skipped) == (120, ())
    embed("here.lance")
    same("s.lance", "here.lance")


@pytest.mark.slow
def test_a_worker_that_is_cut_off_leaves_its_slices_to_others(
    cluster, embed, same, photos, tmp_path
):
    items = faulty(photos, tmp_path, 50, "cut off")
    done = embed("s.lance", items, encoder=distributed.Encoder(2))
    assert int((tmp_path / "flag").read_text()) != os.getpid()
    assert (done.encoded, done.skipped) == (120, ())
    embed("here.lance")
    same("s.lance", "here.lance")


@pytest.mark.slow
def test_what_no_worker_can_do_is_named_and_a_rerun_finishes(
    cluster, embed, same, photos, tmp_path
):
    items = faulty(photos, tmp_path, 50, "always")
    with pytest.raises(WorkersLost, match=r"^8 of 120 images, from 048\.png on, .* Repeat"):
        embed("s.lance", items, encoder=distributed.Encoder(2))
    assert store.open(tmp_path / "s.lance").facts.rows == 112
    done = embed("s.lance", encoder=distributed.Encoder(2))
    assert done.encoded == 8
    embed("here.lance")
    same("s.lance", "here.lance")
