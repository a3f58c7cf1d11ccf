"""Which worker does which slice next: retries, workers that are lost, copies of what is late.

It is bookkeeping alone, without Ray and without a clock of its own, so that every course of a run
can be tested in milliseconds. Copies of late tasks are those of MapReduce (Dean & Ghemawat 2004,
"MapReduce: simplified data processing on large clusters", section 3.6).
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

ATTEMPTS = 3  # of a slice, and deaths of a worker in a row, before it is given up
_SLICES = 4  # for each worker at least, so that all end at about the same time
_QUEUE = 2  # slices a worker has: it begins the second while the first is being committed
_RECENT = 101  # durations, of which the median is taken
LATE = 2.0  # times the median duration, after which an idle worker does a slice as well


def slices(count: int, workers: int, batch: int, limit: int) -> list[range]:
    """The images of every slice, by index: whole batches, as far as there are.

    Args:
        count: Number of images.
        workers: Who share them.
        batch: Images encoded at once.
        limit: Images in a slice at most; a batch is not divided.
    """
    share = -(-count // (_SLICES * workers))
    size = min(-(-share // batch), max(limit // batch, 1)) * batch
    return [range(start, min(start + size, count)) for start in range(0, count, max(size, 1))]


@dataclass
class _Worker:
    """What a worker has to do, the oldest first, and how often it died since it finished one."""

    running: list[int] = field(default_factory=list)
    deaths: int = 0
    is_retired: bool = False


class Schedule:
    """The slices of a run, and who does them.

    Args:
        count: Number of slices.
        workers: Names of the workers.
        late: A slice that takes this many times the median is done by an idle worker as well.
    """

    def __init__(self, count: int, workers: Iterable[int], late: float = LATE) -> None:
        self._queue, self._limit = deque(range(count)), late
        self._workers = {worker: _Worker() for worker in workers}
        self._attempts = [0] * count
        self._started: dict[int, float] = {}  # of slices that are not finished
        self._copies: Counter[int] = Counter()  # workers that have a slice
        self._durations: deque[float] = deque(maxlen=_RECENT)
        self._remaining = set(range(count))
        self._loss = "no worker is left"  # of the last worker
        self.reasons: dict[int, str] = {}  # of slices that are given up

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be done: all is finished or given up, or nobody is left."""
        active = any(not worker.is_retired for worker in self._workers.values())
        return not (active and len(self._remaining) > len(self.reasons))

    def unfinished(self) -> dict[int, str]:
        """The slices that nobody finished, and why."""
        return {number: self.reasons.get(number, self._loss) for number in sorted(self._remaining)}

    def assign(self, now: float) -> list[tuple[int, int]]:
        """Give out what can be given out.

        Args:
            now: Seconds on any clock that does not go back.

        Returns:
            Pairs of worker and slice.
        """
        pairs = []
        for _ in range(_QUEUE):  # a first slice for each, then a second
            for name, worker in self._workers.items():
                number = None if worker.is_retired else self._next(worker, now)
                if number is not None:
                    worker.running.append(number)
                    self._copies[number] += 1
                    self._started.setdefault(number, now)
                    pairs.append((name, number))
        return pairs

    def finish(self, name: int, number: int, now: float) -> bool:
        """Note that a worker has done a slice; False where another had done it before."""
        worker = self._workers[name]
        worker.running.remove(number)
        self._copies[number] -= 1
        worker.deaths = 0
        if number not in self._remaining:
            return False
        self._remaining.remove(number)
        self.reasons.pop(number, None)
        self._durations.append(now - self._started.pop(number))
        return True

    def fail(self, name: int, number: int, reason: str) -> None:
        """Note that a worker, which remains, could not do a slice."""
        self._workers[name].running.remove(number)
        self._copies[number] -= 1
        self._again(number, reason, 1)

    def lose(self, name: int, reason: str) -> bool:
        """Note that a worker died with all it had; whether another is to take its name."""
        worker = self._workers[name]
        worker.deaths += 1
        self._drop(worker, reason, 1)
        worker.is_retired = worker.deaths >= ATTEMPTS
        return not worker.is_retired

    def retire(self, name: int, reason: str) -> None:
        """Give a worker nothing any more: it cannot read what others can. No attempt is counted."""
        self._workers[name].is_retired = True
        self._drop(self._workers[name], reason, 0)

    def _drop(self, worker: _Worker, reason: str, attempts: int) -> None:
        self._loss = reason
        numbers, worker.running = worker.running, []
        for number in numbers:
            self._copies[number] -= 1
            self._again(number, reason, attempts)

    def _again(self, number: int, reason: str, attempts: int) -> None:
        if number not in self._remaining or self._copies[number]:
            return
        self._started.pop(number, None)
        self._attempts[number] += attempts
        if self._attempts[number] >= ATTEMPTS:
            self.reasons[number] = reason
        else:
            self._queue.append(number)

    def _next(self, worker: _Worker, now: float) -> int | None:
        if not worker.running:
            return self._queue.popleft() if self._queue else self._late(now)
        if not self._queue or len(worker.running) >= _QUEUE:
            return None
        # a slice that may have killed its worker shares no other with its fate
        if self._attempts[self._queue[0]] or any(map(self._attempts.__getitem__, worker.running)):
            return None
        return self._queue.popleft()

    def _late(self, now: float) -> int | None:
        """The slice that has run longest, where it takes far longer than others."""
        if not self._durations:
            return None
        limit = self._limit * median(self._durations)
        late = [
            (start, number)
            for number, start in self._started.items()
            if now - start > limit and self._copies[number] == 1
        ]
        return min(late)[1] if late else None
