"""The weights that a spec names, put into both towers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from imrep.base.supervised import take_saved
from imrep.errors import BadParameter
from imrep.represent.language.clip import checkpoints, configuration, parameters
from imrep.represent.language.clip.checkpoints import Stated
from imrep.represent.language.clip.configuration import Configuration
from imrep.represent.language.clip.tokenizer import Tokenizer
from imrep.weights import State, described, read, strict

_POOLING = "text_pooling."


@dataclass(frozen=True)
class Content:
    """What the towers are built from and filled with.

    Args:
        configuration: Of the model.
        tokenizer: Of its texts.
        state: Of the towers; None for random weights.
        pooling: Of a learned pooling of texts; empty where there is none.
    """

    configuration: Configuration
    tokenizer: Tokenizer
    state: State | None
    pooling: State


def load(rep: Any) -> Content:
    """What `rep.weights` names.

    Raises:
        WeightsNeeded: There are no such weights.
        BadParameter: They are of another kind, or the model does not exist.
    """
    stated = Stated(rep.arch, rep.quickgelu, rep.image_heads, rep.text_heads, rep.name)
    if rep.weights == "random":
        own = configuration.of_arch(rep.arch, rep.name)
        quick = own.sizes.get("quick_gelu", False) if rep.quickgelu is None else rep.quickgelu
        sizes = checkpoints.with_heads(configuration.quickened(own.sizes, quick), stated)
        return Content(Configuration(sizes, own.images), Tokenizer.of(sizes), None, {})
    if rep.weights == "published":
        return _of(checkpoints.of_tag("", stated), {})
    path = Path(rep.weights)
    if not path.exists() and rep.weights in checkpoints.tags(rep.arch, rep.name):
        return _of(checkpoints.of_tag(rep.weights, stated), {})
    if "spec" in (config := _config(rep)):
        take_saved(rep, config["spec"], parameters.OF_THE_WEIGHTS)
        rep.arch = str(config.get("arch", rep.arch))
    return _of(*_split(checkpoints.of_path(rep.weights, stated)))


def fill(rep: Any, state: State | None, pooling: State) -> None:
    """Load the tensors into the towers that were built for them.

    Raises:
        BadParameter: One is missing, foreign, or of another shape.
    """
    if state is None:
        return
    if rep.objective == "sigmoid" and "logit_bias" not in state:  # which begins anew with its scale
        network = rep.network.state_dict()
        state = {**state, **{key: network[key] for key in ("logit_bias", "logit_scale")}}
    arch = "clip" if Path(rep.weights).exists() else rep.arch
    rep.network.load_state_dict(strict.fit(state, rep.network.state_dict(), arch, rep.name))
    if rep.text_pooling is not None and pooling:
        own = rep.text_pooling
        own.load_state_dict(strict.fit(pooling, own.state_dict(), "its pooling", rep.name))


def restore(rep: Any, folder: Path) -> None:
    """Give `rep` the model and the weights of a folder that `save` wrote.

    Raises:
        BadParameter: There is none.
    """
    file = folder / "weights.safetensors"
    if not file.is_file():
        raise BadParameter(f"{rep.spec} cannot load {file.name}: {file} is no file.")
    config = described(file, rep.name).config
    own = checkpoints.configured(config)
    if own is not None:
        named = str(config.get("weights", "random"))
        rep.arch = str(config.get("arch", rep.arch))
        rep.weights = str(folder) if Path(named).exists() else named
        rep.build(own, Tokenizer.beside(folder, own.sizes))
    state = read(file, rep.name)
    prefix = "network."
    towers = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    fill(rep, towers or state, _pooling(state))


def _of(loaded: checkpoints.Loaded, pooling: State) -> Content:
    return Content(loaded.configuration, loaded.tokenizer, loaded.state, pooling)


def _split(loaded: checkpoints.Loaded) -> tuple[checkpoints.Loaded, State]:
    state = {k: v for k, v in loaded.state.items() if not k.startswith(_POOLING)}
    own = checkpoints.Loaded(loaded.configuration, loaded.tokenizer, state)
    return own, _pooling(loaded.state)


def _pooling(state: Mapping[str, Tensor]) -> State:
    return {k.removeprefix(_POOLING): v for k, v in state.items() if k.startswith(_POOLING)}


def _config(rep: Any) -> dict[str, Any]:
    return described(checkpoints.file_in(Path(rep.weights)), rep.name).config
