import signal
import subprocess
import sys
import threading

import pytest

from imrep.embedding import cache
from imrep.embedding.cache import pruning
from imrep.embedding.cache.entries import survey
from imrep.errors import Busy
from imrep.io import locks


def numbers(folder):
    return {int(entry.path.name, 16) for entry in survey(folder).entries}


def test_the_least_recently_used_go_first_and_no_more_than_needed(own_cache, add):
    for number in range(6):
        add(number, hours=6 - number)
    removal = pruning.prune(350_000)
    assert [int(entry.path.name, 16) for entry in removal.deleted] == [0, 1, 2]
    assert numbers(own_cache) == {3, 4, 5}
    assert pruning.prune(350_000) == pruning.Removal()
    assert not list((own_cache / ".imrep-cache" / "trash").iterdir())


def test_no_limit_and_nothing_above_it(own_cache, add):
    add(1, hours=10_000)
    assert pruning.prune(None) == pruning.prune(10**9) == pruning.Removal()
    assert numbers(own_cache) == {1}


def test_a_run_keeps_what_it_used_and_deletes_older_ones_at_its_end(own_cache, add):
    add(1, hours=3)
    add(2, hours=2)
    add(3, hours=1)
    with cache.pruned(150_000):
        cache.folder("codes", f"{1:020x}")  # now the latest
        (cache.folder("codes", f"{4:020x}") / "vectors.npy").write_bytes(b"\1" * 10**6)
        assert numbers(own_cache) == {1, 2, 3, 4}
    assert numbers(own_cache) == {1, 4}  # above the limit, but this run's
    with cache.pruned(150_000):
        pass
    assert numbers(own_cache) == set()  # of the run before, and either takes too much


def test_an_error_prunes_too(own_cache, add):
    add(1)
    with pytest.raises(ZeroDivisionError), cache.pruned(1):
        _ = 1 / 0
    assert numbers(own_cache) == set()


def test_what_another_process_uses_stays(own_cache, add, user):
    first, _ = add(1, hours=2), add(2, hours=1)
    with user(first):
        removal = pruning.delete(survey(own_cache).entries)
        assert ([e.path for e in removal.in_use], len(removal.deleted)) == ([first], 1)
        assert len(pruning.prune(1).deleted) == 0
        assert numbers(own_cache) == {1}
    assert len(pruning.prune(1).deleted) == 1


def test_an_entry_that_is_used_again_after_the_survey_stays(own_cache, add):
    add(1, hours=1)
    listed = survey(own_cache).entries
    with cache.pruned(None):
        cache.folder("codes", f"{1:020x}")
    assert len(pruning.delete(listed).in_use) == 1
    assert numbers(own_cache) == {1}


def test_an_entry_being_computed_stays(own_cache, add):
    with cache.held(add(1)):
        assert len(pruning.delete(survey(own_cache).entries).in_use) == 1
    assert numbers(own_cache) == {1}


def test_foreign_files_stay(own_cache, add):
    add(1)
    mine = [own_cache / "photo.npy", own_cache / "codes" / "a.npy", own_cache / "lock"]
    for path in mine:
        path.write_text("mine")
    pruning.delete(survey(own_cache).entries)
    pruning.prune(1)
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_a_link_in_an_entry_is_removed_and_not_what_it_leads_to(own_cache, add, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.npy").write_text("mine")
    (add(1) / "raw").symlink_to(tmp_path / "mine")
    assert len(pruning.delete(survey(own_cache).entries).deleted) == 1
    assert (tmp_path / "mine" / "a.npy").read_text() == "mine"


def test_read_only_entries_stay_and_others_go_in_their_place(own_cache, add):
    (add(1, hours=3) / "vectors.npy").chmod(0o444)
    add(2, hours=2)
    add(3, hours=1)
    assert len(pruning.prune(250_000).deleted) == 1
    assert numbers(own_cache) == {1, 3}
    removal = pruning.delete(survey(own_cache).entries)
    assert (len(removal.deleted), len(removal.read_only)) == (1, 1)


def test_what_a_killed_process_moved_aside_is_deleted_by_the_next(own_cache, add):
    entry, trash = add(1), own_cache / ".imrep-cache" / "trash"
    trash.mkdir()
    entry.rename(trash / "codes-1")
    pruning.prune(None)
    assert not list(trash.iterdir())


def test_where_files_cannot_be_locked_nothing_is_deleted(own_cache, add, monkeypatch):
    add(1)
    monkeypatch.setattr(locks, "_hold", lambda handle, wait: True)
    with pytest.raises(Busy, match="no file locks"):
        pruning.delete(survey(own_cache).entries)
    with cache.pruned(1):
        pass
    assert numbers(own_cache) == {1}


def test_progress(own_cache, add):
    add(1)
    add(2)
    steps = []
    pruning.delete(survey(own_cache).entries, lambda *step: steps.append(step))
    assert steps == [("deleting old results", 0, 2), ("deleting old results", 1, 2)]


_RUNS = """
import sys
from imrep.embedding import cache
from imrep.embedding.cache import pruning
for turn in range(40):
    with cache.pruned(150_000):
        for number in range(4):
            entry = cache.folder("codes", f"{(turn + number) % 8:020x}")
            with cache.held(entry):
                path = entry / "a.npy"
                if not path.exists():
                    path.write_bytes(b"1" * 100_000)
            assert path.read_bytes() == b"1" * 100_000
"""


def test_two_processes_use_and_prune_the_same_entries(own_cache):
    runs = [subprocess.Popen([sys.executable, "-c", _RUNS], stderr=subprocess.PIPE) for _ in "ab"]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    pruning.prune(150_000)
    assert survey(own_cache).bytes <= 150_000
    assert survey(own_cache).foreign == ()


def test_two_threads_compare_at_once(own_cache):
    started = threading.Barrier(2)

    def run(number):
        with cache.pruned(1):
            entry = cache.folder("codes", f"{number:020x}")
            (entry / "a.npy").write_bytes(b"1" * 10_000)
            started.wait(10)
            pruning.prune(1)
            assert (entry / "a.npy").is_file()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(own_cache) <= {0, 1}


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_while_it_deletes(own_cache, add):
    for number in range(300):
        add(number, kilobytes=1)
    script = (
        "from imrep.embedding.cache import pruning, entries, root\n"
        "print('ready', flush=True)\n"
        "pruning.delete(entries.survey(root()).entries)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        while (own_cache / "codes" / f"{0:020x}").is_dir() and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
    pruning.prune(None)
    pruning.delete(survey(own_cache).entries)
    assert survey(own_cache).entries == ()
    assert not list((own_cache / ".imrep-cache" / "trash").iterdir())
