"""Training in memory: the loss of images that become harder."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imrep.base import Supervised
from imrep.base.descent import Course, descend
from imrep.base.supervised import Read
from imrep.represent.learned.snnl.curriculum import harder
from imrep.types import Progress

_REMEDY = "Use a factor closer to 0, or a higher temperature."


def train(
    rep: Supervised,
    read: Read,
    labels: Tensor,
    *,
    epochs: int,
    rate: float,
    seed: int,
    progress: Progress | None,
) -> None:
    """Descend the loss of `rep`, in place, by Adam at a rate annealed by a cosine.

    Args:
        rep: Left in evaluation mode.
        read: Gives the images of some rows.
        labels: Class of each row, (n,).
        epochs: Passes over the images, before each of which `rep.begin_epoch()` is called.
        rate: The first learning rate.
        seed: Of the order and of what is random; the global generator is unchanged.
        progress: Called after each epoch.

    Raises:
        BadData: If there are fewer than two images, or the loss is not finite.
    """
    device = next(rep.parameters()).device

    def loss(rows: NDArray[np.int64], epoch: int) -> Tensor:
        image = harder(read(rows).to(device), rep.strength(epoch))
        return rep.loss({"image": image, "label": labels[rows].to(device)})

    descend(rep, loss, len(labels), Course(epochs, rate, seed, _REMEDY), progress)
