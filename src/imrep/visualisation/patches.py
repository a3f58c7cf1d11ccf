"""The patches of a set of images that excite a channel most, and what in each of them does.

Zeiler and Fergus show a deconvnet beside each patch. Without the switches of max pooling it is the
same for every image, so that guided backpropagation is shown here, which is not.

References:
    M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    doi:10.1007/978-3-319-10590-1_53
"""

import heapq
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import images
from imrep.base import Representation
from imrep.datasets import Item
from imrep.drawing import beside, montage
from imrep.embedding import batching
from imrep.embedding.shards import Settings
from imrep.errors import BadData
from imrep.types import Image, Picture, Progress
from imrep.visualisation.maps import check_channel, maps
from imrep.visualisation.projection import contrast, peak, project
from imrep.visualisation.receptive_field import Box, receptive_field

COUNT = 9
_TILE_PX = 128  # smaller tiles are enlarged to about this


@dataclass(frozen=True)
class Patch:
    """What one position of a map depends on, in one image.

    Args:
        path: The image.
        activation: The channel's value there.
        row: Of the map.
        column: Of the map.
        box: The receptive field, in pixels of the image as it was read.
        pixels: (1, 3, h, w), the image within the box.
        projection: (1, 3, h, w), what guided backpropagation carries down, of either sign.
    """

    path: str
    activation: float
    row: int
    column: int
    box: Box
    pixels: Tensor = field(repr=False)
    projection: Tensor = field(repr=False)


def strongest_patches(
    rep: Representation,
    items: Sequence[Item],
    channel: int,
    settings: Settings,
    *,
    count: int = COUNT,
    progress: Progress | None = None,
) -> list[Patch]:
    """The patches that excite a channel most, at most one an image, strongest first.

    Files that cannot be read are left out.

    Args:
        rep: A representation whose gradient reaches the image.
        items: The images of a data set.
        channel: Of the code's maps, from 0.
        settings: Size, batch and reading of the images.
        count: How many.
        progress: Called with the number of images read.

    Raises:
        BadParameter: If the code has no such channel, or no gradient reaches the image.
        BadData: If no image could be read.
    """
    best: list[tuple[float, int]] = []  # a heap of the strongest, with the negative row of each
    done = 0
    for batch in _batches(items, settings):
        with torch.no_grad():
            values = maps(rep, rep.encode(batch.images(settings.device)))
        check_channel(channel, values, rep)
        for row, value in zip(batch.rows, values[:, channel].flatten(1).amax(1), strict=True):
            heapq.heappush(best, (float(value), -row))
        best = heapq.nlargest(count, best)[::-1]
        done += len(batch.rows)
        if progress:
            progress("reading images", done, len(items))
    if not best:
        raise BadData(f"none of the {len(items)} files could be read as an image.")
    return [
        _patch(rep, items[-row], channel, activation, settings)
        for activation, row in sorted(best, reverse=True)
    ]


def sheet(patches: Sequence[Patch]) -> Picture:
    """The patches in a square, strongest first, beside what in each excites the channel."""
    rows = max(patch.pixels.shape[2] for patch in patches)
    columns = max(patch.pixels.shape[3] for patch in patches)
    factor = max(1, round(_TILE_PX / max(rows, columns)))

    def tile(pixels: Image, box: Box) -> Picture:
        # What the image's border cuts off is white: a field that starts at 0 lacks its beginning.
        across, down = columns - pixels.shape[3], rows - pixels.shape[2]
        left, top = (across if box.left == 0 else 0), (down if box.top == 0 else 0)
        padded = F.pad(pixels, (left, across - left, top, down - top), value=1.0)
        return padded.repeat_interleave(factor, 2).repeat_interleave(factor, 3)

    originals = [tile(patch.pixels, patch.box) for patch in patches]
    excitations = [tile(contrast(patch.projection), patch.box) for patch in patches]
    return beside(montage(originals), montage(excitations))


def _patch(
    rep: Representation, item: Item, channel: int, activation: float, settings: Settings
) -> Patch:
    """The strongest patch of one image."""
    (batch,) = _batches([item], settings)
    image = batch.images(settings.device)
    row, column = peak(rep, image, channel)
    box = receptive_field(rep, image, row, column)
    projection = box.crop(project(rep, image, "guided-backpropagation", channel))
    return Patch(item.path, activation, row, column, box, box.crop(image), projection)


def _batches(items: Sequence[Item], settings: Settings) -> Generator[batching.Batch, None, None]:
    """The images that can be read."""
    loaded = images.load_squares(
        items, settings.size, threads=settings.threads, **settings.reading.canvas_keywords
    )
    with closing(loaded), closing(batching.batches(loaded, settings.batch)) as parts:
        for part in parts:
            if isinstance(part, batching.Batch):
                yield part
