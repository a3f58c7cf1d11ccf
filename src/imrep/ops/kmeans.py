"""K-means, exactly repeatable: Lloyd's iteration from seeded k-means++ or from given centres.

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

_AT_ONCE = 2**14  # rows whose distances are held at a time, so that they stay in the cache
_SAME = 1e-6  # of the largest distance from the mean: nearer than that is rounding


def kmeans(
    rows: Tensor, count: int, *, start: Tensor | None = None, iterations: int = 10, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Centres (count, d) of rows (n, d), and the number of each row's centre (n,).

    A row equally near to several centres belongs to the first. A centre without rows moves to the
    row that is farthest from its own centre (the first of equals, the next one for a second such
    centre); where every row is at a centre already it stays empty.

    Args:
        rows: Finite numbers.
        count: How many centres, at most n.
        start: Centres to begin with, (count, d); drawn by k-means++ if none.
        iterations: Rounds of assigning and averaging; fewer if nothing changes any more.
        seed: Of the drawing.

    Raises:
        BadParameter: If there are fewer rows than centres.
    """
    if not 1 <= count <= len(rows):
        raise BadParameter(
            f"k-means needs a number of clusters from 1 to the {len(rows)} rows, got {count}."
        )
    mean = rows.mean(0)
    rows = (rows - mean).detach()  # distances lose no digits to where the rows are
    centres = _drawn(rows, count, seed) if start is None else (start - mean).detach()
    bench = _Bench(rows, count)
    for _ in range(iterations):
        totals = bench.totals(centres)
        size = totals[:, -1:]
        moved = torch.where(size > 0, totals[:, :-1] / size.clamp_min(1), centres)
        if not bool((size > 0).all()):
            moved = _refilled(rows, moved, size.flatten() > 0, bench.labels(centres))
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres + mean, bench.labels(centres)


def _drawn(rows: Tensor, count: int, seed: int) -> Tensor:
    """Rows drawn by their squared distance from those drawn before; equal ones where none is off.

    Chance comes from the processor, so that every device draws the same.
    """
    chance = torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    n = len(rows)
    chosen = [rows[min(int(float(chance[0]) * n), n - 1)]]
    apart = (rows - chosen[0]).square().sum(1)
    for draw in chance[1:].tolist():
        running = apart.double().cumsum(0)
        place = torch.searchsorted(running, draw * running[-1:], right=True)
        chosen.append(rows[place.clamp_max(n - 1)[0]])
        apart = torch.minimum(apart, (rows - chosen[-1]).square().sum(1))
    return torch.stack(chosen)


def _refilled(rows: Tensor, centres: Tensor, full: Tensor, labels: Tensor) -> Tensor:
    """Centres, the empty ones moved to the rows farthest from theirs."""
    apart = (rows - centres[labels]).square().sum(1)
    least = (_SAME * rows.abs().max()) ** 2
    centres = centres.clone()
    for empty in (~full).nonzero().flatten().tolist():
        place = apart.argmax()
        if not bool(apart[place] > least):
            break
        centres[empty] = rows[place]
        apart = torch.minimum(apart, (rows - rows[place]).square().sum(1))
    return centres


class _Bench:
    """Rows in pieces, and memory for the scores of one piece: fresh memory costs more than sums.

    The score of a centre is x · c - |c|² / 2, greatest where the distance is least.
    """

    def __init__(self, rows: Tensor, count: int) -> None:
        ones = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
        self.pieces = ones.T.contiguous().split(_AT_ONCE, dim=1)
        most = min(len(rows), _AT_ONCE)
        self.scores, self.belongs = rows.new_empty(2, count, most).unbind(0)
        self.rank = torch.arange(count, 0, -1).to(rows)[:, None]
        self.first = rows.new_empty(most)

    def totals(self, centres: Tensor) -> Tensor:
        """Sums of each centre's rows, and how many they are, (count, d + 1)."""
        totals = centres.new_zeros(len(centres), centres.shape[1] + 1)
        for piece, ranks, first in self._ranked(centres):
            torch.eq(ranks, first, out=ranks)
            totals += (piece @ ranks.T).T
        return totals

    def labels(self, centres: Tensor) -> Tensor:
        """The number of each row's nearest centre."""
        found = [len(centres) - first for _, _, first in self._ranked(centres)]
        return torch.cat(found).long()

    def _ranked(self, centres: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Pieces with the rank of each nearest centre, 0 elsewhere, and the greatest rank.

        The first centre has the greatest rank.
        """
        weights = torch.cat([centres, -centres.square().sum(1, keepdim=True) / 2], dim=1)
        for piece in self.pieces:
            size = piece.shape[1]
            scores, belongs = self.scores[:, :size], self.belongs[:, :size]
            first = self.first[:size]
            torch.mm(weights, piece, out=scores)
            torch.amax(scores, 0, out=first)
            torch.eq(scores, first, out=belongs).mul_(self.rank)
            torch.amax(belongs, 0, out=first)
            yield piece, belongs, first
