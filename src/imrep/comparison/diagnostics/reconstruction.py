"""How much of the picture a code still holds: what ridge regression rebuilds from it.

No labels are used. A low score of a representation with an exact inverse means only that the
picture is not a *linear* function of its code.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray as Array
from scipy.linalg import eigh

from imrep.comparison.probes.kernel_matrix import Gram

SIDE = 32
_THUMBNAIL = 4
_TRAIN, _TEST, _SHOWN = (800, 0.8), (200, 0.2), 7
_GRID = 10 ** np.linspace(-6, 1, 8)  # of the mean eigenvalue
_CONSTANT = 1e-12
_JUDGES = 64  # pixels that choose the penalty; all 3,072 cost ten times as much


class Sample(NamedTuple):
    """Images from which the decoder learns, and on which it is judged; no group in both."""

    train: Int[Array, " t"]
    test: Int[Array, " q"]

    def alone(self) -> tuple[Int[Array, " m"], "Sample"]:
        """The images drawn, and the sample as positions among them: all a large folder needs."""
        t, m = len(self.train), len(self.train) + len(self.test)
        return np.concatenate(self), Sample(np.arange(t), np.arange(t, m))


class Kept(NamedTuple):
    """What a linear decoder rebuilds of images it has not seen.

    Attributes:
        kept: Share of the variation around the mean image, in [0, 1].
        detail: The same of what a 4 × 4 thumbnail leaves out.
        psnr: Peak signal-to-noise ratio in dB, over all test images.
        reconstructions: The first seven of the test images, rebuilt; values 0 … 255.
    """

    kept: float
    detail: float
    psnr: float
    reconstructions: UInt8[Array, "shown 32 32 3"]


def target(images: UInt8[Array, "n s s 3"]) -> Float[Array, "n 32 32 3"]:
    """What is to be rebuilt: each image averaged down to 32 × 32, values in [0, 1]."""
    import cv2

    small = [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).astype(np.float32) / 255


def sample(groups: Int[Array, " n"], seed: int = 0) -> Sample | None:
    """Up to 800 images to learn from and 200 to be judged on, the same for all representations.

    A group that does not fit whole is cut, its rest in neither part. None if there is one group.
    """
    n, rng = len(groups), np.random.default_rng(seed)
    number = np.unique(groups, return_inverse=True)[1]
    if n == 0 or number.max() == 0:
        return None
    order = np.argsort(rng.permutation(number.max() + 1)[number], kind="stable")
    n_train, n_test = (max(1, min(most, int(share * n))) for most, share in (_TRAIN, _TEST))
    test = order[:n_test]
    rest = order[~np.isin(number[order], number[test])]
    if not len(rest):  # the largest of few groups fills the test part: the first group is enough
        test = order[number[order] == number[order[0]]]
        rest = order[len(test) :]
    return Sample(rest[:n_train], rng.permutation(test))


def kept(gram: Gram, pixels: Float[Array, "n 32 32 3"], chosen: Sample, seed: int = 0) -> Kept:
    """Ridge regression from the code to the pixels, its penalty chosen by leaving one out.

    Args:
        gram: Inner products of the codes.
        pixels: The same images, as `target` gives them.
        chosen: Which of them to learn from and to be judged on.
        seed: Draws the 64 pixels that choose the penalty.
    """
    known, truth = (pixels[part].reshape(len(part), -1) for part in chosen)
    mean = known.mean(0)
    mapping = _decoder(gram, chosen, known - mean, seed)
    rebuilt = np.clip(mapping @ (known - mean) + mean, 0, 1)
    wrong, spread = _as_images(rebuilt - truth), _as_images(mean - truth)
    mse = float((wrong**2).mean(dtype=np.float64))
    return Kept(
        _explained(wrong, spread),
        _explained(_detail(wrong), _detail(spread)),
        -10 * float(np.log10(max(mse, 1e-10))),
        (_as_images(rebuilt[:_SHOWN]) * 255).round().astype(np.uint8),
    )


def _decoder(
    gram: Gram, chosen: Sample, known: Float[Array, "t p"], seed: int
) -> Float[Array, "q t"]:
    """Weights of the training images in each rebuilt one."""
    inner, cross = (gram.products[np.ix_(part, chosen.train)] for part in chosen)
    row = inner.mean(0)
    inner = inner - (row[:, None] + (row - row.mean()))
    cross = cross - (cross.mean(1, keepdims=True) + (row - row.mean()))
    e, u = eigh(inner.T, driver="evd", lower=False, overwrite_a=True, check_finite=False)
    e = np.maximum(e, 0)
    judges = np.random.default_rng(seed).choice(known.shape[1], _JUDGES, replace=False)
    nothing = _CONSTANT * float(
        gram.energy[chosen.train].mean()
    )  # a constant code rebuilds nothing
    unit = max(float(e.mean()), nothing, np.finfo(float).tiny / _GRID[0])
    penalty = min(_GRID * unit, key=lambda x: _left_out(e, u, x, known[:, judges]))
    return ((cross @ u) / (e + penalty) @ u.T).astype(np.float32)


def _left_out(
    e: Float[Array, " t"], u: Float[Array, "t t"], penalty: float, known: Float[Array, "t j"]
) -> float:
    """Squared error of each training image predicted from the others."""
    shrunk = e / (e + penalty)
    error = known - u @ (shrunk[:, None] * (u.T @ known))
    rest = np.maximum(1 - (u * u) @ shrunk - 1 / len(e), 1e-9)  # 0 where there is one image
    return float(((error / rest[:, None]) ** 2).sum())


def _as_images(rows: Float[Array, "n p"]) -> Float[Array, "n 32 32 3"]:
    return rows.reshape(-1, SIDE, SIDE, 3)


def _explained(wrong: Float[Array, "n 32 32 3"], spread: Float[Array, "n 32 32 3"]) -> float:
    """1 - SSE / SSE of the mean image, not below 0; 1 if there was nothing to explain."""
    error, total = ((x**2).sum(dtype=np.float64) for x in (wrong, spread))
    return float(max(0.0, 1 - error / total)) if total > 0 else float(error == 0)


def _detail(images: Float[Array, "n 32 32 3"]) -> Float[Array, "n 32 32 3"]:
    """What the images hold beyond a 4 × 4 thumbnail, enlarged bilinearly."""
    coarse = _smooth().astype(images.dtype)
    # one side at a time, as matrix products: einsum would not use them
    rows = np.tensordot(coarse, images, (1, 1))  # row, n, column, channel
    both = np.tensordot(coarse, rows, (1, 2))  # column, row, n, channel
    return images - both.transpose(2, 1, 0, 3)


def _smooth() -> Float[Array, "32 32"]:
    """Averages of 8 pixels, then straight lines between their centres, level beyond the last."""
    step = SIDE // _THUMBNAIL
    centre = (np.arange(SIDE) + 0.5) / step - 0.5
    up = np.maximum(0, 1 - np.abs(np.clip(centre, 0, _THUMBNAIL - 1)[:, None] - range(_THUMBNAIL)))
    return up @ np.repeat(np.eye(_THUMBNAIL), step, axis=1) / step
