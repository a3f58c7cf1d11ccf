"""K-means of one image's pixels: Lloyd's iteration from seeded k-means++ or from centres.

It runs inside `encode`, once an image, on the image's device, and gives the same on every run. What
is fitted on many images is scikit-learn's.

References:
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28(2), 1982.
    doi:10.1109/TIT.1982.1056489
    D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    https://dl.acm.org/doi/10.5555/1283383.1283494
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from imrep.errors import BadParameter

_BATCH = 2**14  # rows whose distances are computed in one pass and stay in the cache
_ROUNDING = 1e-6  # of the largest coordinate: distances below are rounding


def kmeans(
    rows: Tensor, count: int, *, start: Tensor | None = None, iterations: int = 10, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Centres (count, d) of rows (n, d), and the number of each row's centre (n,).

    A row at equal distance from several centres belongs to the first. A centre without rows moves
    to the row farthest from its own centre (the first of equals, the next for a second such
    centre); where every row is at a centre already it stays empty.

    Args:
        rows: Finite numbers.
        count: Number of centres, at most n.
        start: First centres (count, d); by k-means++ if none.
        iterations: Greatest number of iterations; they end when nothing changes.
        seed: Seed of k-means++.

    Raises:
        BadParameter: If there are fewer rows than centres.
    """
    if not 1 <= count <= len(rows):
        raise BadParameter(
            f"k-means needs a number of clusters from 1 to the {len(rows)} rows, got {count}."
        )
    mean = rows.mean(0)
    rows = (rows - mean).detach()  # an offset would cost digits of the distances
    centres = _plusplus(rows, count, seed) if start is None else (start - mean).detach()
    workspace = _Workspace(rows, count)
    for _ in range(iterations):
        totals = workspace.totals(centres)
        size = totals[:, -1:]
        moved = torch.where(size > 0, totals[:, :-1] / size.clamp_min(1), centres)
        if not bool((size > 0).all()):
            moved = _refilled(rows, moved, size.flatten() > 0, workspace.labels(centres))
        # Equal to the last bit: another iteration would assign and average the same rows.
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres + mean, workspace.labels(centres)


def _plusplus(rows: Tensor, count: int, seed: int) -> Tensor:
    """Rows sampled in proportion to the squared distance from those sampled before.

    Random numbers come from the CPU, so that every device samples the same rows.
    """
    generator = torch.Generator().manual_seed(seed)
    uniform = torch.rand(count, generator=generator, dtype=torch.float64).tolist()
    n = len(rows)
    chosen = [rows[min(int(uniform[0] * n), n - 1)]]
    distance = (rows - chosen[0]).square().sum(1)
    for u in uniform[1:]:
        # Inverse transform sampling. In float64, so that a long sum does not lose small distances.
        cumulative = distance.double().cumsum(0)
        # `right` skips rows at distance 0; where all are, the index is n and is clamped below n.
        index = torch.searchsorted(cumulative, u * cumulative[-1:], right=True)
        chosen.append(rows[index.clamp_max(n - 1)[0]])
        distance = torch.minimum(distance, (rows - chosen[-1]).square().sum(1))
    return torch.stack(chosen)


def _refilled(rows: Tensor, centres: Tensor, occupied: Tensor, labels: Tensor) -> Tensor:
    """Centres, with the empty ones moved to the rows farthest from theirs."""
    distance = (rows - centres[labels]).square().sum(1)
    rounding = (_ROUNDING * rows.abs().max()) ** 2
    centres = centres.clone()
    for empty in (~occupied).nonzero().flatten().tolist():
        farthest = distance.argmax()
        # Fewer different rows than centres: the remaining centres stay empty.
        if not bool(distance[farthest] > rounding):
            break
        centres[empty] = rows[farthest]
        distance = torch.minimum(distance, (rows - rows[farthest]).square().sum(1))
    return centres


class _Workspace:
    """Rows in batches, and buffers for the scores of one batch, used again in every iteration.

    The score of a centre is x · c - |c|² / 2, greatest where the distance is least. Rows carry a
    column of ones: it multiplies -|c|² / 2 in the scores, and counts rows in the totals.
    """

    def __init__(self, rows: Tensor, count: int) -> None:
        extended = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
        # Transposed: the maximum over centres then runs elementwise along contiguous memory.
        self.batches = extended.T.contiguous().split(_BATCH, dim=1)
        size = min(len(rows), _BATCH)
        self.scores, self.ranks = rows.new_empty(2, count, size).unbind(0)
        self.rank = torch.arange(count, 0, -1).to(rows)[:, None]
        self.best = rows.new_empty(size)

    def totals(self, centres: Tensor) -> Tensor:
        """Sums of each centre's rows, and their number, (count, d + 1)."""
        totals = centres.new_zeros(len(centres), centres.shape[1] + 1)
        for batch, ranks, best in self._ranked(centres):
            torch.eq(ranks, best, out=ranks)  # one-hot assignment
            totals += (batch @ ranks.T).T
        return totals

    def labels(self, centres: Tensor) -> Tensor:
        """The number of each row's nearest centre."""
        labels = [len(centres) - best for _, _, best in self._ranked(centres)]
        return torch.cat(labels).long()

    def _ranked(self, centres: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Batches with the rank of each nearest centre, 0 elsewhere, and the greatest rank.

        The first centre has the greatest rank, so that it wins among equals. All of it happens in
        the buffers, whose contents the next batch overwrites.
        """
        weights = torch.cat([centres, -centres.square().sum(1, keepdim=True) / 2], dim=1)
        for batch in self.batches:
            size = batch.shape[1]
            scores, ranks, best = self.scores[:, :size], self.ranks[:, :size], self.best[:size]
            # Each centre of the best score gets its rank; the greatest is that of the first.
            torch.mm(weights, batch, out=scores)
            torch.amax(scores, 0, out=best)
            torch.eq(scores, best, out=ranks).mul_(self.rank)
            torch.amax(ranks, 0, out=best)
            yield batch, ranks, best
