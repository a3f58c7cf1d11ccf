"""Ctrl-C: the step at work is finished and saved where that takes no longer than a second."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_GRACE = 1.0  # seconds in which the step at work may end


class Interrupted(Exception):  # Lightning ends the process at a KeyboardInterrupt
    """Ctrl-C was pressed."""


class Interruption:
    """Within its block the first Ctrl-C sets `requested`, and raises a second later."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._request)
            if hasattr(signal, "setitimer"):
                self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if signal.SIGINT in self._before and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested or not hasattr(signal, "setitimer"):
            raise Interrupted
        self.requested = True
        signal.setitimer(signal.ITIMER_REAL, _GRACE)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted
