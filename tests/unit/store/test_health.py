"""Damage is detected, named and repaired to the last whole version; nothing is deleted."""

import shutil

import numpy as np
import pytest

from imrep import store
from imrep.errors import BadData
from imrep.store import health, layout
from imrep.store.commits import Writer

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


@pytest.fixture
def path(path, rows):
    """A store with a commit of one row after that of three."""
    with Writer(path) as writer:
        writer.append(rows(["c/4"]))
    return path


def newest_data(path):
    fragment = store.open(path).dataset.get_fragments()[-1]
    return path / layout.DATA / fragment.data_files()[0].path


def truncated(file):
    file.write_bytes(file.read_bytes()[:-9])


def emptied(file):
    file.write_bytes(b"")


def altered(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)


def removed(file):
    file.unlink()


def test_a_sound_store_is_sound(path):
    state = health.check(path)
    assert state.is_sound and (state.intact, state.rows) == (3, 4)
    assert health.repair(path) == (state, None)


@pytest.mark.parametrize("part", ["manifest", "data"])
@pytest.mark.parametrize("harm", [truncated, emptied, altered, removed])
def test_damage_is_repaired_to_the_last_whole_version(path, rows, part, harm):
    file = layout.manifests(path)[0] if part == "manifest" else newest_data(path)
    harm(file)
    if (part, harm) == ("manifest", removed):  # then the version before is the newest
        assert len(store.open(path)) == 3
        return
    state = health.check(path)
    assert (state.newest, state.intact, state.rows) == (3, 2, 3)
    assert [each.file for each in state.damages] == [str(file.relative_to(path))]
    before = {each.name for each in path.rglob("*") if each.is_file()} - {file.name}
    again, aside = health.repair(path)
    assert again == state and aside.is_dir()
    assert health.check(path).is_sound
    assert store.open(path).rows()["path"].to_pylist() == ["a/1", "a/2", "b/3"]
    after = {each.name.removesuffix(".digest") for each in path.rglob("*") if each.is_file()}
    assert before <= after  # nothing is deleted
    with Writer(path) as writer:
        writer.append(rows(["c/4"]))
    assert health.check(path).is_sound and len(store.open(path).vectors()) == 4


@pytest.mark.parametrize("harm", [truncated, emptied])
def test_a_damaged_store_names_its_repair(path, harm):
    harm(layout.manifests(path)[0])
    for refused in (lambda: store.open(path), lambda: Writer(path).__enter__()):
        with pytest.raises(BadData, match=r"got a damaged one .* imrep store repair"):
            refused()


def test_damaged_rows_name_the_repair(path):
    truncated(newest_data(path))
    with pytest.raises(BadData, match="imrep store repair"):
        store.open(path).vectors()


def test_several_damaged_versions_are_passed_over(path, rows):
    with Writer(path) as writer:
        writer.append(rows(["d/5"]))
    for manifest in layout.manifests(path)[:2]:
        truncated(manifest)
    state, _ = health.repair(path)
    assert (state.newest, state.intact, len(state.damages)) == (4, 2, 2)
    assert len(store.open(path)) == 3


def test_a_damaged_file_of_deletions_is_detected(path, rows):
    with Writer(path) as writer:
        writer.upsert(rows(["a/1"], label="new"))
    (file,) = (path / layout.DELETIONS).iterdir()
    altered(file)
    state, _ = health.repair(path)
    assert (state.newest, state.intact) == (4, 3)
    assert store.open(path).rows(["label"], "path = 'a/1'")["label"].to_pylist() == ["a"]


def test_without_a_whole_version_the_whole_files_remain(path, rows):
    first = store.open(path).dataset.get_fragments()[0].data_files()[0].path
    for manifest in layout.manifests(path)[1:]:
        manifest.unlink()  # as after a compaction, a day later
    altered(path / layout.DATA / first)
    state, aside = health.repair(path)
    assert state.intact is None and (aside / layout.DATA / first).is_file()
    assert store.open(path).rows()["path"].to_pylist() == ["c/4"]
    assert health.check(path).is_sound


def test_a_store_without_a_readable_manifest_is_refused_and_untouched(path):
    for manifest in layout.manifests(path):
        emptied(manifest)
    before = sorted(path.rglob("*"))
    assert health.check(path).intact is None
    with pytest.raises(BadData, match="needs a whole version"):
        health.repair(path)
    assert sorted(path.rglob("*")) == before


def test_rows_of_other_programs_are_counted(path):
    import lance
    import pyarrow as pa

    table = store.open(path).dataset.to_table().slice(0, 1)
    vector = pa.FixedSizeListArray.from_arrays(pa.array(np.full(4, np.nan, np.float32)), 4)
    lance.write_dataset(table.set_column(5, table.schema.field(5), [vector]), path, mode="append")
    state = health.check(path)
    assert not state.is_sound and (state.doubled, state.not_finite) == (1, 1)


def test_a_folder_without_versions_is_no_store(path):
    shutil.rmtree(path / layout.VERSIONS)
    for ask in (health.check, health.repair):
        with pytest.raises(BadData, match="got a folder without a table"):
            ask(path)
