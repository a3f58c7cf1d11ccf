"""Least-squares reconstruction of images from vectors, fitted on part of the data set.

Ridge regression learns the map from vectors to pixels on some images and is judged on others. No
labels are used. It measures what a *linear* map recovers from images like these: a vector may hold
more, and a classifier may use what no reconstruction shows.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray as Array
from scipy.linalg import eigh

from imrep.comparison.probes.gram import Gram
from imrep.ops.metrics import decibels

SIDE = 32
_THUMBNAIL = 4
MIN_IMAGES = 200  # with fewer, the fit depends on their number more than on the representation
_TRAIN, _TEST, _DISPLAYED = (800, 0.8), (200, 0.2), 7  # (largest number, share) of the images
_PENALTIES = 10 ** np.linspace(-6, 1, 8)  # multiples of the mean eigenvalue
_CONSTANT = 1e-12  # share of the energy: float32 round-off of a constant vector
_PENALTY_PIXELS = 64  # of the 3,072 that choose the penalty


class Sample(NamedTuple):
    """Images on which the map is fitted, and on which it is judged; no group is in both."""

    train: Int[Array, " t"]
    test: Int[Array, " q"]

    def compact(self) -> tuple[Int[Array, " m"], "Sample"]:
        """The sampled images, and the sample as positions among them."""
        t, m = len(self.train), len(self.train) + len(self.test)
        return np.concatenate(self), Sample(np.arange(t), np.arange(t, m))


class Reconstruction(NamedTuple):
    """Reconstruction of images that the map was not fitted on.

    Attributes:
        explained: Share of the variation around the mean image, in [0, 1].
        detail: The same after a 4 × 4 thumbnail is subtracted.
        psnr: Peak signal-to-noise ratio in dB, over all test images.
        images: The first seven of the test images, reconstructed; values 0 … 255.
    """

    explained: float
    detail: float
    psnr: float
    images: UInt8[Array, "m 32 32 3"]


def target(images: UInt8[Array, "n s s 3"]) -> Float[Array, "n 32 32 3"]:
    """The images averaged down to 32 × 32, values in [0, 1]."""
    import cv2

    small = [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).astype(np.float32) / 255


def sample(groups: Int[Array, " n"], seed: int = 0) -> Sample | None:
    """Up to 800 images to fit and 200 to judge, the same for all representations.

    A group that does not fit is cut, its remainder in neither part. None if there is one group.
    """
    n, rng = len(groups), np.random.default_rng(seed)
    number = np.unique(groups, return_inverse=True)[1]
    if n == 0 or number.max() == 0:
        return None
    # groups in random order, the images of a group next to each other
    order = np.argsort(rng.permutation(number.max() + 1)[number], kind="stable")
    n_train, n_test = (max(1, min(limit, int(share * n))) for limit, share in (_TRAIN, _TEST))
    test = order[:n_test]
    train = order[~np.isin(number[order], number[test])]
    if not len(train):  # the test part holds an image of every group: the first group is enough
        test = order[number[order] == number[order[0]]]
        train = order[len(test) :]
    return Sample(train[:n_train], rng.permutation(test))


def reconstruct(
    gram: Gram, pixels: Float[Array, "n 32 32 3"], parts: Sample, seed: int = 0
) -> Reconstruction:
    """Ridge regression from vectors to pixels, its penalty chosen by leaving one out.

    Args:
        gram: Inner products of the vectors.
        pixels: The same images, from `target`.
        parts: Those to fit and those to judge.
        seed: Samples the 64 pixels that choose the penalty.
    """
    train, truth = (pixels[part].reshape(len(part), -1) for part in parts)
    mean = train.mean(0)
    weights = _weights(gram, parts, train - mean, seed)
    rebuilt = np.clip(weights @ (train - mean) + mean, 0, 1)
    error, spread = _as_images(rebuilt - truth), _as_images(mean - truth)
    mse = float((error**2).mean(dtype=np.float64))
    return Reconstruction(
        _explained(error, spread),
        _explained(_detail(error), _detail(spread)),
        decibels(mse, 1e-10),
        (_as_images(rebuilt[:_DISPLAYED]) * 255).round().astype(np.uint8),
    )


def _weights(
    gram: Gram, parts: Sample, train: Float[Array, "t p"], seed: int
) -> Float[Array, "q t"]:
    """Weights of the training images in each reconstructed one."""
    inner, cross = (gram.products[np.ix_(part, parts.train)] for part in parts)
    # both kernels centred on the training images, as the intercept requires
    row = inner.mean(0)
    inner = inner - (row[:, None] + (row - row.mean()))
    cross = cross - (cross.mean(1, keepdims=True) + (row - row.mean()))
    e, u = eigh(inner.T, driver="evd", lower=False, overwrite_a=True, check_finite=False)
    e = np.maximum(e, 0)
    columns = np.random.default_rng(seed).choice(train.shape[1], _PENALTY_PIXELS, replace=False)
    round_off = _CONSTANT * float(gram.energy[parts.train].mean())  # of a constant vector
    unit = max(float(e.mean()), round_off, np.finfo(float).tiny / _PENALTIES[0])
    penalty = min(_PENALTIES * unit, key=lambda x: _left_out_error(e, u, x, train[:, columns]))
    return ((cross @ u) / (e + penalty) @ u.T).astype(np.float32)


def _left_out_error(
    e: Float[Array, " t"], u: Float[Array, "t t"], penalty: float, train: Float[Array, "t j"]
) -> float:
    """Squared error of the training images, each predicted from the others."""
    shrinkage = e / (e + penalty)
    error = train - u @ (shrinkage[:, None] * (u.T @ train))
    # 1 - leverage, that of the intercept included; 0 with a single image
    remainder = np.maximum(1 - (u * u) @ shrinkage - 1 / len(e), 1e-9)
    return float(((error / remainder[:, None]) ** 2).sum())


def _as_images(rows: Float[Array, "n p"]) -> Float[Array, "n 32 32 3"]:
    return rows.reshape(-1, SIDE, SIDE, 3)


def _explained(error: Float[Array, "n 32 32 3"], spread: Float[Array, "n 32 32 3"]) -> float:
    """1 - SSE / SSE of the mean image, not below 0; 1 if there was nothing to explain."""
    residual, total = ((x**2).sum(dtype=np.float64) for x in (error, spread))
    return float(max(0.0, 1 - residual / total)) if total > 0 else float(residual == 0)


def _detail(images: Float[Array, "n 32 32 3"]) -> Float[Array, "n 32 32 3"]:
    """The images minus their 4 × 4 thumbnail, enlarged bilinearly."""
    coarse = _smooth().astype(images.dtype)
    # one side at a time, as matrix products: einsum would not use them
    rows = np.tensordot(coarse, images, (1, 1))  # row, n, column, channel
    both = np.tensordot(coarse, rows, (1, 2))  # column, row, n, channel
    return images - both.transpose(2, 1, 0, 3)


def _smooth() -> Float[Array, "32 32"]:
    """Means of 8 pixels, interpolated linearly between their centres, constant outside."""
    step = SIDE // _THUMBNAIL
    centre = (np.arange(SIDE) + 0.5) / step - 0.5
    up = np.maximum(0, 1 - np.abs(np.clip(centre, 0, _THUMBNAIL - 1)[:, None] - range(_THUMBNAIL)))
    return up @ np.repeat(np.eye(_THUMBNAIL), step, axis=1) / step
