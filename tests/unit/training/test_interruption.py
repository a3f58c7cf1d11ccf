"""The first Ctrl-C asks, a second later it raises; the handlers before are restored."""

import os
import signal
import time

import pytest

from imrep.training.interruption import Interrupted, Interruption

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals of Unix")


def press(count=1, then=0.0):
    for _ in range(count):
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(then)


def test_the_step_at_work_may_end():
    with Interruption() as interruption:
        assert not interruption.requested
        press()
        assert interruption.requested


def test_a_long_step_is_interrupted():
    began = time.monotonic()
    with pytest.raises(Interrupted), Interruption():
        press(then=30)
    assert 0.5 < time.monotonic() - began < 2


def test_a_second_time_it_raises_at_once():
    with pytest.raises(Interrupted), Interruption():
        press(2)


def test_handlers_are_restored():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    with Interruption():
        press()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)) == before
    time.sleep(1.1)  # no alarm rings after the block
