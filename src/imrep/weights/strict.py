"""Checks that tensors are a network's: all of them, with its names, shapes and types."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from imrep.errors import BadParameter
from imrep.weights.files import State

_COUNTS = "num_batches_tracked"  # of batch normalisation; used in training only
_TRAINING = ("n_averaged", "AuxLogits.", "aux1.", "aux2.")  # what only training uses


def fit(
    state: State,
    network: Mapping[str, Tensor],
    arch: str,
    caller: str,
    *,
    required: Collection[str] | None = None,
    head: tuple[str, ...] = (),
) -> State:
    """The tensors of `state` for the network, once all of them are checked.

    Args:
        state: Tensors by name, translated to the network's names.
        network: The network's own tensors, by name.
        arch: The network's name in messages.
        caller: The name that messages start with.
        required: Names that must be present; None for all but the head's.
        head: Prefixes, before a dot, of the classifier's names: it is dropped, whatever its number
            of classes.

    Raises:
        BadParameter: If one is missing, is no part of the network, has another shape or type, or
            holds NaN or infinity.
    """
    skipped = (*(f"{name}." for name in head), *_TRAINING)
    needed = network if required is None else required
    missing = [
        key
        for key in network
        if key in needed and key not in state and not key.startswith(skipped) and _counts(key)
    ]
    foreign = [
        key for key in state if key not in network and not key.startswith(skipped) and _counts(key)
    ]
    if missing or foreign:
        raise misfit(arch, caller, _absence(missing, foreign))
    own = {
        key: value for key, value in state.items() if key in network and not key.startswith(skipped)
    }
    for key, value in own.items():
        if value.shape != network[key].shape:
            shapes = f"{tuple(value.shape)} in place of {tuple(network[key].shape)}"
            raise misfit(arch, caller, f"{key!r} has shape {shapes}")
        if _counts(key) and (fault := _fault(value, network[key])):
            raise BadParameter(
                f"{caller} needs weights of {arch} in plain floating-point numbers, got {key!r} "
                f"that {fault}. Pass another file."
            )
    return own


def _counts(key: str) -> bool:
    return not key.endswith(_COUNTS)


def _absence(missing: list[str], foreign: list[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{missing[0]!r} is missing{_more(missing)}")
    if foreign:
        parts.append(f"{foreign[0]!r} is no part of it{_more(foreign)}")
    return ", ".join(parts)


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1:,} more" if names[1:] else ""


def _fault(value: Tensor, own: Tensor) -> str:
    """What is wrong with a tensor, in words; empty for a valid one."""
    if value.is_meta or value.layout != torch.strided:
        return "holds no plain numbers"
    if value.is_floating_point() != own.is_floating_point() or value.is_complex():
        return f"is {value.dtype} in place of {own.dtype}"
    # Values that overflow in the network's narrower type are refused like infinity.
    if own.is_floating_point() and not value.to(own.dtype).isfinite().all():
        return "holds NaN or infinity"
    return ""


def misfit(arch: str, caller: str, reason: str) -> BadParameter:
    """The refusal of weights."""
    return BadParameter(
        f"{caller} needs weights of {arch}, got others: {reason}. "
        "Name the network they were made by with arch=NAME, or pass a file of this one."
    )
