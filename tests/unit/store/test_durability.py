"""Every file of a commit is on the disk before the commit is reported, and so are its folders."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imrep.store import durability, layout
from imrep.store.commits import Writer

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


def contents(path):
    """Every file that a version of the table names, or that says which it is."""
    return {
        file: file.stat().st_mtime_ns
        for file in path.rglob("*")
        if file.is_file() and file.name != layout.LOCK
    }


@pytest.fixture
def synced(monkeypatch):
    """The files and folders that are synced, in order."""
    names = []
    fsync = os.fsync

    def record(handle):
        names.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    return names


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc, as Linux has it")
@pytest.mark.parametrize("step", ["append", "upsert", "compact", "restate"])
def test_every_new_file_of_a_commit_is_synced_before_it_is_reported(path, rows, synced, step):
    with Writer(path) as writer:
        writer.append(rows(["c/1"]))
        before = contents(path)
        synced.clear()
        if step == "compact":
            assert writer.compact(always=True)
        elif step == "restate":
            writer.restate({"data": "/elsewhere"})
        else:
            getattr(writer, step)(rows(["a/1", "d/1"] if step == "upsert" else ["d/1"]))
        new = {file for file, time in contents(path).items() if before.get(file) != time}
    assert any(file.suffix == ".manifest" for file in new)
    assert new <= set(synced), new - set(synced)
    assert {file.parent for file in new} | {path, path.parent} <= set(synced)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc, as Linux has it")
def test_data_is_synced_before_a_version_names_it(path, rows, synced, monkeypatch):
    import lance

    commit = lance.LanceDataset.commit
    versions = []

    def record(*arguments, **more):
        versions.append(len(synced))
        return commit(*arguments, **more)

    monkeypatch.setattr(lance.LanceDataset, "commit", record)
    with Writer(path) as writer:
        writer.append(rows(["c/1"]))
    first = synced[: versions[0]]
    assert path / layout.DATA in first and any(file.suffix == ".lance" for file in first)
    assert any(file.suffix == ".manifest" for file in synced[versions[0] :])


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc, as Linux has it")
def test_the_last_commit_of_a_killed_run_is_synced_by_the_next(path, rows, synced, monkeypatch):
    monkeypatch.setattr(Writer, "_sync_version", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), Writer(path) as writer:
        writer.append(rows(["c/1"]))
    monkeypatch.undo()
    manifest = layout.manifests(path)[0]
    assert layout.version(manifest) == 3 and manifest not in synced
    monkeypatch.setattr(os, "fsync", lambda h: synced.append(Path(f"/proc/self/fd/{h}").readlink()))
    with Writer(path):
        assert {manifest, manifest.parent} <= set(synced)


_SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from imrep.store import commits, layout
row = {"path": "x", "digest": "d", "width": 1, "height": 1, "vector": [1.0, 2.0], "deleted": False}
with commits.Writer(Path(sys.argv[2])) as writer:
    writer.append(commits.table([row], layout.schema(2, "float32", {})))
    print("reported", file=sys.stderr, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_system_is_asked_to_sync_what_it_was_asked_to_write(tmp_path):
    path, log = tmp_path / "t.lance", tmp_path / "log"
    with Writer(path) as writer:
        writer.create(
            2, "float32", {"spec": "hog", "fingerprint": "3f", "size": "64", "imrep": "0"}
        )
    before = contents(path)
    strace = ["strace", "-f", "-y", "-s", "300", "-e", "trace=fsync,fdatasync,write"]
    source = str(Path(durability.__file__).parents[2])
    traced = subprocess.run(
        [*strace, "-o", log, sys.executable, "-c", _SCRIPT, source, path],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": source},
    )  # fmt: skip
    if "ptrace" in traced.stderr:
        pytest.skip("this system lets no process trace another")
    assert traced.returncode == 0, traced.stderr
    text = log.read_text(errors="replace").partition("reported")[0]
    synced = set(re.findall(r"f(?:data)?sync\(\d+<([^>]+)>", text))
    new = {str(file) for file, time in contents(path).items() if before.get(file) != time}
    assert len(new) >= 5, new  # data, manifest, a digest of each, transaction
    assert new <= synced, new - synced
    assert {str(path / layout.VERSIONS), str(path / layout.DATA), str(path)} <= synced
