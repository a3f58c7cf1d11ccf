"""SIFT: what the neighbourhood of a point looks like, and which such words an image uses."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Fitted
from imrep.codes import Points, Tokens
from imrep.drawing import draw
from imrep.errors import BadImage
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.orientations import soft_votes
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.represent.local.sift import aggregation
from imrep.types import Image, Picture, Vectors

_BINS = 4  # spatial bins per side of a patch
_DIRECTIONS = 8
_CELL = 4  # pixels per spatial bin, so a patch covers 16 × 16 and fades out over 19 × 19
_BLUR = 0.8  # pixels; takes the jaggedness off, leaves the edges of small images
_WINDOW = 2.0  # spatial bins; Lowe 2004, section 6.1: half the patch
_CLIP = 0.2  # Lowe 2004, section 6.1
_QUIET = 4e-4  # gradient per pixel; patches fainter than this fade to a zero descriptor

_WORDS = {"words": 256, "vlad": 16, "fisher": 16}
_DIM = _BINS * _BINS * _DIRECTIONS
_REDUCED = 32  # principal components that VLAD and Fisher vectors keep

_RUN = 16  # patches along an axis that one matrix product gives

_SAMPLE = 8_000  # descriptors the codebook is fitted on
_ROUNDS = 8
_SHARP = 0.15  # distance at which a word's share falls to 1/e


class SIFT(Fitted[Points]):
    """Which of a few hundred learned edge patterns occur, in the whole image and in its quarters.

    A descriptor holds 4 × 4 histograms of 8 gradient directions round a point, weighted by a
    Gaussian, clipped at 0.2, its entries' shares square-rooted (RootSIFT). Descriptors of all
    images are clustered into `words` by k-means, without labels; each descriptor is shared among
    the words by exp(-(distance / 0.15)²), and the vector is the root of the mean shares, for the
    whole image and for each of grid × grid cells.

    With `detector=dense` there is an upright patch of 16 × 16 pixels every `step` pixels, and its
    descriptor's length is c / (c + 0.0004) for contrast c, so that flat patches share a word of
    their own instead of having their noise blown up. The Gaussian and the linear sharing separate
    into rows and columns: two small matrix products give all patches exactly. With
    `detector=opencv` the keypoints are OpenCV's, turned to their main direction; an image without
    any gives a zero vector. Each has its `response` (the contrast) and its `octave` (-1 for the
    image enlarged twice), so that `code.sort("response").first(100)` are the clearest. Both
    detectors have OpenCV's layout: rows, columns, directions anticlockwise.

    `pooling` may be another than the shares of words. `vlad` sums up what descriptors differ from
    their nearest word, `fisher` how the means and deviations of a mixture of Gaussians should move
    for them: few words say much, since each has as many numbers as a descriptor, here reduced to
    32 principal components. Signed roots are taken, and each cell has length one.

    Keypoints are found on bytes. Gradients reach the image from dense descriptors only.

    Args:
        words: Size of the codebook; none for 256, or for 16 where pooled by vlad or fisher.
        step: Pixels between dense patches.
        grid: Cells per side, besides the whole image; 1 for the whole image only.
        detector: dense or opencv.
        pooling: words (shares of words), vlad (differences from the nearest word) or fisher (how a
            mixture of Gaussians should move).

    References:
        D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), 2004.
        doi:10.1023/B:VISI.0000029664.99615.94
        S. Lazebnik, C. Schmid and J. Ponce, "Beyond bags of features: spatial pyramid matching",
        CVPR 2006. doi:10.1109/CVPR.2006.68
        R. Arandjelović and A. Zisserman, "Three things everyone should know to improve object
        retrieval", CVPR 2012. doi:10.1109/CVPR.2012.6248018
        J. C. van Gemert et al., "Visual word ambiguity", IEEE Trans. PAMI 32(7), 2010.
        doi:10.1109/TPAMI.2009.132
        H. Jégou et al., "Aggregating local image descriptors into compact codes", IEEE Trans. PAMI
        34(9), 2012. doi:10.1109/TPAMI.2011.235
        F. Perronnin, J. Sánchez and T. Mensink, "Improving the Fisher kernel for large-scale image
        classification", ECCV 2010. doi:10.1007/978-3-642-15561-1_11

    Example:
        >>> import torch, imrep
        >>> sift = imrep.get("sift", words=16)
        >>> sift.fit(torch.rand(4, 3, 64, 64))
        >>> tuple(sift.embed(torch.rand(2, 3, 50, 70)).shape)
        (2, 80)
    """

    card = Card(
        title="SIFT words",
        family="local",
        cite="Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94",
    )
    codebook: Tensor
    seen: Tensor
    mean: Tensor
    axes: Tensor
    variances: Tensor
    shares: Tensor

    def __init__(
        self,
        *,
        words: int | None = None,
        step: int = 5,
        grid: int = 2,
        detector: str = "dense",
        pooling: str = "words",
    ) -> None:
        checks.one_of(detector, ("dense", "opencv"), self.name, "detector")
        checks.one_of(pooling, tuple(_WORDS), self.name, "pooling")
        self._size = _WORDS[pooling] if words is None else words
        checks.between(self._size, 1, 2**16, self.name, "words")
        checks.at_least(step, 1, self.name, "step")
        checks.between(grid, 1, checks.MAX_CELLS, self.name, "grid")
        super().__init__()
        self.words, self.step, self.grid, self.detector = words, step, grid, detector
        self.pooling = pooling
        each = _DIM if pooling == "words" else _REDUCED
        self.register_buffer("codebook", torch.zeros(self._size, each))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        if pooling != "words":
            self.register_buffer("mean", torch.zeros(_DIM))
            self.register_buffer("axes", torch.zeros(_REDUCED, _DIM))
        if pooling == "fisher":
            self.register_buffer("variances", torch.ones(self._size, _REDUCED))
            self.register_buffer("shares", torch.full((self._size,), 1 / self._size))

    @property
    def differentiable(self) -> bool:
        """Where the patches do not hang on what a detector finds."""
        return self.detector == "dense"

    @property
    def fitted(self) -> bool:
        """Whether there are words."""
        return bool(self.seen > 0)

    @property
    def dim(self) -> int:
        """Words times what is said of each, times cells, fitted or not."""
        each = {"words": 1, "vlad": _REDUCED, "fisher": 2 * _REDUCED}[self.pooling]
        return self._size * each * (1 + (self.grid**2 if self.grid > 1 else 0))

    def encode(self, image: Image) -> Points:
        """RootSIFT descriptors, (batch, point, 128), dense ones row by row."""
        checks.image(image, self.name)
        gray = luminance(image)
        return _detected(gray.detach()) if self.detector == "opencv" else _dense(gray, self.step)

    def fit_codes(self, codes: Sequence[Points]) -> None:
        """Cluster up to 8,000 descriptors, drawn evenly with a fixed seed.

        Raises:
            BadImage: If no image has a keypoint.
        """
        found = torch.cat([code.values[code.present] for code in codes])
        if not len(found):
            raise BadImage(
                f"{self.name} needs keypoints to fit its codebook on, got none in "
                f"{sum(map(len, codes))} images. Use detector=dense, or larger images."
            )
        drawn = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))[:_SAMPLE]
        self._learn(found[drawn.to(found.device)])
        self.seen.fill_(len(found))

    def check_code(self, code: Points) -> None:
        """A descriptor of 128 numbers for each point.

        Raises:
            BadCode: If they are not.
        """
        codecheck.columns(code.values, self.name, _DIM)

    def pool(self, code: Points) -> Vectors:
        """The whole image, then cells row by row, (batch, cells * words) or what is said of them.

        Roots of the words' mean shares; or VLAD's or Fisher's vectors.
        """
        self._need_fit()
        cells = self._cells(code)
        pooled = [  # one by one: an image's numbers must not hang on its neighbours' rounding
            self._gathered(values, mine).flatten()
            for values, mine in zip(code.values, cells, strict=True)
        ]
        return torch.stack(pooled)

    def picture(self, code: Points, image: Image | None = None) -> Picture:
        """Dense: like patches in like colours (three principal components); else the keypoints."""
        if self.detector == "opencv":
            return draw(code, image)
        columns = int((code.xy[0, :, 1] == code.xy[0, 0, 1]).sum())
        grid = (code.xy.shape[1] // columns, columns)
        colours = draw(Tokens(code.values[:, 0], code.values, grid))
        if image is None:
            return colours
        under = resize(luminance(image.detach()).to(colours), *colours.shape[2:]).clamp(0, 1)
        return 0.6 * colours + 0.4 * under

    def _learn(self, rows: Tensor) -> None:
        """What pooling needs to know of descriptors in general."""
        if self.pooling == "words":
            self.codebook.copy_(_means(rows, self._size))
            return
        for buffer, value in zip(
            (self.mean, self.axes), aggregation.principal(rows, _REDUCED), strict=True
        ):
            buffer.copy_(value)
        rows = (rows - self.mean.to(rows)) @ self.axes.to(rows).T
        if self.pooling == "vlad":
            self.codebook.copy_(aggregation.codebook(rows, self._size))
            return
        model = aggregation.mixture(rows, self._size)
        for buffer, value in zip((self.shares, self.codebook, self.variances), model, strict=True):
            buffer.copy_(value)

    def _gathered(self, values: Tensor, weights: Tensor) -> Tensor:
        """One image's descriptors (n, 128) in its cells, whose weights are (cells, n)."""
        if self.pooling == "words":
            codebook = self.codebook.to(values)
            bias = -codebook.square().sum(1) / _SHARP**2
            slope = codebook.T * (2 / _SHARP**2)
            return differentiable.sqrt(weights @ torch.addmm(bias, values, slope).softmax(1))
        rows = (values - self.mean.to(values)) @ self.axes.to(values).T
        if self.pooling == "vlad":
            return aggregation.vlad(rows, weights, self.codebook.to(values))
        parts = (self.shares, self.codebook, self.variances)
        model = aggregation.Mixture(*(part.to(values) for part in parts))
        return aggregation.fisher(rows, weights, model)

    def _cells(self, code: Points) -> Tensor:
        """What each point counts in each cell, (batch, cells, points); rows sum to 1, or to 0."""
        height, width = code.size
        whole = code.present.to(code.values).unsqueeze(1)
        if self.grid > 1:
            size = code.xy.new_tensor((width, height))
            column, row = (
                ((code.xy + 0.5) * (self.grid / size)).long().clamp(0, self.grid - 1).unbind(2)
            )
            one_hot = F.one_hot(row * self.grid + column, self.grid**2).mT
            whole = torch.cat([whole, whole * one_hot], dim=1)
        return whole / whole.sum(2, keepdim=True).clamp_min(1)


def _dense(gray: Tensor, step: int) -> Points:
    """Descriptors of upright patches on a centred lattice, cut off at the image's edge."""
    batch, _, height, width = gray.shape
    gx, gy = _slopes(gray)
    magnitude, angle = differentiable.polar(gx, -gy)  # y up, as OpenCV turns
    votes = soft_votes(magnitude, angle * (_DIRECTIONS / math.tau), _DIRECTIONS)
    ys, xs = _lattice(height, step), _lattice(width, step)
    votes = _summed(_summed(votes, ys, step).mT, xs, step)  # (b, 8, columns * 4, rows * 4)
    votes = votes.unflatten(3, (len(ys), _BINS)).unflatten(2, (len(xs), _BINS))
    values = _rooted(votes.permute(0, 4, 2, 5, 3, 1).reshape(batch, len(ys) * len(xs), -1))
    xy = torch.cartesian_prod(torch.tensor(ys), torch.tensor(xs)).flip(1).to(gray)
    count = len(xy)
    return Points(
        xy=xy.expand(batch, -1, -1),
        values=values,
        extent=gray.new_full((batch, count), _BINS * _CELL),
        angle=gray.new_zeros(batch, count),
        present=torch.ones(batch, count, dtype=torch.bool, device=gray.device),
        size=(height, width),
    )


def _slopes(gray: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences per pixel along x and y of the slightly blurred image."""
    radius = math.ceil(3 * _BLUR)
    bell = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / _BLUR) ** 2).to(gray)
    bell = bell / bell.sum()
    smooth = F.conv2d(mirror(gray, radius), bell.view(1, 1, 1, -1))
    wide = mirror(F.conv2d(smooth, bell.view(1, 1, -1, 1)), 1)
    gx = wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]
    gy = wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
    return gx / 2, gy / 2


def _lattice(size: int, step: int) -> list[int]:
    """Places of patch centres along an axis: whole pixels, `step` apart, evenly off both ends."""
    first = (size - 1) % step // 2
    return list(range(first, size, step))


def _kernel() -> Tensor:
    """What a pixel gives to each of the four bins, times the window; (pixel, bin), sum 1."""
    reach = math.ceil(_CELL * (_BINS + 1) / 2) - 1
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)[:, None] / _CELL
    centres = torch.arange(_BINS) - (_BINS - 1) / 2
    weight = (1 - (place - centres).abs()).clamp_min(0) * torch.exp(-0.5 * (place / _WINDOW) ** 2)
    return weight / weight.sum()


def _summed(x: Tensor, places: list[int], step: int) -> Tensor:
    """Weighted sums over axis 2 for the four bins of each place: (b, 8, n, m), (b, 8, 4 p, m).

    A product with a band matrix; in runs of places, so that large images cost in proportion.
    """
    kernel = _kernel().to(x)
    reach = len(kernel) // 2
    wide = F.pad(x, (0, 0, reach, reach))
    found = []
    for start in range(0, len(places), _RUN):
        run = places[start : start + _RUN]
        length = run[-1] - run[0] + len(kernel)
        band = torch.stack([F.pad(kernel, (0, 0, p - run[0], run[-1] - p)) for p in run])
        here = wide[:, :, run[0] : run[0] + length]
        found.append(band.mT.flatten(0, 1) @ here)
    return torch.cat(found, dim=2)


def _rooted(values: Tensor) -> Tensor:
    """RootSIFT of raw histograms (b, n, 128), its length fading with the contrast."""
    length = values.norm(dim=2, keepdim=True)
    clipped = (values / length.clamp_min(1e-12)).clamp_max(_CLIP)
    shares = clipped / clipped.sum(2, keepdim=True).clamp_min(1e-12)
    return differentiable.sqrt(shares) * (length / (length + _QUIET))


def _detected(gray: Tensor) -> Points:
    """OpenCV's keypoints, padded to the most that one image has."""
    sift = cv2.SIFT.create()
    levels = (gray[:, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()
    found = [_keypoints(sift, one) for one in levels]
    most = max(len(rows) for rows in found)
    table = np.zeros((len(found), most, 6 + 128), np.float32)
    for i, rows in enumerate(found):
        table[i, : len(rows)] = rows
    columns = torch.from_numpy(table).to(gray.device).split([2, 1, 1, 1, 1, 128], dim=2)
    xy, extent, angle, response, octave, raw = (part.squeeze(2) for part in columns)
    count = torch.tensor([len(rows) for rows in found], device=gray.device)
    shares = raw / raw.sum(2, keepdim=True).clamp_min(1)
    present = torch.arange(most, device=gray.device) < count[:, None]
    size = (gray.shape[2], gray.shape[3])
    return Points(
        xy=xy.to(gray),
        values=shares.sqrt().to(gray),
        extent=extent.to(gray),
        angle=angle.to(gray),
        present=present,
        size=size,
        response=response.to(gray),
        octave=octave.long(),
    )


def _keypoints(sift: cv2.SIFT, levels: np.ndarray) -> np.ndarray:
    """Rows of x, y, diameter, angle, response, octave and the 128 numbers."""
    points, values = sift.detectAndCompute(levels, None)
    if not points:
        return np.zeros((0, 134), np.float32)
    # The lowest byte of OpenCV's octave, as a signed number; the next is the layer within it.
    places = np.array(
        [(*p.pt, p.size, p.angle, p.response, (p.octave + 128) % 256 - 128) for p in points],
        np.float32,
    )
    return np.concatenate([places, values], axis=1)


def _means(rows: Tensor, count: int) -> Tensor:
    """Lloyd's k-means from the first rows, which come shuffled; an empty cluster stays put.

    With fewer rows than clusters the surplus ones repeat.
    """
    centres = rows[torch.arange(count, device=rows.device) % len(rows)].clone()
    for _ in range(_ROUNDS):
        nearest = (rows @ centres.T - centres.square().sum(1) / 2).argmax(1)
        total = torch.zeros_like(centres).index_add_(0, nearest, rows)
        size = torch.bincount(nearest, minlength=count).unsqueeze(1)
        centres = torch.where(size > 0, total / size.clamp_min(1), centres)
    return centres
