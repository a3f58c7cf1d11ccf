"""SIFT: local descriptors of gradient orientations, pooled over a learned vocabulary."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Fitted
from imrep.codes import Points, Tokens
from imrep.drawing import draw
from imrep.errors import BadImage
from imrep.ops.colour import luminance
from imrep.ops.pooling import cell_of
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.represent.local.sift import aggregation, dense, keypoints, vocabulary
from imrep.types import Image, Picture, Vectors

# A word has one number where shares are counted, d in VLAD and 2 d in Fisher vectors.
_WORDS = {"words": 256, "vlad": 16, "fisher": 16}
_REDUCED = 32  # principal components of VLAD's and Fisher vectors' descriptors
_SAMPLE = 8_000  # descriptors that the vocabulary is fitted on


class SIFT(Fitted[Points]):
    """Which of a few hundred learned edge patterns occur, in the image and in its quarters.

    A descriptor holds 4 × 4 histograms of 8 gradient orientations round a point, weighted by a
    Gaussian, normalised, clipped at 0.2, and the square roots of its entries' shares are taken
    (RootSIFT). Descriptors of all images are clustered into `words` by k-means, without labels.
    Each descriptor is shared among the words by exp(-(distance / 0.15)²). The vector is the square
    root of the mean shares, for the image and for each of grid × grid cells.

    With `detector=dense` there is an upright patch of 16 × 16 pixels every `step` pixels, and its
    descriptor's length is c / (c + 0.0004) for contrast c, so that noise in flat patches is not
    amplified. With `detector=opencv` the keypoints are OpenCV's, rotated to their dominant
    orientation; an image without any has a zero vector. Each has its `response` (the contrast) and
    its `octave` (-1 for the image enlarged twice): `code.sort("response").first(100)` selects the
    strongest. Both detectors have OpenCV's layout: rows, columns, orientations anticlockwise.

    `pooling` may replace the shares of words. `vlad` sums the differences of descriptors from their
    nearest word; `fisher` is the gradient of the likelihood under a mixture of Gaussians. Few words
    are enough, since each has as many numbers as a descriptor, here reduced to 32 principal
    components. Signed square roots are taken, and each cell has unit length.

    Keypoints are detected on bytes. Gradients reach the image from dense descriptors only.

    Args:
        words: Size of the vocabulary; none for 256, or for 16 where pooled by vlad or fisher.
        step: Pixels between dense patches.
        grid: Cells per side, besides the complete image; 1 for the complete image only.
        detector: dense or opencv.
        pooling: words (shares of words), vlad (differences from the nearest word) or fisher
            (gradient of the likelihood of a mixture of Gaussians).

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
        revision=2,
    )
    codebook: Tensor
    fitted_on: Tensor
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
        # Buffers are allocated before the fit: `load` fills them, and `dim` does not depend on it.
        width = dense.DIM if pooling == "words" else _REDUCED
        self.register_buffer("codebook", torch.zeros(self._size, width))
        self.register_buffer("fitted_on", torch.zeros((), dtype=torch.long))
        if pooling != "words":
            self.register_buffer("mean", torch.zeros(dense.DIM))
            self.register_buffer("axes", torch.zeros(_REDUCED, dense.DIM))
        if pooling == "fisher":
            self.register_buffer("variances", torch.ones(self._size, _REDUCED))
            self.register_buffer("shares", torch.full((self._size,), 1 / self._size))

    @property
    def no_graph(self) -> str:  # type: ignore[override]  # a constant elsewhere
        """Of a lattice of patches it is one."""
        if self.detector == "dense":
            return ""
        return "the number of key points depends on the image (detector=dense has a lattice)"

    @property
    def differentiable(self) -> bool:
        """Whether patches lie on a lattice, not at detections."""
        return self.detector == "dense"

    @property
    def fitted(self) -> bool:
        """Whether there is a vocabulary."""
        return bool(self.fitted_on > 0)

    @property
    def dim(self) -> int:
        """Words times numbers per word, times cells, fitted or not."""
        numbers = {"words": 1, "vlad": _REDUCED, "fisher": 2 * _REDUCED}[self.pooling]
        return self._size * numbers * (1 + (self.grid**2 if self.grid > 1 else 0))

    def encode(self, image: Image) -> Points:
        """RootSIFT descriptors, (batch, point, 128), dense ones row by row."""
        gray = luminance(checks.image(image, self.name))
        if self.detector == "opencv":
            return keypoints.detect(gray.detach())
        return dense.describe(gray, self.step)

    def fit_codes(self, codes: Sequence[Points]) -> None:
        """Learn the vocabulary from up to 8,000 descriptors, sampled uniformly with a fixed seed.

        Raises:
            BadImage: If no image has a keypoint.
        """
        rows = torch.cat([code.values[code.present] for code in codes])
        if not len(rows):
            raise BadImage(
                f"{self.name} needs keypoints to fit its codebook on, got none in "
                f"{sum(map(len, codes))} images. Use detector=dense, or larger images."
            )
        # Sampled on the CPU, so that the device does not change the vocabulary.
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
        self._learn(rows[order[:_SAMPLE].to(rows.device)])
        self.fitted_on.fill_(len(rows))

    def check_code(self, code: Points) -> None:
        """A descriptor of 128 numbers for each point.

        Raises:
            BadCode: If they are not.
        """
        codecheck.columns(code.values, self.name, dense.DIM)

    def pool(self, code: Points) -> Vectors:
        """The complete image, then cells row by row, (batch, cells * numbers).

        Square roots of the words' mean shares; or VLAD's or Fisher vectors.
        """
        if torch.compiler.is_compiling():  # the length of a batch may be left open
            return torch.vmap(self._aggregated)(code.values, self._cells(code)).flatten(1)
        self._need_fit()
        pooled = [  # one at a time: rounding must not depend on the other images of a batch
            self._aggregated(values, weights).flatten()
            for values, weights in zip(code.values, self._cells(code), strict=True)
        ]
        return torch.stack(pooled)

    def picture(self, code: Points, image: Image | None = None) -> Picture:
        """Dense: patches coloured by three principal components; else the keypoints."""
        if self.detector == "opencv":
            return draw(code, image)
        # The lattice runs row by row: as many points share the first y as it has columns.
        columns = int((code.xy[0, :, 1] == code.xy[0, 0, 1]).sum())
        grid = (code.xy.shape[1] // columns, columns)
        colours = draw(Tokens(code.values[:, 0], code.values, grid))
        if image is None:
            return colours
        gray = resize(luminance(image.detach()).to(colours), *colours.shape[2:]).clamp(0, 1)
        return 0.6 * colours + 0.4 * gray

    def _learn(self, rows: Tensor) -> None:
        """Fill the buffers of the pooling from descriptors (n, 128)."""
        if self.pooling == "words":
            self.codebook.copy_(vocabulary.codebook(rows, self._size))
            return
        mean, axes = vocabulary.principal_axes(rows, _REDUCED)
        self.mean.copy_(mean)
        self.axes.copy_(axes)
        rows = (rows - self.mean.to(rows)) @ self.axes.to(rows).T
        if self.pooling == "vlad":
            self.codebook.copy_(vocabulary.codebook(rows, self._size))
            return
        model = vocabulary.mixture(rows, self._size)
        self.shares.copy_(model.weights)
        self.codebook.copy_(model.means)
        self.variances.copy_(model.variances)

    def _aggregated(self, rows: Tensor, weights: Tensor) -> Tensor:
        """One image's descriptors (n, 128) in its cells, by their weights (cells, n)."""
        if self.pooling == "words":
            return aggregation.word_shares(rows, weights, self.codebook.to(rows))
        rows = (rows - self.mean.to(rows)) @ self.axes.to(rows).T
        if self.pooling == "vlad":
            return aggregation.vlad(rows, weights, self.codebook.to(rows))
        parts = (self.shares, self.codebook, self.variances)
        model = vocabulary.Mixture(*(part.to(rows) for part in parts))
        return aggregation.fisher(rows, weights, model)

    def _cells(self, code: Points) -> Tensor:
        """Weight of each point in each cell, (batch, cells, points); rows sum to 1, or to 0."""
        weights = code.present.to(code.values).unsqueeze(1)
        if self.grid > 1:
            one_hot = F.one_hot(cell_of(code.xy, code.size, self.grid), self.grid**2).mT
            weights = torch.cat([weights, weights * one_hot], dim=1)
        # The sums are counts of points: 1 in place of the 0 of an empty cell.
        return weights / weights.sum(2, keepdim=True).clamp_min(1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The buffer `fitted_on` was called `seen` in folders of revision 1."""
        if f"{prefix}seen" in state_dict:
            state_dict[f"{prefix}fitted_on"] = state_dict.pop(f"{prefix}seen")
        super()._load_from_state_dict(state_dict, prefix, *args)
