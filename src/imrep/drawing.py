"""Default pictures, one per kind of code: RGB in [0, 1], for eyes only.

Unsigned numbers run from dark to light through one ramp of colours, signed ones from blue through
grey to orange, so that grey always means zero.
"""

import math
from functools import singledispatch

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.codes import (
    Code,
    Fields,
    Grid,
    Map,
    Points,
    Pyramid,
    Regions,
    Spectrum,
    Tokens,
    Vector,
    Views,
)
from imrep.types import Image, Picture

_LIGHT = ((0.05, 0.03, 0.14), (0.32, 0.10, 0.43), (0.76, 0.25, 0.38), (0.97, 0.63, 0.32),
          (0.99, 0.98, 0.80))  # fmt: skip
_SIGNED = ((0.10, 0.27, 0.55), (0.45, 0.65, 0.83), (0.50, 0.50, 0.50), (0.90, 0.65, 0.40),
           (0.60, 0.25, 0.05))  # fmt: skip
_MOST = 64  # channels drawn of a map
_GAP = 1
_SIDE = 256  # pictures of small codes are enlarged to about this


@singledispatch
def draw(code: Code, image: Image | None = None) -> Picture:
    """Draw a code, over its image where one is given and the kind of code has places in it."""
    raise TypeError(f"there is no picture of a {type(code).__name__}")


@draw.register
def _(code: Vector, image: Image | None = None) -> Picture:
    """Its numbers row by row."""
    values = code.values.detach()
    columns = math.ceil(math.sqrt(values.shape[1]))
    filled = F.pad(values, (0, columns * math.ceil(values.shape[1] / columns) - values.shape[1]))
    return enlarge(light(filled.reshape(len(values), 1, -1, columns)))


@draw.register
def _(code: Map, image: Image | None = None) -> Picture:
    """The maps in their order, at most 64; each in the colours of its own range."""
    maps = code.values.detach()[:, :_MOST]
    colour = signed if code.signed else light
    return enlarge(montage([colour(one) for one in maps.split(1, dim=1)]))


@draw.register
def _(code: Pyramid, image: Image | None = None) -> Picture:
    """The finest band on the left; coarser ones and the rest stacked beside it."""
    bands = [signed(band.detach().mean(1, keepdim=True)) for band in code.bands]
    rest = code.rest.detach()
    tiles = [*bands, rest.clamp(0, 1).expand(-1, 3, -1, -1)]
    return enlarge(beside(tiles[0], stack(tiles[1:])) if len(tiles) > 1 else tiles[0])


@draw.register
def _(code: Tokens, image: Image | None = None) -> Picture:
    """The first three principal components of the patches as red, green and blue."""
    patches = code.patches.detach().float()
    centred = patches - patches.mean(1, keepdim=True)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    three = F.pad(centred @ axes.mT[..., :3], (0, max(0, 3 - axes.shape[1])))
    return enlarge(_stretch(three.mT.reshape(len(patches), 3, *code.grid)))


@draw.register
def _(code: Points, image: Image | None = None) -> Picture:
    """A circle of its extent round each point, with a line towards its angle."""
    drawn = [_circles(code, i, image) for i in range(len(code))]
    return torch.stack(drawn).to(code.xy)


@draw.register
def _(code: Grid, image: Image | None = None) -> Picture:
    """Depth by depth, the first three channels (a weight in the last channel divided out)."""
    values = code.values.detach()
    slices = [light(one.squeeze(2).mean(1, keepdim=True)) for one in values.split(1, dim=2)]
    return enlarge(montage(slices))


@draw.register
def _(code: Spectrum, image: Image | None = None) -> Picture:
    """Log magnitude: zero frequency in the middle, or block frequencies side by side."""
    if isinstance(code.values, tuple):
        return enlarge(stack([light(_tiled(plane.detach())) for plane in code.values]))
    magnitude = torch.fft.fftshift(code.values.detach().abs(), dim=(-2, -1))
    return enlarge(light(magnitude.mean(1, keepdim=True).log1p()))


@draw.register
def _(code: Regions, image: Image | None = None) -> Picture:
    """Each region in the mean colour of its pixels, or in a colour of its own; borders dark."""
    drawn = [
        _painted(labels, None if image is None else image[i].detach())
        for i, labels in enumerate(code.labels)
    ]
    return torch.stack(drawn)


@draw.register
def _(code: Fields, image: Image | None = None) -> Picture:
    """The greatest confidence at each place, over half of the image."""
    heat = light(code.confidence.detach().amax(1, keepdim=True))
    heat = F.interpolate(heat, code.size, mode="bilinear", align_corners=False)
    return heat if image is None else (heat + image.detach()) / 2


@draw.register
def _(code: Views, image: Image | None = None) -> Picture:
    """The views' pictures, one above the other."""
    return stack([draw(part, image) for part in code.codes])


def light(x: Tensor) -> Picture:
    """Colours of (b, 1, h, w) from each image's least value (dark) to its greatest (light)."""
    return _ramp(_stretch(x), _LIGHT)


def signed(x: Tensor) -> Picture:
    """Colours of (b, 1, h, w): grey for zero, blue below, orange above, by each image's extreme."""
    extreme = x.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12)
    return _ramp(0.5 + 0.5 * x / extreme, _SIGNED)


def montage(tiles: list[Picture]) -> Picture:
    """Tiles of one size in a nearly square grid, a thin light line between them."""
    columns = math.ceil(math.sqrt(len(tiles)))
    tiles = tiles + [torch.ones_like(tiles[0])] * (-len(tiles) % columns)
    padded = [F.pad(tile, (0, _GAP, 0, _GAP), value=1.0) for tile in tiles]
    rows = [torch.cat(padded[i : i + columns], dim=3) for i in range(0, len(padded), columns)]
    return torch.cat(rows, dim=2)[..., :-_GAP, :-_GAP]


def stack(pictures: list[Picture]) -> Picture:
    """Pictures below each other, left-aligned on white."""
    width = max(p.shape[3] for p in pictures)
    padded = [F.pad(p, (0, width - p.shape[3], 0, _GAP), value=1.0) for p in pictures]
    return torch.cat(padded, dim=2)[..., :-_GAP, :]


def beside(left: Picture, right: Picture) -> Picture:
    """Two pictures side by side, top-aligned on white."""
    height = max(left.shape[2], right.shape[2])
    padded = [F.pad(p, (0, _GAP, 0, height - p.shape[2]), value=1.0) for p in (left, right)]
    return torch.cat(padded, dim=3)[..., :-_GAP]


def enlarge(picture: Picture) -> Picture:
    """Small pictures enlarged by a whole factor, every value a crisp square."""
    factor = max(1, _SIDE // max(picture.shape[2:]))
    return picture.repeat_interleave(factor, 2).repeat_interleave(factor, 3).clamp(0, 1)


def _stretch(x: Tensor) -> Tensor:
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low).clamp_min(1e-12)


def _ramp(x: Tensor, colours: tuple[tuple[float, float, float], ...]) -> Picture:
    """Piecewise linear colours at x in [0, 1], (b, 1, h, w) to (b, 3, h, w)."""
    anchors = x.new_tensor(colours)
    place = x[:, 0].clamp(0, 1) * (len(colours) - 1)
    below = place.long().clamp_max(len(colours) - 2)
    mixed = torch.lerp(anchors[below], anchors[below + 1], (place - below).unsqueeze(3))
    return mixed.permute(0, 3, 1, 2)


def _tiled(plane: Tensor) -> Tensor:
    """Log absolute block coefficients (b, u, v, h, w) as one map (b, 1, u h, v w)."""
    b, u, v, h, w = plane.shape
    return plane.abs().log1p().permute(0, 1, 3, 2, 4).reshape(b, 1, u * h, v * w)


def _circles(code: Points, i: int, image: Image | None) -> Tensor:
    height, width = code.size
    if image is None:
        canvas = np.full((height, width, 3), 40, np.uint8)
    else:
        pixels = image[i].detach().expand(3, -1, -1).permute(1, 2, 0).float().cpu().numpy()
        canvas = np.ascontiguousarray((pixels * 255).round().clip(0, 255).astype(np.uint8))
    factor = max(1, round(_SIDE / max(height, width)))
    canvas = canvas.repeat(factor, axis=0).repeat(factor, axis=1)
    for j in code.present[i].nonzero().flatten().tolist():
        x, y = ((code.xy[i, j].detach().double() + 0.5) * factor - 0.5).tolist()
        radius = max(2, round(float(code.extent[i, j].detach()) * factor / 2))
        turn = math.radians(float(code.angle[i, j].detach()))
        tip = round(x + radius * math.cos(turn)), round(y + radius * math.sin(turn))
        cv2.circle(canvas, (round(x), round(y)), radius, (240, 160, 60), 1, cv2.LINE_AA)
        cv2.line(canvas, (round(x), round(y)), tip, (240, 160, 60), 1, cv2.LINE_AA)
    return torch.from_numpy(canvas).permute(2, 0, 1).float() / 255


def _painted(labels: Tensor, image: Tensor | None) -> Tensor:
    flat = labels.flatten().long()
    count = int(flat.max()) + 1
    if image is None:
        hue = torch.arange(count) * 2.399963  # golden angle: neighbours in number differ in hue
        colours = torch.stack([0.5 + 0.4 * (hue + t).cos() for t in (0.0, 2.1, 4.2)])
        colours = colours.to(labels.device)
    else:
        pixels = image.expand(3, -1, -1).flatten(1)
        area = torch.bincount(flat, minlength=count).clamp_min(1).to(pixels)
        colours = pixels.new_zeros(3, count).index_add(1, flat, pixels) / area
    painted = colours[:, flat].reshape(3, *labels.shape)
    border = torch.zeros_like(labels, dtype=torch.bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    return torch.where(border, 0.15 * painted, painted)
