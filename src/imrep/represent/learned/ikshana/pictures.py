"""Pictures of glances: what each adds to those before it at its scale."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.drawing import enlarge
from imrep.types import Picture

_WIDTH_PX = 1024  # of all tiles side by side, about
_BAR_PX = 3
_GAP_PX = 2
_DEVIATIONS = 2.5  # of a principal component, that reach the end of a colour
_EPSILON = 1e-9


def additions(gists: Sequence[Sequence[Tensor]]) -> Picture:
    """A row for each scale and a column for each glance, (b, 3, rows, columns).

    The maps of a glance are predicted from those of the glances before it at its scale by least
    squares, pixel by pixel. The first three principal components of what the prediction leaves are
    red, green and blue; the bar below is as long as its share of the glance's variance.

    Args:
        gists: Maps (b, c, h, w) of each glance, scale by scale.
    """
    height, width = _tile(gists)
    pictures = []
    for i in range(len(gists[0][0])):
        rows = [
            torch.cat(
                [_framed(*glance, height, width) for glance in _residuals(maps, i, height)], 2
            )
            for maps in gists
        ]
        pictures.append(torch.cat(rows, 1))
    return enlarge(torch.stack(pictures)[..., :-_GAP_PX, :-_GAP_PX])


def _tile(gists: Sequence[Sequence[Tensor]]) -> tuple[int, int]:
    """Height and width of a tile: those of the first scale, reduced where there are many."""
    height, width = gists[0][0].shape[2:]
    scale = min(1.0, _WIDTH_PX / (width * len(gists[0])), _WIDTH_PX / (height * len(gists)))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _residuals(maps: Sequence[Tensor], i: int, height: int) -> list[tuple[Tensor, float]]:
    """The colours (3, h, w) and the share of each glance of image `i`."""
    rows = min(height, maps[0].shape[2])
    size = rows, max(1, round(maps[0].shape[3] * rows / maps[0].shape[2]))
    small = [F.adaptive_avg_pool2d(values[i].detach(), size) for values in maps]
    flat = [values.flatten(1).mT.double() for values in small]
    flat = [values - values.mean(0) for values in flat]
    # Of an orthogonal basis that begins with all glances before, a glance's coordinates behind
    # these are what no combination of them can give.
    basis, coordinates = torch.linalg.qr(torch.cat(flat, 1))
    results, start = [], 0
    for values in flat:
        stop = start + values.shape[1]
        residual = basis[:, start:] @ coordinates[start:, start:stop]
        share = residual.square().sum() / values.square().sum().clamp_min(_EPSILON)
        colours = _components(residual).mT.reshape(3, *size)
        results.append((colours.to(maps[0]), min(1.0, float(share))))
        start = stop
    return results


def _components(x: Tensor) -> Tensor:
    """The first three principal components of (n, c) as colours (n, 3) around middle gray."""
    values, vectors = torch.linalg.eigh(x.mT @ x)
    order = values.argsort(descending=True)[:3]
    axes = vectors[:, order]
    axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    scores = F.pad(x @ axes, (0, 3 - axes.shape[1]))
    deviation = scores.square().mean(0).sqrt().max().clamp_min(_EPSILON)
    return (0.5 + scores / (2 * _DEVIATIONS * deviation)).clamp(0, 1)


def _framed(colours: Tensor, share: float, height: int, width: int) -> Tensor:
    """A tile of this size above its bar, with white to the right and below."""
    tile = F.interpolate(colours[None], (height, width))[0]
    bar = tile.new_full((3, _BAR_PX, width), 0.15)
    bar[..., : round(share * width)] = tile.new_tensor((0.94, 0.63, 0.24))[:, None, None]
    return F.pad(torch.cat([tile, bar], 1), (0, _GAP_PX, 0, _GAP_PX), value=1.0)
