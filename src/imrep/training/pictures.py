"""Example pictures of a trained representation: a row for each of some held-out images."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import images
from imrep.training.job import Job
from imrep.training.order import held_out
from imrep.training_record import PICTURES

_COUNT = 4  # images
_MIN_SIDE = 96  # pixels that a picture is enlarged to, by whole factors


def write(job: Job, folder: Path) -> tuple[str, ...]:
    """Write the pictures side by side, and return the caption of each column.

    A representation without pictures has no file.
    """
    every = job.evaluation.rows
    rows = every[np.linspace(0, len(every) - 1, min(_COUNT, len(every))).astype(int)]
    batch = job.loading.plain(held_out(rows, job.settings.seed))
    device = next(job.rep.parameters()).device
    batch = {name: value.to(device) for name, value in batch.items()}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(job.settings.seed)
        columns = job.rep.examples_of_batch(batch)
    if not columns:
        return ()
    sheet = _sheet([column.float().cpu().clamp(0, 1) for column in columns.values()])
    images.write(folder / PICTURES, sheet)
    return tuple(columns)


def _sheet(columns: list[Tensor]) -> Tensor:
    """Pictures (b, 3, h, w) side by side, a row per image: (1, 3, b h, columns w)."""
    side = columns[0].shape[2]
    scale = max(1, -(-_MIN_SIDE // side))
    tiles = [
        F.interpolate(each.expand(-1, 3, -1, -1), size=columns[0].shape[2:]) for each in columns
    ]
    sheet = torch.cat([*torch.cat(tiles, dim=3)], dim=1)[None]
    return sheet.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
