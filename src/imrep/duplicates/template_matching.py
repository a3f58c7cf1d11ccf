"""Alignment of two thumbnails by normalised cross-correlation over shifts and two scales.

The correlations are those of OpenCV's `matchTemplate(TM_CCOEFF_NORMED)`. Each thumbnail is
transformed once; the 81 correlations of a pair are then one row of a matrix product, since only
81 of the 1,024 shifts of an inverse transform are needed.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

Floats = NDArray[np.floating]  # of single precision
Complexes = NDArray[np.complex64]
Index = NDArray[np.int64]

THUMBNAIL_PX = 32  # of a thumbnail
MIN_CORRELATION, _CERTAIN = 0.6, 0.985  # outside these the first alignment decides
_PATCH = 24  # side of a template
_RIM = (THUMBNAIL_PX - _PATCH) // 2  # pixels of shift to each side, an eighth of the image
_SHRUNK = 28  # size of a thumbnail shrunk to match a crop of 90 % of its side
_BLOCK = 8
_GRAIN = 30.0  # added to energies, so that the noise of uniform surfaces does not correlate


@dataclass(frozen=True)
class Thumbs:
    """Thumbnails with their templates, the full-size one and the shrunk one, and their spectra."""

    pixels: Floats  # (n, 32, 32), mean-free
    templates: Floats  # (n, 2, 24, 24)
    energies: Floats  # (n, 2), of the mean-free templates
    template_spectra: Complexes  # (n, 2, 32, 17)
    spectra: Complexes  # (n, 32, 17)
    window_energies: Floats  # (n, 9, 9), mean-free, wherever a template may lie

    def pick(self, which: Index) -> "Thumbs":
        """The thumbnails with these indices."""
        return Thumbs(*(value[which] for value in vars(self).values()))

    def mirrored(self) -> "Thumbs":
        """The thumbnails mirrored left to right."""
        return Thumbs(
            self.pixels[..., ::-1],
            self.templates[..., ::-1],
            self.energies,
            _mirror_spectra(self.template_spectra),
            _mirror_spectra(self.spectra),
            self.window_energies[..., ::-1],
        )


def prepare(thumbs: Floats) -> Thumbs:
    """Templates, spectra and window energies of thumbnails (n, 32, 32), 22 kB each."""
    pixels = thumbs - thumbs.mean((1, 2), keepdims=True)
    rim = (_SHRUNK - _PATCH) // 2
    templates = np.empty((len(pixels), 2, _PATCH, _PATCH), np.float32)
    for thumb, (full, shrunk) in zip(pixels, templates, strict=True):
        small = cv2.resize(thumb, (_SHRUNK, _SHRUNK), interpolation=cv2.INTER_AREA)
        full[:], shrunk[:] = thumb[_RIM:-_RIM, _RIM:-_RIM], small[rim:-rim, rim:-rim]
    centred = templates - templates.mean((2, 3), keepdims=True)
    # zero-padded to the thumbnail's size, so that products of spectra are correlations
    canvas = np.pad(centred, ((0, 0), (0, 0), (_RIM, _RIM), (_RIM, _RIM)))
    sums, squares = _window_sums(pixels), _window_sums(pixels * pixels)
    return Thumbs(
        pixels,
        templates,
        (centred * centred).sum((2, 3)),
        scipy.fft.rfft2(canvas),
        scipy.fft.rfft2(pixels),
        (squares - sums * sums / _PATCH**2).astype(np.float32),
    )


@dataclass(frozen=True)
class Alignment:
    """How n pairs of thumbnails lie best upon each other.

    Attributes:
        v: Correlation (n,).
        p: Patches of one of the two, (n, 24, 24).
        q: Patches of the other, (n, 24, 24).
        shift: Pixels from the content of the first to that of the second, right and down, (n, 2).
        zoom: Size of the content in the second relative to the first, (n,).
    """

    v: Floats
    p: Floats
    q: Floats
    shift: Floats
    zoom: Floats

    def pick(self, which: Index | NDArray[np.bool_]) -> "Alignment":
        """The alignments of these pairs."""
        return Alignment(*(value[which] for value in vars(self).values()))

    def improve(self, pairs: Index, other: "Alignment") -> None:
        """Take the alignments of these pairs from another where it correlates better."""
        better = other.v > self.v[pairs]
        for best, new in zip(vars(self).values(), vars(other).values(), strict=True):
            best[pairs[better]] = new[better]


def align(first: Thumbs, second: Thumbs) -> Alignment:
    """The best alignment of each pair.

    The centre of the first is shifted over the second. Where the correlation is undecided, the
    centre of the second is shifted over the first too, and the shrunk centre of each over the
    other.
    """
    best = _match(first, 0, second)
    undecided = np.flatnonzero((best.v >= MIN_CORRELATION) & (best.v < _CERTAIN))
    a, b = first.pick(undecided), second.pick(undecided)
    best.improve(undecided, _reversed(_match(b, 0, a)))
    best.improve(undecided, _match(a, 1, b))
    best.improve(undecided, _reversed(_match(b, 1, a)))
    return best


def fine(p: Floats, q: Floats) -> Floats:
    """Cosine of patches (n, 24, 24) minus their blur of sigma 2, (n,)."""
    return _cosine(p - _BLUR @ p @ _BLUR.T, q - _BLUR @ q @ _BLUR.T, (1, 2))


def blockwise(p: Floats, q: Floats) -> Floats:
    """Median correlation of 3 × 3 blocks, (n,): robust to a caption or a sticker."""
    return np.median(_cosine(_blocks(p), _blocks(q), 2), axis=1)


def _reversed(alignment: Alignment) -> Alignment:
    """The same alignment, told from the second image to the first."""
    shift, zoom = -alignment.shift, 1 / alignment.zoom
    return Alignment(alignment.v, alignment.p, alignment.q, shift, zoom)


def _match(template: Thumbs, scale: int, image: Thumbs) -> Alignment:
    """Best alignment of each template, full-size (0) or shrunk (1), over the 9 × 9 shifts."""
    # cross-power spectrum; as (real, imaginary) pairs, one product transforms it at 81 shifts
    crossed = template.template_spectra[:, scale].conj() * image.spectra
    products = crossed.view(np.float32).reshape(-1, len(_SHIFTS)) @ _SHIFTS
    energy = template.energies[:, scale, None] * image.window_energies.reshape(-1, _SHIFTS.shape[1])
    scores = products / np.sqrt(np.maximum(energy, 1.0))  # a constant patch matches nowhere
    best = scores.argmax(1)
    rows = np.arange(len(best))
    windows = np.lib.stride_tricks.sliding_window_view(image.pixels, (_PATCH, _PATCH), (1, 2))
    down, right = divmod(best, 2 * _RIM + 1)
    shift = np.stack([right - _RIM, down - _RIM], axis=1).astype(np.float32)
    zoom = np.full(len(best), (1, _SHRUNK / THUMBNAIL_PX)[scale], np.float32)
    p, q = template.templates[:, scale].copy(), windows[rows, down, right]
    return Alignment(scores[rows, best], p, q, shift, zoom)


def _shift_products() -> Floats:
    """Inverse transform of a half spectrum at the 9 × 9 shifts, (real and imaginary parts, 81)."""
    v, u = np.mgrid[:THUMBNAIL_PX, : THUMBNAIL_PX // 2 + 1]
    y, x = (np.mgrid[-_RIM : _RIM + 1, -_RIM : _RIM + 1]).reshape(2, 1, -1)
    cycles = (v.reshape(-1, 1) * y + u.reshape(-1, 1) * x) / THUMBNAIL_PX
    # rfft2 leaves out the conjugate half: every column but the first and the last counts twice
    halves = np.where(u.reshape(-1, 1) % (THUMBNAIL_PX // 2), 2, 1) / THUMBNAIL_PX**2
    parts = np.stack([np.cos(2 * np.pi * cycles), -np.sin(2 * np.pi * cycles)], axis=1)
    return np.asarray(halves[:, None] * parts, np.float32).reshape(-1, y.size)


_SHIFTS = _shift_products()
_BLUR = np.asarray(cv2.GaussianBlur(np.eye(_PATCH), (1, 17), 2.0), np.float32)  # of columns


def _mirror_spectra(spectra: Complexes) -> Complexes:
    """Of the mirrored thumbnails: F(v, -u) = conj F(-v, u), and one pixel of shift."""
    cycles = np.arange(THUMBNAIL_PX // 2 + 1) / THUMBNAIL_PX
    shift = np.exp(2j * np.pi * cycles).astype(np.complex64)
    return np.roll(spectra[..., ::-1, :], 1, axis=-2).conj() * shift


def _window_sums(maps: Floats) -> NDArray[np.float64]:
    """Sums of maps (n, 32, 32) over every 24 × 24 window, (n, 9, 9)."""
    # summed-area table: a window is a difference of four entries
    total = np.pad(maps, ((0, 0), (1, 0), (1, 0))).cumsum(1, np.float64).cumsum(2)
    rows = total[:, _PATCH:] - total[:, :-_PATCH]
    return rows[:, :, _PATCH:] - rows[:, :, :-_PATCH]


def _blocks(patches: Floats) -> Floats:
    cells = _PATCH // _BLOCK
    split = patches.reshape(-1, cells, _BLOCK, cells, _BLOCK).swapaxes(2, 3)
    flat = split.reshape(-1, cells * cells, _BLOCK * _BLOCK)
    return flat - flat.mean(2, keepdims=True)


def _cosine(a: Floats, b: Floats, axis: int | tuple[int, int]) -> Floats:
    energy = ((a * a).sum(axis) + _GRAIN) * ((b * b).sum(axis) + _GRAIN)
    return (a * b).sum(axis) / np.sqrt(energy)
