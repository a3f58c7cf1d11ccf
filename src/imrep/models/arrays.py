"""The arrays of a saved model: those of part 0 are named `0.mean`, `0.rows` and so on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData
from imrep.estimators.discriminant import Discriminant
from imrep.estimators.kernels import STANDARDISED
from imrep.estimators.neighbourhood import Neighbourhood
from imrep.estimators.predictor import Predictor
from imrep.models.fitted_classifier import FittedClassifier
from imrep.models.fitted_model import FittedModel
from imrep.models.fitted_regressor import FittedRegressor

Stored = Mapping[str, NDArray[Any]]

_WEIGHTS, _INTERCEPT = "discriminant", "discriminant_intercept"
_ERRORS = "errors"


def of(model: FittedModel) -> dict[str, NDArray[Any]]:
    """The arrays of a model by name, contiguous."""
    stored: dict[str, NDArray[Any]] = {}
    for number, part in enumerate(model.parts):
        own = part.predictor
        named = {"mean": own.mean, "scale": own.scale, "rows": own.rows}
        named |= {"intercept": own.intercept}
        if own.dual is not None:
            named["dual"] = own.dual
        if own.kernel != STANDARDISED:  # else they are the rows
            named["vectors"] = part.neighbourhood.rows
        stored |= {f"{number}.{name}": array for name, array in named.items()}
    if isinstance(model, FittedClassifier) and model.discriminant is not None:
        stored[_WEIGHTS], stored[_INTERCEPT] = model.discriminant
    if isinstance(model, FittedRegressor):
        stored[_ERRORS] = model.errors
    return {name: np.ascontiguousarray(array) for name, array in stored.items()}


def predictor(
    stored: Stored, number: int, facts: Mapping[str, Any], columns: int, folder: Path
) -> Predictor:
    """What scores the vectors of a part.

    Args:
        stored: All arrays.
        number: The part's.
        facts: Its entry in model.json.
        columns: Number of scores of an image.
        folder: For messages.

    Raises:
        BadData: An array is missing, or of another type or shape, or not finite.
    """
    d, linear = facts["dimensions"], facts["kernel"] == "linear"
    n = facts["images"]
    rows_shape = (d, columns) if linear else (n, d)
    dual = None if linear else _array(stored, f"{number}.dual", "f8", (n, columns), folder)
    return Predictor(
        kernel=facts["kernel"],
        gamma=facts["gamma"],
        mean=_array(stored, f"{number}.mean", "f4", (d,), folder),
        scale=_scale(stored, number, d, folder),
        floor=facts["floor"],
        rows=_array(stored, f"{number}.rows", "f4", rows_shape, folder),
        dual=dual,
        intercept=_array(stored, f"{number}.intercept", "f8", (columns,), folder),
    )


def neighbourhood(
    stored: Stored, number: int, facts: Mapping[str, Any], folder: Path
) -> Neighbourhood:
    """The training vectors of a part.

    Raises:
        BadData: They are missing, or of another type or shape, or not finite.
    """
    shape = (facts["images"], facts["dimensions"])
    name, kind = ("rows", "f4") if facts["kernel"] == STANDARDISED else ("vectors", "f2")
    return Neighbourhood(_array(stored, f"{number}.{name}", kind, shape, folder), facts["unit"])


def discriminant(stored: Stored, classes: int, folder: Path) -> Discriminant | None:
    """The discriminant, if there is one.

    Raises:
        BadData: It is of another type or shape, or not finite.
    """
    if _WEIGHTS not in stored:
        return None
    weights = _array(stored, _WEIGHTS, "f8", (classes, classes), folder)
    return Discriminant(weights, _array(stored, _INTERCEPT, "f8", (classes,), folder))


def errors(stored: Stored, images: int, folder: Path) -> NDArray[np.float64]:
    """The left-out errors of a regressor, ascending.

    Raises:
        BadData: They are missing, of another shape, not finite, or not ascending from 0.
    """
    own: NDArray[np.float64] = _array(stored, _ERRORS, "f8", (images,), folder)
    if own[0] < 0 or (np.diff(own) < 0).any():
        raise BadData(f"{folder} needs ascending numbers in {_ERRORS}. Run compare --save again.")
    return own


def _array(
    stored: Stored, name: str, kind: str, shape: tuple[int, ...], folder: Path
) -> NDArray[Any]:
    array = _typed(stored, name, kind, shape, folder)
    if not np.isfinite(array).all():
        raise BadData(f"{folder} needs finite numbers in {name}. Run compare --save again.")
    return array


def _scale(stored: Stored, number: int, d: int, folder: Path) -> NDArray[np.float32]:
    """Standard deviations; infinite for features that are left out."""
    scale = _typed(stored, f"{number}.scale", "f4", (d,), folder)
    if not (scale > 0).all():
        raise BadData(
            f"{folder} needs numbers above 0 in {number}.scale. Run compare --save again."
        )
    return scale


def _typed(
    stored: Stored, name: str, kind: str, shape: tuple[int, ...], folder: Path
) -> NDArray[Any]:
    array = stored.get(name)
    if array is None or array.dtype != np.dtype(kind) or array.shape != tuple(shape):
        actual = "none" if array is None else f"{array.dtype} {array.shape}"
        raise BadData(
            f"{folder} needs {name} as {np.dtype(kind)} {tuple(shape)}, got {actual}. Run compare "
            "--save again."
        )
    return array
