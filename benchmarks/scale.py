"""Stragglers and failures: how long N workers take for many slices, with and without copies.

    python benchmarks/scale.py
    python benchmarks/scale.py --workers 300 --slices 30000

A simulation by events around the schedule of `imrep embed --engine ray` itself, `store.schedule`:
a slice whose worker dies is done again, the worker is replaced, and an idle worker does a late
slice as well. The unit of time is the mean duration of a usual slice. Durations are log-normal; a
share of them is ten times as long, as where a disk is busy, and a copy of a slow slice is as likely
to be slow as any; workers die at exponential times. Asserted: no slice is done twice.
"""

import argparse
import heapq
import time

import numpy as np

from imrep.store.schedule import LATE, Schedule

_SPREAD = 0.2  # standard deviation of the logarithm of a duration
_SLOW = 10.0  # factor of a slow slice
_RESTART = 0.5  # until a new worker is ready
_POLL = 0.1  # between two looks for late slices
_CASES = {
    "no failure": (0.0, 1e9),
    "1 % slow": (0.01, 1e9),
    "workers die every 200": (0.0, 200.0),
    "both": (0.01, 200.0),
}


class Run:
    """One course of events; `makespan`, `work`, `lost` and `named` hold what came of it."""

    def __init__(self, workers, slices, slow, lifetime, late, seed):
        self.rng = np.random.default_rng(seed)
        self.slow, self.lifetime, self.late = slow, lifetime, late
        self.schedule = Schedule(slices, range(workers), late)
        self.events = []  # (time, order, what is called with the time and these arguments)
        self.queues = [[] for _ in range(workers)]  # slices; the first is being done
        self.began, self.ready, self.life = [0.0] * workers, [0.0] * workers, [0] * workers
        self.makespan = self.work = self.lost = 0.0
        self.done = []
        for worker in range(workers):
            self.add(self.rng.exponential(lifetime), self.die, worker)
        self.run()

    def add(self, moment, function, *arguments):
        heapq.heappush(self.events, (float(moment), self.rng.random(), function, arguments))

    def run(self):
        self.add(0.0, self.poll)
        while not self.schedule.is_over:
            now, _, function, arguments = heapq.heappop(self.events)
            function(now, *arguments)
            for worker, number in self.schedule.assign(now):
                self.queues[worker].append(number)
                if len(self.queues[worker]) == 1:
                    self.begin(now, worker)
        self.makespan = now
        for worker, queue in enumerate(self.queues):  # copies that are stopped at the end
            self.lost += max(now - self.began[worker], 0.0) if queue else 0.0
        self.named = len(self.schedule.unfinished())
        assert len(set(self.done)) == len(self.done)

    def begin(self, now, worker):
        self.began[worker] = max(now, self.ready[worker])
        duration = np.exp(self.rng.normal(-(_SPREAD**2) / 2, _SPREAD))
        duration *= _SLOW if self.rng.random() < self.slow else 1.0
        self.add(self.began[worker] + duration, self.end, worker, self.life[worker])

    def end(self, now, worker, life):
        if life != self.life[worker]:  # it died before
            return
        number = self.queues[worker].pop(0)
        if self.schedule.finish(worker, number, now):
            self.done.append(number)
            self.work += now - self.began[worker]
        else:
            self.lost += now - self.began[worker]
        if self.queues[worker]:
            self.begin(now, worker)

    def die(self, now, worker):
        if self.queues[worker]:
            self.lost += max(now - self.began[worker], 0.0)
        self.queues[worker], self.ready[worker] = [], now + _RESTART
        self.life[worker] += 1
        if self.schedule.lose(worker, "it died"):
            self.add(now + self.rng.exponential(self.lifetime), self.die, worker)

    def poll(self, now):
        self.add(now + _POLL, self.poll)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--slices", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    print(f"{options.workers} workers, {options.slices} slices, means of {options.seeds} courses")
    print("| case | copies | makespan | ÷ work / workers | lost work | named |")
    print("|---|---|---|---|---|---|")
    for case, (slow, lifetime) in _CASES.items():
        for late in (float("inf"), LATE):
            runs = [
                Run(options.workers, options.slices, slow, lifetime, late, seed)
                for seed in range(options.seeds)
            ]
            makespan = np.mean([run.makespan for run in runs])
            ideal = options.slices * (1 + slow * (_SLOW - 1)) / options.workers
            lost = np.mean([run.lost / (run.lost + run.work) for run in runs])
            named = sum(run.named for run in runs)
            copies = "no" if late > LATE else "yes"
            print(
                f"| {case} | {copies} | {makespan:.1f} | {makespan / ideal:.2f} | "
                f"{100 * lost:.1f} % | {named} |"
            )
    print(f"{time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
