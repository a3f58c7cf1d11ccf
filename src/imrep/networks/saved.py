"""Representations of a library's network as `save` writes them, and as `weights=FOLDER` reads them.

`imrep.represent.learned.cnn` and `vit` are such; their attributes are those that these functions
name.
"""

from pathlib import Path
from typing import Any

from imrep import weights
from imrep.errors import BadParameter
from imrep.io import digests
from imrep.networks.built import Built
from imrep.weights import State, configuration, described, strict

NAMED = ("published", "random")  # weights that are no file


def facts(built: Built, crop: float, resampling: str) -> dict[str, Any]:
    """What a config.json says of the images, in timm's form."""
    if built.gray:  # LeNet, which has but one way to read them
        return {}
    own = built.facts | {"crop_pct": crop, "interpolation": resampling}
    return {"pretrained_cfg": own}


def digest(built: Built, state: State) -> str:
    """Of the weights, and of their own normalisation or side where these are not usual."""
    tensors = weights.digest(state)
    own = built.facts
    named = str([own["input_size"], own["mean"], own["std"]])
    return f"{tensors}-{digests.digest(named, size=6)}" if built.differs else tensors


def load(rep: Any, folder: str | Path, load_state: Any) -> None:
    """Give `rep` the tensors of a folder, its way to read images, and the name of its weights.

    Args:
        rep: Built with random weights.
        folder: That `save` wrote.
        load_state: Loads its tensors.

    Raises:
        BadParameter: If they are another network's, or there are none.
    """
    path = Path(folder) / "weights.safetensors"
    if not path.is_file():
        raise BadParameter(f"{rep.spec} cannot load {path.name}: {path} is no file.")
    stored = described(path, rep.name)
    own = configuration.images(stored, rep.name)
    if rep.built.facts | own != rep.built.facts:
        rep.build(own)
    strict.fit(weights.read(path, rep.name), rep.state_dict(), rep.arch, rep.name)
    load_state(folder)
    weights.rename(rep, (*NAMED, str(folder)), str(stored.config.get("fingerprint", "")))
    rep.settle()
