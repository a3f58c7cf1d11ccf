"""The computation of an exported file as a module: squares in, vectors or answers out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imrep.base import Representation
from imrep.errors import BadParameter
from imrep.estimators.kernels import CLIP, EQUAL
from imrep.models.fitted_classifier import FittedClassifier
from imrep.models.fitted_model import FittedModel, Part
from imrep.models.fitted_regressor import FittedRegressor
from imrep.models.fitted_tagger import FittedTagger


class VectorGraph(nn.Module):
    """Squares (batch, side, side, 3) uint8 to vectors (batch, d) float32."""

    def __init__(self, rep: Representation) -> None:
        super().__init__()
        self.rep = rep

    def forward(self, images: Tensor) -> Tensor:
        """`embed` of the squares."""
        return self.rep.embed(_floating(images)).float()


class ModelGraph(nn.Module):
    """Squares (batch, side, side, 3) uint8 to probabilities (batch, n), or to numbers (batch, 1).

    Sums of many terms are in double precision, as `imrep predict` has them.
    """

    def __init__(self, model: FittedModel) -> None:
        super().__init__()
        self.parts = nn.ModuleList([_Scores(part) for part in model.parts])
        self.finish = _finish(model)

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities, or the number."""
        squares = _floating(images)
        total = self.parts[0](squares)
        for part in list(self.parts)[1:]:
            total = total + part(squares)
        return self.finish(total).float()


class _Scores(nn.Module):
    """Weighted scores of one part, (batch, c) float64."""

    mean: Tensor
    scale: Tensor
    rows: Tensor
    lengths: Tensor
    dual: Tensor
    intercept: Tensor

    def __init__(self, part: Part) -> None:
        super().__init__()
        assert part.rep is not None  # `check` has refused the others
        own = part.predictor
        self.rep, self.weight, self.kernel = part.rep, part.weight, own.kernel
        self.floor, self.gamma = own.floor, own.gamma
        tables = {"mean": own.mean, "scale": own.scale, "rows": own.rows}
        tables["intercept"] = own.intercept
        if own.dual is not None:
            lengths = np.einsum("nd,nd->n", own.rows, own.rows, dtype=np.float64)
            tables |= {"dual": own.dual, "lengths": lengths.astype(np.float32)}
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(np.array(table)))

    def forward(self, squares: Tensor) -> Tensor:
        """The kernel ridge of `imrep.estimators.predictor`."""
        own = self._features(self.rep.embed(squares).float())
        if self.kernel == "linear" or self.gamma is None:
            return self.weight * (own.double() @ self.rows.double() + self.intercept)
        lengths = own.double().square().sum(1).float()[:, None] + self.lengths
        squared = lengths - 2 * (own @ self.rows.T)
        squared = torch.where(squared < EQUAL * lengths, torch.zeros_like(squared), squared)
        squared = squared * self.gamma
        similarity = (-(squared.sqrt() if self.kernel == "exponential" else squared)).exp()
        return self.weight * (similarity.double() @ self.dual + self.intercept)

    def _features(self, vectors: Tensor) -> Tensor:
        centred = vectors - self.mean
        if self.kernel == "exponential":
            return (centred / self.scale).clamp(-CLIP, CLIP)
        length = centred.double().square().sum(1, keepdim=True)
        return centred / (length + self.floor).sqrt().float()


class _Probabilities(nn.Module):
    """A calibrated softmax of a classifier's scores."""

    offset: Tensor
    weights: Tensor
    intercept: Tensor

    def __init__(self, model: FittedClassifier) -> None:
        super().__init__()
        self.temperature = model.temperature
        self.discriminates = model.discriminant is not None
        self._table("offset", model.log_prior / model.temperature)
        if model.discriminant is not None:
            self._table("weights", model.discriminant.weights)
            self._table("intercept", model.discriminant.intercept)

    def forward(self, scores: Tensor) -> Tensor:
        """Of each class."""
        logits = scores @ self.weights + self.intercept if self.discriminates else scores
        return (self.temperature * (logits + self.offset)).softmax(1)

    def _table(self, name: str, values: NDArray[np.float64]) -> None:
        self.register_buffer(name, torch.from_numpy(np.array(values, np.float64)))


class _Sigmoids(nn.Module):
    """Probabilities of labels that do not exclude each other."""

    slope: Tensor
    offset: Tensor

    def __init__(self, model: FittedTagger) -> None:
        super().__init__()
        self.register_buffer("slope", torch.from_numpy(np.array(model.sigmoids.slope, np.float64)))
        self.register_buffer(
            "offset", torch.from_numpy(np.array(model.sigmoids.offset, np.float64))
        )

    def forward(self, scores: Tensor) -> Tensor:
        """Of each label."""
        return (self.slope * scores + self.offset).sigmoid()


class _Number(nn.Module):
    """A number in the units of the data set."""

    def __init__(self, model: FittedRegressor) -> None:
        super().__init__()
        self.mean, self.sd, self.scale = model.mean, model.sd, model.scale

    def forward(self, scores: Tensor) -> Tensor:
        """(batch, 1)."""
        number = self.mean + self.sd * scores
        if self.scale == "log":
            return number.exp()
        return number.expm1() if self.scale == "log1p" else number


def check_model(model: FittedModel) -> None:
    """Refuse a model that one file of one input cannot hold.

    Raises:
        BadParameter: A part has vectors that were made elsewhere, or parts read different squares.
    """
    if model.own:
        raise BadParameter(
            f"export needs representations of imrep, got {model.own[0].spec}, vectors that were "
            "made elsewhere. Save a model without them (compare -r SPEC --save)."
        )
    if len(model.frames) > 1:
        sizes = " and ".join(f"{frame.size} px" for frame in model.frames)
        raise BadParameter(
            f"export needs a model that reads one square of an image, got {model.spec} with "
            f"{sizes} or several crops. Save a model of one spec (compare -r SPEC --save)."
        )


def _finish(model: FittedModel) -> nn.Module:
    if isinstance(model, FittedClassifier):
        return _Probabilities(model)
    if isinstance(model, FittedTagger):
        return _Sigmoids(model)
    assert isinstance(model, FittedRegressor)  # there is no other
    return _Number(model)


def _floating(squares: Tensor) -> Tensor:
    """Images (batch, 3, side, side) float32 in [0, 1]."""
    return squares.permute(0, 3, 1, 2).float() / 255
