"""model.json: all of a saved model that is not an array."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imrep import __version__, factory
from imrep.base import Representation
from imrep.errors import BadData, ImrepError, StoreMismatch
from imrep.estimators.kernels import KERNELS
from imrep.io import digests
from imrep.models import arrays, tasks
from imrep.models.arrays import Stored
from imrep.models.fitted_model import FittedModel, Frame, Part

FORMAT = 1

_FOLDER = re.compile(r"rep\d+/")


def of(model: FittedModel, folders: Sequence[str | None]) -> dict[str, Any]:
    """The content of model.json without digests.

    Args:
        model: The model.
        folders: The folder of each part that was fitted to images; None for the others.
    """
    pairs = zip(model.parts, folders, strict=True)
    return {
        "format": FORMAT,
        "imrep": __version__,
        "task": tasks.name_of(model),
        "spec": model.spec,
        "parts": [_facts(part, folder) for part, folder in pairs],
        **tasks.facts_of(model),
        "unlike": model.usual,
        "data_range": model.data_range and list(model.data_range),
        "seed": model.seed,
        "measured": tasks.measured_facts(model),
        "created": model.created,
    }


def digest_of(content: Mapping[str, Any]) -> str:
    """Digest of everything in it but the digest."""
    others = {name: value for name, value in content.items() if name != "digest"}
    return digests.digest(json.dumps(others, sort_keys=True))


def check_format(content: Any, folder: Path) -> None:
    """Refuse what this version of imrep does not read.

    Raises:
        BadData: It is of another format, or of no known task.
    """
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        remedy = "Update imrep." if isinstance(version, int) else "Give a folder of --save."
        raise BadData(f"{folder} needs format {FORMAT} in model.json, got {version}. {remedy}")
    if content.get("task") not in tasks.NAMES:
        raise BadData(
            f"{folder} needs a task of {', '.join(tasks.NAMES)}, got {content.get('task')!r}. "
            "Update imrep."
        )


def model(content: Mapping[str, Any], stored: Stored, folder: Path) -> FittedModel:
    """The model that was saved.

    Raises:
        BadData: Something is missing or does not fit.
        StoreMismatch: A representation gives other numbers in this version of imrep.
        ImrepError: A representation cannot be built here.
    """
    try:
        return _model(content, stored, folder)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadData(
            f"{folder} needs a complete model.json, got one without {error}. Run compare --save "
            "again."
        ) from error


def _model(content: Mapping[str, Any], stored: Stored, folder: Path) -> FittedModel:
    data_range, columns = content["data_range"], tasks.columns(content)
    common = {
        "spec": content["spec"],
        "parts": tuple(
            _part(facts, stored, number, columns, folder)
            for number, facts in enumerate(content["parts"])
        ),
        "usual": content["unlike"],
        "data_range": None if data_range is None else (data_range[0], data_range[1]),
        "seed": content["seed"],
        "created": content["created"],
    }
    return tasks.model(content, common, stored, folder)


def _facts(part: Part, folder: str | None) -> dict[str, Any]:
    own = part.predictor
    return {
        "kind": "own" if part.rep is None else "imrep",
        "spec": part.spec,
        "fingerprint": part.fingerprint,
        **part.frame._asdict(),
        "weight": part.weight,
        "kernel": own.kernel,
        "gamma": own.gamma,
        "floor": own.floor,
        "penalty": part.penalty,
        "unit": part.neighbourhood.unit,
        "images": len(part.neighbourhood.rows),
        "dimensions": part.dimensions,
        "fitted": folder,
    }


def _part(
    facts: Mapping[str, Any], stored: Stored, number: int, columns: int, folder: Path
) -> Part:
    if facts["kernel"] not in KERNELS:
        raise BadData(f"{folder} needs a kernel of {KERNELS}, got {facts['kernel']!r}.")
    return Part(
        spec=facts["spec"],
        rep=None if facts["kind"] == "own" else _representation(facts, folder),
        fingerprint=facts["fingerprint"],
        frame=Frame(facts["size"], facts["crop"], facts["resampling"]),
        weight=facts["weight"],
        penalty=facts["penalty"],
        predictor=arrays.predictor(stored, number, facts, columns, folder),
        neighbourhood=arrays.neighbourhood(stored, number, facts, folder),
    )


def _representation(facts: Mapping[str, Any], folder: Path) -> Representation:
    spec, saved = facts["spec"], facts["fitted"]
    if saved is not None and not _FOLDER.fullmatch(saved):
        raise BadData(f"{folder} needs its own folder for {spec}, got {saved!r}.")
    try:
        rep = factory.get(spec) if saved is None else factory.load(folder / saved)
    except ImrepError as error:
        raise type(error)(f"{folder} was made by {spec}. {error}") from error
    if rep.fingerprint != facts["fingerprint"]:
        raise StoreMismatch(
            f"{folder} was made by {spec} {facts['fingerprint']}; this imrep makes "
            f"{rep.fingerprint}. Run compare --save again."
        )
    return rep
