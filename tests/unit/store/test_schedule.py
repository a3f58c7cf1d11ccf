"""Slices are shared, done again and given up as they should be: no Ray, no waiting."""

import random

import pytest

from imrep.store.schedule import ATTEMPTS, Schedule, slices


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000, 100_000])
def test_slices_cover_all_images_in_whole_batches(count):
    parts = slices(count, workers=3, batch=64, limit=2000)
    assert [index for part in parts for index in part] == list(range(count))
    assert all(len(part) % 64 == 0 for part in parts[:-1])
    assert all(len(part) <= 2000 for part in parts)


def test_slices_are_as_large_as_sharing_allows():
    assert {len(part) for part in slices(800, workers=2, batch=10, limit=2000)} == {100}
    assert len(slices(10, workers=4, batch=64, limit=2000)) == 1
    assert [len(part) for part in slices(100, workers=1, batch=64, limit=8)] == [64, 36]


def finish_all(schedule, now=0.0):
    """Have every worker finish what it has, until all is over; the slices in order of finishing."""
    order = []
    while not schedule.is_over:
        pairs = schedule.assign(now)
        assert pairs
        order += [number for name, number in pairs if schedule.finish(name, number, now)]
    return order


def test_every_slice_is_done_once():
    schedule = Schedule(20, range(3))
    assert sorted(finish_all(schedule)) == list(range(20))
    assert schedule.unfinished() == {}


def test_each_worker_has_a_slice_before_any_has_two():
    schedule = Schedule(3, range(2))
    assert schedule.assign(0.0) == [(0, 0), (1, 1), (0, 2)]
    assert schedule.assign(0.0) == []


def test_what_a_dead_worker_had_is_done_again():
    schedule = Schedule(6, range(2))
    schedule.assign(0.0)
    assert schedule.lose(0, "killed")
    for name, number in [(1, 1), (1, 3)]:
        assert schedule.finish(name, number, 1.0)
    assert sorted(finish_all(schedule)) == [0, 2, 4, 5]
    assert schedule.unfinished() == {}


def test_a_slice_that_kills_every_worker_is_given_up_and_costs_no_other():
    schedule = Schedule(8, range(2))
    while not schedule.is_over:
        for name, number in schedule.assign(0.0):
            if number == 5:
                assert schedule.lose(name, "killed"), "its worker is not to blame"
                break
            schedule.finish(name, number, 0.0)
        else:
            continue
        for worker in range(2):  # what the round had begun is finished or was lost
            for number in list(schedule._workers[worker].running):
                schedule.finish(worker, number, 0.0)
    assert schedule.unfinished() == {5: "killed"}


def test_a_slice_that_fails_is_given_up_after_three_attempts():
    schedule = Schedule(1, range(2))
    for _ in range(ATTEMPTS):
        ((name, number),) = schedule.assign(0.0)
        schedule.fail(name, number, "out of memory")
    assert schedule.is_over and schedule.unfinished() == {0: "out of memory"}


def test_workers_that_always_die_are_not_started_for_ever():
    schedule = Schedule(1000, range(2))
    deaths = 0
    while not schedule.is_over:
        for name in {name for name, _ in schedule.assign(0.0)}:
            schedule.lose(name, "no imrep there")
            deaths += 1
    assert deaths == 2 * ATTEMPTS
    assert len(schedule.unfinished()) == 1000


def test_a_worker_that_is_cut_off_costs_no_attempt_and_has_no_more_slices():
    schedule = Schedule(4, range(2))
    schedule.assign(0.0)
    schedule.retire(0, "it cannot read")
    for number in (1, 3):
        schedule.finish(1, number, 0.0)
    assert sorted(finish_all(schedule)) == [0, 2]


def test_without_workers_the_remaining_slices_are_named():
    schedule = Schedule(3, range(1))
    schedule.assign(0.0)
    schedule.finish(0, 0, 0.0)
    schedule.retire(0, "it cannot read")
    assert schedule.is_over and schedule.unfinished() == dict.fromkeys((1, 2), "it cannot read")


def test_an_idle_worker_does_a_late_slice_as_well_and_the_first_result_counts():
    schedule = Schedule(2, range(2))
    assert schedule.assign(0.0) == [(0, 0), (1, 1)]
    schedule.finish(1, 1, 10.0)
    assert schedule.assign(19.0) == []  # not late yet
    assert schedule.assign(21.0) == [(1, 0)]
    assert schedule.finish(1, 0, 30.0)
    assert not schedule.finish(0, 0, 31.0)
    assert schedule.is_over and not schedule.unfinished()


@pytest.mark.parametrize("seed", range(30))
def test_any_course_of_a_run_ends_with_each_slice_done_once_or_named(seed):
    rng = random.Random(seed)
    count, now = rng.randrange(1, 40), 0.0
    schedule, done = Schedule(count, range(rng.randrange(1, 5))), []
    running = set()
    while not schedule.is_over:
        now += rng.expovariate(1.0)
        running |= set(schedule.assign(now))
        name, number = rng.choice(sorted(running))
        event = rng.random()
        if event < 0.8:
            running.remove((name, number))
            done += [number] if schedule.finish(name, number, now) else []
        elif event < 0.9:
            running.remove((name, number))
            schedule.fail(name, number, "failed")
        else:
            running = {pair for pair in running if pair[0] != name}
            if event < 0.97:
                schedule.lose(name, "killed")
            else:
                schedule.retire(name, "cut off")
    assert sorted([*done, *schedule.unfinished()]) == list(range(count))
