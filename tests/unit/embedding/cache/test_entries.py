import os

from imrep.embedding.cache.entries import is_read_only, survey


def test_entries_least_recently_used_first(own_cache, add):
    old, new = add(1, hours=5, kilobytes=300), add(2, kind="scores")
    content = survey(own_cache)
    assert [entry.path for entry in content.entries] == [old, new]
    assert [entry.name for entry in content.entries] == [f"codes/{1:020x}", f"scores/{2:020x}"]
    assert 400_000 <= content.bytes <= 420_000
    assert content.foreign == ()


def test_a_cache_that_does_not_exist_is_empty(tmp_path):
    assert survey(tmp_path / "none").entries == ()


def test_files_in_folders_of_an_entry_count(own_cache, add):
    raw = add(1) / "raw"
    raw.mkdir()
    (raw / "0.safetensors").write_bytes(b"\1" * 10**6)
    assert 1_100_000 <= survey(own_cache).bytes <= 1_120_000


def test_what_imrep_did_not_write_is_foreign(own_cache, add):
    add(1)
    (own_cache / "notes.txt").write_text("mine")
    (own_cache / "codes" / "notes.txt").write_text("mine")
    unmarked = own_cache / "photos" / f"{3:020x}"
    unmarked.mkdir(parents=True)
    (unmarked / "a.npy").write_bytes(b"mine")
    strange = own_cache / "codes" / f"{4:020x}"
    strange.mkdir()
    (strange / "thesis.pdf").write_bytes(b"mine")
    content = survey(own_cache)
    assert [entry.path.name for entry in content.entries] == [f"{1:020x}"]
    assert set(content.foreign) == {"notes.txt", "codes/notes.txt", "photos", f"codes/{4:020x}"}


def test_links_are_not_followed(own_cache, add, tmp_path):
    entry = add(1)
    (tmp_path / "elsewhere").mkdir()
    entry.rename(tmp_path / "elsewhere" / entry.name)
    entry.symlink_to(tmp_path / "elsewhere" / entry.name)
    (own_cache / "scores").symlink_to(tmp_path / "elsewhere")
    content = survey(own_cache)
    assert content.entries == ()
    assert set(content.foreign) == {f"codes/{entry.name}", "scores"}


def test_entries_of_a_version_that_did_not_mark_them(own_cache):
    old = own_cache / "kept" / f"{1:020x}"
    old.mkdir(parents=True)
    (old / "kept.npz").write_bytes(b"\1" * 5000)
    os.utime(old, (1e9, 1e9))
    (entry,) = survey(own_cache).entries
    assert (entry.kind, entry.used) == ("reconstructions", 1e9)
    assert entry.path == old


def test_read_only(add):
    entry = add(1)
    assert not is_read_only(entry)
    (entry / "vectors.npy").chmod(0o444)
    assert is_read_only(entry)
