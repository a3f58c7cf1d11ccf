"""Files of weights: the authors' layout, their backbone alone, and what imrep saves.

The authors store what both directions share twice; here it is one tensor.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep import weights
from imrep.errors import BadParameter
from imrep.io.files import replacing
from imrep.represent.language.virtex import visual
from imrep.represent.language.virtex.pretraining import CLASSIFYING
from imrep.represent.language.virtex.visual import VisualBackbone
from imrep.weights import State

PUBLISHED = "bicaptioning_R_50_L1_H2048"
URL = "https://umich.box.com/shared/static/fm1nq819q74vr0kqcd3gkivlzf06xvko.pth"

_VISUAL, _TEXTUAL, _BACKWARD = "visual.cnn.", "textual.", "backward_textual."
_TRANSFORMER = "transformer."
_OUTPUT, _WORDS = "textual.output.weight", "textual.embedding.words.weight"
_LAYER = re.compile(r"textual\.decoder\.layers\.(\d+)\.")
_HEAD_WIDTH = 64  # of an attention's head, in all of the authors' models


@dataclass(frozen=True)
class Content:
    """A file's tensors under imrep's names, and the parameters that they determine.

    Args:
        state: Tensors by name.
        params: By name; those that the tensors' shapes determine.
        ours: Whether imrep wrote it.
    """

    state: State
    params: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = False


def read(path: str, caller: str) -> Content:
    """The tensors of a file, a folder or a package.

    Raises:
        WeightsNeeded: There are none.
        BadParameter: It holds no network of these layouts.
    """
    return _content(weights.read(path, caller), caller)


def published(caller: str) -> Content:
    """The authors' best model.

    Raises:
        WeightsNeeded: It is neither cached nor may be downloaded.
    """
    return _content(weights.published(PUBLISHED, caller, url=URL), caller)


def tokenizer_beside(path: str) -> Path | None:
    """The one .model file in the folder of the weights; None where there is none, or several."""
    weights_path = Path(path)
    folder = weights_path if weights_path.is_dir() else weights_path.parent
    files = sorted(folder.glob("*.model")) if weights_path.exists() else []
    return files[0] if len(files) == 1 else None


def official(state: Mapping[str, Tensor]) -> State:
    """Tensors of imrep's names under those of the authors, what is shared twice."""
    result: State = {}
    for name, tensor in state.items():
        if not name.startswith(_TEXTUAL):
            if name.startswith(_VISUAL):
                result[name] = tensor
            continue
        inner = name.removeprefix(_TEXTUAL)
        if inner.startswith("backward_decoder."):
            inner = inner.replace("backward_decoder.", _TRANSFORMER, 1)
            result[_BACKWARD + inner] = tensor
            continue
        inner = inner.replace("decoder.", _TRANSFORMER, 1)
        inner = "output.bias" if inner == "bias" else inner
        shared = [_TEXTUAL] if inner.startswith(_TRANSFORMER) else [_TEXTUAL, _BACKWARD]
        result |= {prefix + inner: tensor for prefix in shared}
        if inner == "embedding.words.weight":
            result |= {f"{prefix}output.weight": tensor for prefix in shared}
    if not any(name.startswith(f"{_BACKWARD}{_TRANSFORMER}") for name in result):
        result = {name: t for name, t in result.items() if not name.startswith(_BACKWARD)}
    return result


def write_detectron2(backbone: VisualBackbone, path: Path) -> None:
    """Write the backbone as a file that Detectron2's checkpointer reads.

    Raises:
        BadParameter: Its name does not end in .pth, or the network is not torchvision's.
    """
    if path.suffix != ".pth":
        raise BadParameter(f"Detectron2 needs a file ending in .pth, got {path.name!r}.")
    if not backbone.is_residual:
        raise BadParameter(
            "Detectron2 needs a residual network of torchvision, got another. Set arch=resnet50."
        )
    state = {name: t.detach().cpu() for name, t in backbone.cnn.state_dict().items()}
    content = {
        "model": visual.detectron2(state),
        "__author__": "VirTex",
        "matching_heuristics": True,
    }
    with replacing(path) as draft:
        torch.save(content, draft)


def _content(state: State, caller: str) -> Content:
    ours = any(name.startswith("textual.decoder.") or name == "tokens.model" for name in state)
    if ours:
        return Content(state, _determined(state), ours=True)
    if "layer1.0.conv1.weight" in state:  # the backbone alone
        backbone = {_VISUAL + name: t for name, t in state.items() if not name.startswith("fc.")}
        return Content(backbone, {"arch": _architecture(backbone), "task": "none"})
    if not any(name.startswith(_VISUAL) for name in state):
        raise BadParameter(
            f"{caller} needs weights of VirTex, got others: {next(iter(state), 'none')!r}. Pass a "
            "checkpoint of its authors, a residual network of torchvision, or a folder of "
            "imrep train."
        )
    state = _ours(state, caller)
    return Content(state, {**_determined(state), "arch": _architecture(state)})


def _ours(state: State, caller: str) -> State:
    """The authors' tensors under imrep's names; what is stored twice has to be equal."""
    result: State = {}
    for name, tensor in state.items():
        if name.startswith(f"{_BACKWARD}{_TRANSFORMER}"):
            inner = name.removeprefix(f"{_BACKWARD}{_TRANSFORMER}")
            result[f"textual.backward_decoder.{inner}"] = tensor
        elif name.startswith(_BACKWARD):
            twin = state.get(_TEXTUAL + name.removeprefix(_BACKWARD))
            _require_equal(tensor, twin, name, caller)
        elif name == _OUTPUT and _WORDS in state:
            _require_equal(tensor, state[_WORDS], name, caller)
        elif name == "textual.output.bias" and _WORDS in state:
            result["textual.bias"] = tensor
        else:
            start = f"{_TEXTUAL}{_TRANSFORMER}"
            is_decoder = name.startswith(start)
            result[name.replace(start, "textual.decoder.", 1) if is_decoder else name] = tensor
    return result


def _require_equal(tensor: Tensor, twin: Tensor | None, name: str, caller: str) -> None:
    if twin is None or not torch.equal(tensor, twin):
        raise BadParameter(
            f"{caller} needs {name!r} to equal the tensor that it shares, got others. Pass a "
            "complete checkpoint of VirTex."
        )


def _determined(state: State) -> dict[str, Any]:
    """Parameters that the tensors of a textual head show."""
    if _WORDS not in state:
        if _OUTPUT not in state:
            return {"task": "none"}
        count = len(state[_OUTPUT])
        return {"task": CLASSIFYING[0], "vocabulary": count, "classes": count - 1}
    vocabulary, width = state[_WORDS].shape
    params: dict[str, Any] = {
        "vocabulary": vocabulary,
        "hidden": width,
        "max_length": len(state["textual.embedding.positions.weight"]),
    }
    layers = {int(match[1]) for name in state if (match := _LAYER.match(name))}
    if layers:
        feedforward = state.get("textual.decoder.layers.0.linear1.weight", torch.empty(0))
        params |= {
            "layers": len(layers),
            "heads": max(1, width // _HEAD_WIDTH),
            "feedforward": len(feedforward),
            "norm_first": "textual.decoder.norm.weight" in state,
        }
    is_bidirectional = any(name.startswith("textual.backward_decoder.") for name in state)
    return {**params, "task": "bicaptioning" if is_bidirectional else "captioning"}


def _architecture(state: State) -> str:
    """The residual network whose tensors these are; the default where none fits."""
    shapes = {name: t.shape for name, t in state.items() if name.startswith(_VISUAL)}
    for arch in visual.OF_TORCHVISION:
        with torch.device("meta"):
            own = VisualBackbone(arch).state_dict()
        if {f"visual.{name}": t.shape for name, t in own.items()} == shapes:
            return arch
    return visual.OF_TORCHVISION[2]
