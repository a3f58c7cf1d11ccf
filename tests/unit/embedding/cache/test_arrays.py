import numpy as np

from imrep.embedding import cache


def test_what_is_not_there_is_none(tmp_path):
    assert cache.read_json(tmp_path / "no.json") is None
    assert cache.read_arrays(tmp_path / "no.npz") is None


def test_arrays_and_json_come_back(tmp_path):
    cache.write_arrays(tmp_path / "a.npz", one=np.arange(3), two=np.eye(2))
    stored = cache.read_arrays(tmp_path / "a.npz")
    assert stored is not None
    assert stored["one"].tolist() == [0, 1, 2]
    cache.write_json(tmp_path / "a.json", {"x": [1, 2]})
    assert cache.read_json(tmp_path / "a.json") == {"x": [1, 2]}
    assert sorted(p.name for p in tmp_path.glob("a.*")) == ["a.json", "a.npz"]


def test_a_torn_last_line_is_dropped(tmp_path):
    log = cache.Log(tmp_path / "log")
    assert list(log) == []
    log.append({"stop": 8})
    log.append({"stop": 16})
    with (tmp_path / "log").open("ab") as file:
        file.write(b'{"stop": 2')
    assert list(log) == [{"stop": 8}, {"stop": 16}]
    log.repair()
    log.append({"stop": 24})
    assert [record["stop"] for record in log] == [8, 16, 24]


def test_a_growing_array_keeps_what_was_written(tmp_path):
    first = cache.growing(tmp_path / "a.npy", (4, 2), np.float32)
    first[1] = 7
    first.flush()
    again = cache.growing(tmp_path / "a.npy", (4, 2), np.float32)
    assert again[1].tolist() == [7, 7]
