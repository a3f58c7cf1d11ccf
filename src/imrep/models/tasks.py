"""What model.json says of classes, of a number and of labels, beside what all models have."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from imrep.errors import BadData
from imrep.estimators.platt import Sigmoids
from imrep.models import arrays
from imrep.models.arrays import Stored
from imrep.models.fitted_classifier import FittedClassifier, Measured
from imrep.models.fitted_model import FittedModel
from imrep.models.fitted_regressor import SCALES, FittedRegressor, MeasuredNumber
from imrep.models.fitted_tagger import FittedTagger, MeasuredRanking

_TYPES = {"class": FittedClassifier, "value": FittedRegressor, "labels": FittedTagger}

NAMES = tuple(_TYPES)
"""The tasks, as model.json names them."""


def name_of(model: FittedModel) -> str:
    """The task of a model."""
    return next(name for name, own in _TYPES.items() if isinstance(model, own))


def facts_of(model: FittedModel) -> dict[str, Any]:
    """What the task adds to model.json."""
    if isinstance(model, FittedClassifier):
        return {
            "temperature": model.temperature,
            "classes": list(model.classes),
            "prior": model.prior,
            "log_prior": model.log_prior.tolist(),
            "target": None,
        }
    if isinstance(model, FittedRegressor):
        target = {"name": model.target, "mean": model.mean, "sd": model.sd, "scale": model.scale}
        return {"target": target}
    assert isinstance(model, FittedTagger)  # there is no other
    triples = zip(model.labels, *(each.tolist() for each in model.sigmoids), strict=True)
    return {"labels": [{"name": n, "slope": a, "offset": b} for n, a, b in triples]}


def measured_facts(model: FittedModel) -> dict[str, Any]:
    """What was measured; None for what is not finite."""
    assert isinstance(model, FittedClassifier | FittedRegressor | FittedTagger)
    return {name: _finite(value) for name, value in asdict(model.measured).items()}


def columns(content: Mapping[str, Any]) -> int:
    """Number of scores of an image."""
    task = content["task"]
    return 1 if task == "value" else len(content["classes" if task == "class" else "labels"])


def model(
    content: Mapping[str, Any], common: Mapping[str, Any], stored: Stored, folder: Path
) -> FittedModel:
    """The model that was saved.

    Args:
        content: model.json.
        common: What every model has.
        stored: All arrays.
        folder: For messages.

    Raises:
        BadData: Something does not fit.
        KeyError: Something is missing.
    """
    read = {"class": _classifier, "value": _regressor, "labels": _tagger}[content["task"]]
    return read(content, common, stored, folder)


def _classifier(
    content: Mapping[str, Any], common: Mapping[str, Any], stored: Stored, folder: Path
) -> FittedModel:
    classes = tuple(content["classes"])
    return FittedClassifier(
        **common,
        classes=classes,
        discriminant=arrays.discriminant(stored, len(classes), folder),
        temperature=content["temperature"],
        prior=content["prior"],
        log_prior=np.array(content["log_prior"], np.float64),
        measured=Measured(**_measured(content)),
    )


def _regressor(
    content: Mapping[str, Any], common: Mapping[str, Any], stored: Stored, folder: Path
) -> FittedModel:
    target, images = content["target"], content["parts"][0]["images"]
    if target["scale"] not in SCALES:
        raise BadData(f"{folder} needs a scale of {tuple(SCALES)}, got {target['scale']!r}.")
    return FittedRegressor(
        **common,
        target=target["name"],
        mean=target["mean"],
        sd=target["sd"],
        scale=target["scale"],
        errors=arrays.errors(stored, images, folder),
        measured=MeasuredNumber(**_measured(content)),
    )


def _tagger(
    content: Mapping[str, Any], common: Mapping[str, Any], stored: Stored, folder: Path
) -> FittedModel:
    labels = content["labels"]
    slope, offset = (
        np.array([label[name] for label in labels], np.float64) for name in ("slope", "offset")
    )
    return FittedTagger(
        **common,
        labels=tuple(label["name"] for label in labels),
        sigmoids=Sigmoids(slope, offset),
        measured=MeasuredRanking(**_measured(content)),
    )


def _measured(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value
            for name, value in content["measured"].items()}  # fmt: skip


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
