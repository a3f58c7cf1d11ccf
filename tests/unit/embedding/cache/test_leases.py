import os
import signal
import subprocess
import sys

import pytest

from imrep.embedding import cache
from imrep.embedding.cache import leases
from imrep.io import locks


def test_a_folder_is_made_and_marked(own_cache):
    folder = cache.folder("codes", f"{1:020x}")
    assert folder == own_cache / "codes" / f"{1:020x}"
    assert [path.name for path in folder.iterdir()] == ["last-used"]


def test_entries_are_used_until_the_run_ends(own_cache):
    with leases.leased():
        folder = cache.folder("codes", f"{1:020x}")
        with leases.leased():
            cache.folder("scores", f"{2:020x}")
        assert set(leases.users(own_cache)) == {f"codes/{1:020x}", f"scores/{2:020x}"}
        assert leases.users(own_cache)[f"codes/{1:020x}"] == [os.getpid()]
    assert leases.users(own_cache) == {}
    assert folder.is_dir()
    assert not list((own_cache / ".imrep-cache" / "leases").iterdir())


def test_a_folder_that_was_deleted_in_the_run_is_made_again(own_cache):
    with leases.leased():
        folder = cache.folder("codes", f"{1:020x}")
        (folder / "last-used").unlink()
        folder.rmdir()
        assert cache.folder("codes", f"{1:020x}") == folder
        assert (folder / "last-used").is_file()


def test_use_is_stamped_once_a_run(own_cache):
    with leases.leased():
        stamp = cache.folder("codes", f"{1:020x}") / "last-used"
        os.utime(stamp, (1e9, 1e9))
        cache.folder("codes", f"{1:020x}")
        assert stamp.stat().st_mtime == 1e9
    with leases.leased():
        cache.folder("codes", f"{1:020x}")
    assert stamp.stat().st_mtime > 1e9


def test_another_process_uses_entries_until_it_is_killed(own_cache, add, user):
    entry = add(1)
    with user(entry) as process:
        assert leases.users(own_cache) == {f"codes/{1:020x}": [process.pid]}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert leases.users(own_cache) == {}
        assert not list((own_cache / ".imrep-cache" / "leases").iterdir())


def test_outside_a_run_entries_are_used_until_the_process_ends(own_cache):
    script = (
        "from imrep.embedding import cache\n"
        "from imrep.embedding.cache import leases\n"
        "cache.folder('codes', 'ab')\n"
        "print(*leases.users(cache.root()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "codes/ab\n"
    assert not list((own_cache / ".imrep-cache" / "leases").iterdir())


def test_an_entry_is_computed_while_it_is_held(add):
    entry = add(1)
    assert not leases.is_computed(entry)
    with cache.held(entry):
        assert leases.is_computed(entry)
    assert not leases.is_computed(entry)


def test_whether_locks_work(own_cache, monkeypatch):
    assert leases.locks_work()
    monkeypatch.setattr(locks, "_hold", lambda handle, wait: True)
    assert not leases.locks_work()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_a_lease_of_its_own(own_cache):
    with leases.leased():
        cache.folder("codes", "ab")
        if not (child := os.fork()):
            with leases.leased():
                cache.folder("scores", "cd")
                own = leases.users(own_cache)["scores/cd"] == [os.getpid()]
            os._exit(0 if own else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert leases.users(own_cache) == {"codes/ab": [os.getpid()]}
