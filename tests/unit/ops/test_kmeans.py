"""K-means: the laws of Lloyd's iteration, ties, empty clusters, repeatability."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.errors import BadParameter
from imrep.ops.kmeans import kmeans


def random_rows(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inertia(rows, centres, labels):
    return float((rows - centres[labels]).square().sum())


CASES = given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 8), st.integers(0, 99))


@CASES
def test_each_row_belongs_to_its_nearest_centre(n, d, count, seed):
    rows, count = random_rows(n, d, seed), min(n, count)
    centres, labels = kmeans(rows, count, seed=seed)
    assert centres.shape == (count, d) and labels.shape == (n,)
    distance = torch.cdist(rows, centres)
    chosen = distance.gather(1, labels[:, None])[:, 0]
    assert_close(chosen, distance.amin(1), rtol=0, atol=1e-7)


@CASES
def test_converged_centres_are_the_means_of_their_rows(n, d, count, seed):
    rows, count = random_rows(n, d, seed), min(n, count)
    centres, labels = kmeans(rows, count, iterations=200, seed=seed)
    for i in range(count):
        assert_close(centres[i], rows[labels == i].mean(0), rtol=0, atol=1e-9)


def test_iterations_never_raise_the_sum_of_squares():
    rows = random_rows(300, 3)
    sums = [inertia(rows, *kmeans(rows, 7, iterations=i)) for i in range(12)]
    assert sums == sorted(sums, reverse=True) and sums[-1] < 0.9 * sums[0]


def test_it_is_scikit_learns_from_the_same_start():
    from sklearn.cluster import KMeans

    rows = random_rows(200, 5)
    peer = KMeans(6, init=rows[:6].numpy(), n_init=1, max_iter=300, tol=0).fit(rows.numpy())
    centres, labels = kmeans(rows, 6, start=rows[:6], iterations=300)
    np.testing.assert_allclose(centres, peer.cluster_centers_, atol=1e-9)
    np.testing.assert_array_equal(labels, peer.labels_)


def test_moved_and_scaled_rows_have_moved_and_scaled_centres():
    rows = random_rows(100, 3)
    centres, labels = kmeans(rows, 5)
    for scale, offset in ((3.0, -7.0), (1e-3, 1e3)):
        moved, same = kmeans(scale * rows + offset, 5)
        assert torch.equal(same, labels)
        assert_close(moved, scale * centres + offset, rtol=0, atol=1e-9)


def test_as_many_clusters_as_rows_are_the_rows():
    rows = random_rows(9, 2)
    centres, labels = kmeans(rows, 9)
    assert_close(centres[labels], rows)
    assert len(set(labels.tolist())) == 9


def test_separate_groups_are_recovered():
    corners = torch.tensor([[0.0, 0], [0, 9], [9, 0], [9, 9]]).double()
    rows = corners.repeat_interleave(50, 0) + 0.3 * random_rows(200, 2)
    centres, labels = kmeans(rows, 4)
    assert (labels.view(4, 50) == labels.view(4, 50)[:, :1]).all()
    assert torch.cdist(centres, corners).amin(0).max() < 0.2


def test_an_equal_distance_goes_to_the_first_centre():
    rows = torch.tensor([[-1.0], [0.0], [1.0]])
    for start in ([[-1.0], [1.0]], [[1.0], [-1.0]]):
        _, labels = kmeans(rows, 2, start=torch.tensor(start), iterations=0)
        assert labels[1] == 0


def test_an_empty_cluster_moves_to_the_farthest_row():
    rows = torch.tensor([[0.0], [0.1], [0.2], [5.0]])
    centres, labels = kmeans(rows, 2, start=torch.tensor([[0.0], [-50.0]]), iterations=10)
    assert labels.tolist() == [0, 0, 0, 1]
    assert_close(centres, torch.tensor([[0.1], [5.0]]))


def test_equal_rows_leave_clusters_empty_and_finite():
    rows = torch.full((6, 3), 0.3)
    centres, labels = kmeans(rows, 4)
    assert_close(centres, torch.full((4, 3), 0.3))
    assert not labels.any()


def test_a_seed_decides_everything_and_the_input_is_left_alone():
    rows = random_rows(80, 3)
    copy, state = rows.clone(), torch.get_rng_state()
    first = kmeans(rows, 9, seed=3, iterations=1)
    again = kmeans(rows, 9, seed=3, iterations=1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], kmeans(rows, 9, seed=4, iterations=1)[0])
    assert torch.equal(rows, copy) and torch.equal(torch.get_rng_state(), state)


def test_more_rows_than_a_batch_give_the_centres_of_one_batch():
    rows = random_rows(20_000, 2).float()
    start = torch.tensor([[-1.0, 0], [1, 0], [0, 1]])
    centres, labels = kmeans(rows, 3, start=start, iterations=1)
    nearest = torch.cdist(rows, start).argmin(1)
    wanted = torch.stack([rows[nearest == i].mean(0) for i in range(3)])
    assert_close(centres, wanted, rtol=0, atol=1e-4)
    assert (labels == torch.cdist(rows, centres).argmin(1)).float().mean() > 0.9999


@pytest.mark.parametrize("count", [0, -1, 6])
def test_a_number_of_clusters_beyond_the_rows_is_refused(count):
    with pytest.raises(BadParameter, match=f"from 1 to the 5 rows, got {count}"):
        kmeans(torch.zeros(5, 2), count)
