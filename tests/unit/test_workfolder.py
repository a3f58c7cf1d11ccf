"""What a run keeps until it is done: whole or not at all, and only its own."""

import numpy as np
import pytest

from imrep.workfolder import Shard, WorkFolder, digest

KEY = {"spec": "hog", "size": 64, "items": "ab12"}


def shard(start=0):
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3) + start
    return Shard(vectors, (start, start + 2), ((start + 1, "no image, “really”"),))


def same(a, b):
    np.testing.assert_array_equal(a.vectors, b.vectors)
    return (a.rows, a.skipped) == (b.rows, b.skipped)


def test_a_shard_comes_back(tmp_path):
    WorkFolder(tmp_path / "v.npz", KEY).save(0, shard())
    again = WorkFolder(tmp_path / "v.npz", KEY)
    assert again.count() == 1
    assert same(again.load(0), shard())


def test_a_shard_of_broken_files_has_no_vectors(tmp_path):
    work = WorkFolder(tmp_path / "v.npz", KEY)
    empty = Shard(np.empty((0, 0), np.float32), (), ((0, "broken"),))
    work.save(0, empty)
    assert same(work.load(0), empty)


def test_shards_count_up_to_the_first_gap(tmp_path):
    work = WorkFolder(tmp_path / "v.npz", KEY)
    for number in (0, 1, 3):
        work.save(number, shard(10 * number))
    assert work.count() == 2
    assert [one.rows[0] for one in work.shards()] == [0, 10]


@pytest.mark.parametrize("change", ["spec", "size", "items"])
def test_another_key_starts_anew(tmp_path, change):
    WorkFolder(tmp_path / "v.npz", KEY).save(0, shard())
    assert WorkFolder(tmp_path / "v.npz", {**KEY, change: "other"}).count() == 0
    assert WorkFolder(tmp_path / "v.npz", KEY).count() == 0


def test_a_folder_whose_key_was_never_written_is_nobodys(tmp_path):
    work = WorkFolder(tmp_path / "v.npz", KEY)
    work.save(0, shard())
    (work.path / "key.json").unlink()
    assert WorkFolder(tmp_path / "v.npz", KEY).count() == 0


def test_a_failed_write_leaves_no_name(tmp_path):
    work = WorkFolder(tmp_path / "v.npz", KEY)

    def fail(draft):
        draft.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        work.write("result.npz", fail)
    assert not (work.path / "result.npz").exists()


def test_what_a_killed_discard_left_is_removed(tmp_path):
    left = tmp_path / "v.npz.discarded"
    left.mkdir()
    (left / "000000.npz").write_bytes(b"old")
    WorkFolder(tmp_path / "v.npz", KEY).discard()
    assert not list(tmp_path.iterdir())


def test_digests_tell_values_apart():
    assert digest([1, "a", None]) == digest([1, "a", None])
    assert len({digest([1, "a"]), digest(["a", 1]), digest([1, "a", None])}) == 3
