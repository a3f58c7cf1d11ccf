"""One holder at a time; the system takes a lock back from a process that was killed."""

import subprocess
import sys
import threading

from imrep.io.locks import Lock

HOLD = """
import sys, time, pathlib
from imrep.io.locks import Lock
assert Lock(pathlib.Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_one_process_holds_the_lock_and_the_other_reads_its_owner(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.acquire() and not second.acquire()
    assert second.owner().isdigit()
    first.release()
    assert second.acquire()
    second.release()
    assert not list(tmp_path.iterdir())


def test_a_killed_process_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lock"], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        lock = Lock(tmp_path / "lock")
        assert not lock.acquire() and lock.owner() == str(other.pid)
        other.kill()
        other.wait()
        assert lock.acquire()
    lock.release()


def test_a_waiting_process_locks_the_file_of_that_name(tmp_path):
    first, second, held = Lock(tmp_path / "lock"), Lock(tmp_path / "lock"), threading.Event()
    assert first.acquire()

    def wait():
        assert second.acquire(wait=True)
        held.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not held.wait(0.1)
    first.release()  # removes the file that the other waits for
    thread.join(10)
    assert held.is_set() and not Lock(tmp_path / "lock").acquire()
    second.release()
