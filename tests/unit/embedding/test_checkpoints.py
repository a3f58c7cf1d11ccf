"""What a run keeps until it is done: complete or not at all, only its own, one run at a time."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from imrep.embedding.checkpoints import Shard, WorkFolder, digest
from imrep.errors import BadData, Busy

KEY = {"spec": "hog", "size": 64, "items": "ab12"}


def shard(start=0):
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3) + start
    return Shard(vectors, (start, start + 2), ((start + 1, "no image, “really”"),))


def same(a, b):
    np.testing.assert_array_equal(a.vectors, b.vectors)
    return (a.rows, a.skipped) == (b.rows, b.skipped)


def save(out, key=KEY, *shards):
    with WorkFolder(out, key) as work:
        for number, each in enumerate(shards or [shard()]):
            work.save(number, each)


def test_a_shard_is_read_back(tmp_path):
    save(tmp_path / "v.npz")
    with WorkFolder(tmp_path / "v.npz", KEY) as again:
        assert again.count() == 1
        assert same(again.load(0), shard())


def test_a_shard_of_broken_files_has_no_vectors(tmp_path):
    empty = Shard(np.empty((0, 0), np.float32), (), ((0, "broken"),))
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        work.save(0, empty)
        assert same(work.load(0), empty)


def test_shards_count_up_to_the_first_gap(tmp_path):
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        for number in (0, 1, 3):
            work.save(number, shard(10 * number))
        assert work.count() == 2
        assert [each.rows[0] for each in work.shards()] == [0, 10]


@pytest.mark.parametrize("change", ["spec", "size", "items"])
def test_another_key_starts_anew(tmp_path, change):
    save(tmp_path / "v.npz")
    for key in ({**KEY, change: "other"}, KEY):
        with WorkFolder(tmp_path / "v.npz", key) as work:
            assert work.count() == 0


@pytest.mark.parametrize("name", ["000000.npz", "key.json", "notes.txt"])
def test_a_folder_that_no_run_made_is_refused_and_stays(tmp_path, name):
    (tmp_path / "v.npz.parts").mkdir()
    (tmp_path / "v.npz.parts" / name).write_text("{}")
    expected = re.escape(f"v.npz.parts/ for its parts, and that folder holds {name}")
    with pytest.raises(BadData, match=expected), WorkFolder(tmp_path / "v.npz", KEY):
        pass
    assert [path.name for path in (tmp_path / "v.npz.parts").iterdir()] == [name]


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", "draft.12.key.json")])
def test_what_a_run_left_that_was_killed_at_once_is_no_hindrance(tmp_path, left):
    (tmp_path / "v.npz.parts").mkdir()
    for name in left:
        (tmp_path / "v.npz.parts" / name).write_text("12")
    save(tmp_path / "v.npz")
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        assert work.count() == 1
        work.discard()
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_no_name_and_no_draft(tmp_path):
    def fail(draft):
        draft.write_bytes(b"half")
        raise OSError("disk full")

    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        with pytest.raises(OSError, match="disk full"):
            work.write("result.npz", fail)
        assert sorted(path.name for path in work.path.iterdir()) == ["key.json", "lock"]


def test_a_second_run_is_refused_until_the_first_ends(tmp_path):
    with WorkFolder(tmp_path / "v.npz", KEY) as first:
        first.save(0, shard())
        for key in (KEY, {"another": "run"}):
            words = rf"another run \(pid {os.getpid()}\) writes .*v\.npz\. Wait for it or use"
            with pytest.raises(Busy, match=words), WorkFolder(tmp_path / "v.npz", key):
                pass
        assert first.count() == 1
    save(tmp_path / "v.npz", {"another": "run"})


def test_an_output_and_a_link_to_it_share_one_folder(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "v.npz").symlink_to(tmp_path / "disk" / "v.npz")
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        assert work.path == tmp_path / "disk" / "v.npz.parts"
        with pytest.raises(Busy), WorkFolder(tmp_path / "disk" / "v.npz", KEY):
            pass


def test_a_run_that_ended_takes_its_folder_with_it_and_another_starts(tmp_path):
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        work.save(0, shard())
        work.discard()
        save(tmp_path / "v.npz")  # before the block ends
    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        assert work.count() == 1


def test_digests_tell_values_apart():
    assert digest([1, "a", None]) == digest([1, "a", None])
    assert len({digest([1, "a"]), digest(["a", 1]), digest([1, "a", None])}) == 3


def test_a_removal_cut_short_leaves_no_half_folder_under_its_name(tmp_path, monkeypatch):
    def write(draft):
        draft.mkdir()
        (draft / "config.json").write_text("{}")
        (draft / "weights").write_text("numbers")

    def killed(path, *args, **kwargs):
        (Path(path) / "weights").unlink()
        raise KeyboardInterrupt

    with WorkFolder(tmp_path / "v.npz", KEY) as work:
        saved = work.write("rep", write)
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "rmtree", killed)
            with pytest.raises(KeyboardInterrupt):
                work.discard()
        assert not saved.exists()
        assert work.write("rep", write) == saved and (saved / "weights").is_file()
