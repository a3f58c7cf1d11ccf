"""Hard, typical and confused images, from given probabilities."""

import numpy as np

from imrep.comparison.conclusions import remarkable

N, COUNT = 60, 3
LABELS = np.arange(N) % COUNT


def table(seed=0):
    rng = np.random.default_rng(seed)
    values = rng.uniform(0, 1, (N, COUNT))
    values[np.arange(N), LABELS] += 1
    return values / values.sum(1, keepdims=True)


def select(p, labels=LABELS, copies=None, eligible=None):
    n = len(labels)
    copies = np.arange(n) if copies is None else copies
    eligible = np.ones(n, bool) if eligible is None else eligible
    return remarkable.select(p, labels, np.arange(n), copies, eligible)


def gap(p):
    others = p.copy()
    others[np.arange(N), LABELS] = -1
    return np.abs(p[np.arange(N), LABELS] - others.max(1))


def test_the_hardest_have_the_smallest_gap_two_a_class():
    p = table()
    hardest = select(p).hardest
    assert np.bincount(LABELS[hardest]).tolist() == [2, 2, 2]
    for label in range(COUNT):
        own = np.flatnonzero(label == LABELS)
        expected = own[np.argsort(gap(p)[own])][:2]
        assert set(expected) == {i for i in hardest if LABELS[i] == label}
    assert (np.diff(gap(p)[hardest]) >= 0).all()


def test_what_is_easy_or_mislabelled_is_not_hard():
    p = np.full((N, COUNT), 0.05)
    p[np.arange(N), LABELS] = 0.9
    p[4], p[7] = [0.9, 0.05, 0.05], [0.4, 0.55, 0.05]
    assert select(p).hardest == [7]


def test_the_most_typical_have_the_highest_probability_three_a_class():
    p = table()
    typical = select(p).typical
    assert LABELS[typical].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    own = p[np.arange(N), LABELS]
    assert typical[0] == max(range(0, N, 3), key=own.__getitem__)


def test_of_many_classes_each_has_a_picture():
    labels = np.arange(60) % 30
    p = np.full((60, 30), 0.01)
    p[np.arange(60), labels] = 0.5
    chosen = select(p, labels)
    assert sorted(set(labels[chosen.typical])) == list(range(30))
    assert len(chosen.hardest) == 24


def test_suspects_and_second_copies_are_not_among_them():
    p, eligible, copies = table(), np.ones(N, bool), np.arange(N)
    first = select(p)
    eligible[first.hardest[0]] = False
    copies[first.typical[1]] = copies[first.typical[0]]
    second = select(p, copies=copies, eligible=eligible)
    assert first.hardest[0] not in second.hardest
    assert first.typical[1] not in second.typical and first.typical[0] in second.typical


def test_the_most_confused_pair_shows_those_most_like_the_other():
    p = np.full((N, COUNT), 0.1)
    p[np.arange(N), LABELS] = 0.8
    wrong = np.flatnonzero(LABELS == 2)[:4]
    p[wrong, 2], p[wrong, 1] = 0.1, np.array([0.6, 0.8, 0.7, 0.9])
    chosen = select(p)
    assert chosen.pair == (2, 1)
    assert chosen.confused[0] == wrong[[3, 1, 2]].tolist()
    assert LABELS[chosen.confused[1]].tolist() == [1, 1, 1]


def test_without_errors_there_is_no_pair():
    p = np.eye(COUNT)[LABELS]
    assert select(p).pair is None and select(p).confused == ([], [])
