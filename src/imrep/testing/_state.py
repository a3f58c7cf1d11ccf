"""Questions about parameters and state: specs, fits, saving, copies, compilation."""

import copy
import pickle
import tempfile
import warnings
from typing import Any

import torch

from imrep import factory
from imrep.base import Representation, Sum
from imrep.errors import BadParameter, ImrepError, NotFitted
from imrep.testing._tools import close, embed, fit, photo, ready, require, says_its_name


def spec_rebuilds_it(rep: Representation) -> None:
    """`get(rep.spec)` has the class, parameters and weights of `rep`, whatever the random state."""
    torch.manual_seed(1)
    again = factory.get(rep.spec)
    torch.manual_seed(2)
    third = factory.get(rep.spec)
    require(type(again) is type(rep), f"{rep.spec} rebuilds a {type(again).__name__}")
    require(again.spec == rep.spec, f"{rep.spec} rebuilds {again.spec}")
    require(
        again.fingerprint == third.fingerprint, f"{rep.spec} has different weights at each build"
    )
    close(embed(again), embed(third), f"{rep.spec} gives different vectors at each build")


def parameters_survive_the_spec(rep: Representation) -> None:
    """A changed parameter is in the spec and rebuilt from it, or refused by imrep's own error."""
    for key, value in _changes(rep):
        try:
            changed = copy.deepcopy(rep).set_params(**{key: value})
        except ImrepError as error:
            require(bool(str(error)), f"{rep.name} refuses {key}={value!r} without a word")
            continue
        rebuilt = factory.get(changed._blank_spec())
        require(rebuilt.spec == changed.spec, f"{changed.spec} rebuilds {rebuilt.spec}")


def parameters_keep_their_names(rep: Representation) -> None:
    """Each argument of the constructor is an attribute of the same name and the same value."""
    try:
        params = rep.get_params()
        again = copy.deepcopy(rep).set_params(**params).get_params()
    except BadParameter as error:
        raise AssertionError(str(error)) from error
    for key, value in params.items():
        same = isinstance(value, tuple) or again[key] == value  # a sum's views are objects
        require(same, f"{rep.name} keeps {key}={value!r} as {again[key]!r}")


def lists_are_refused_by_name(rep: Representation) -> None:
    """A list, tuple, dictionary or array as a parameter: an error of imrep's that names both."""
    for key in rep.get_params(deep=False):
        for value in ([1, 2], (), {"a": 1}, torch.ones(2).numpy()):
            try:
                copy.deepcopy(rep).set_params(**{key: value})
            except ImrepError as error:
                named = isinstance(rep, Sum) or (rep.name in str(error) and key in str(error))
                require(named, f"{rep.name} does not name {key} in: {error}")
            except Exception as error:
                raise AssertionError(
                    f"{rep.name} raises {type(error).__name__} at {key}={value!r}: {error}. "
                    "Annotate it as int, float, bool, str or None"
                ) from error
            else:
                raise AssertionError(f"{rep.name} takes {key}={value!r}, which no spec can hold")


def unfitted_says_so(rep: Representation) -> None:
    """Unfitted, it encodes and refuses `embed` by name; fitted twice, it learns the same."""
    if not rep.needs_fit:
        embed(rep)
        return
    rep.encode(photo())
    try:
        rep.embed(photo())
    except NotFitted as error:
        says_its_name(rep, error)
    else:
        raise AssertionError(f"{rep.spec} embeds before it is fitted")
    require(not ready(rep).needs_fit, f"{rep.spec} still needs fitting after `fit`")
    torch.manual_seed(3)
    duplicate = copy.deepcopy(rep)
    require(
        fit(duplicate).fingerprint == fit(rep).fingerprint,
        f"{rep.spec} learns something else at each fit",
    )


def training_mode_changes_nothing(rep: Representation) -> None:
    """`train()` and `eval()` give the same vectors, and embedding changes no state."""
    rep = ready(rep)
    before = rep.fingerprint
    close(embed(rep.train()), embed(rep.eval()), f"{rep.spec} depends on train() and eval()")
    require(rep.fingerprint == before, f"{rep.spec} changes its state in `embed`")


def saved_is_loaded(rep: Representation) -> None:
    """`save` and `load` keep vectors and fingerprint, fitted or not."""
    for saved in (rep, ready(copy.deepcopy(rep))):
        with tempfile.TemporaryDirectory() as folder:
            loaded = factory.load(saved.save(folder))
        same = loaded.fingerprint == saved.fingerprint
        require(same, f"{rep.spec} has another fingerprint after loading")
        require(loaded.needs_fit == saved.needs_fit, f"{rep.spec} forgets whether it was fitted")
    close(embed(loaded), embed(saved), f"{rep.spec} embeds differently after loading")


def copies_are_equal(rep: Representation) -> None:
    """Pickled and deep-copied, it keeps its vectors and its fingerprint."""
    rep = ready(rep)
    for duplicate in (pickle.loads(pickle.dumps(rep)), copy.deepcopy(rep)):
        same = duplicate.fingerprint == rep.fingerprint
        require(same, f"{rep.spec} has another fingerprint when copied")
        close(embed(duplicate), embed(rep), f"{rep.spec} embeds differently when copied")


def compiles(rep: Representation) -> None:
    """The same vectors under torch.compile's "aot_eager", or `eager_only` says why not."""
    _compiles(rep, "aot_eager")


def compiles_by_default(rep: Representation) -> None:
    """The same with torch's default backend, which generates and compiles code: slow."""
    _compiles(rep, "inductor")


def _changes(rep: Representation) -> list[tuple[str, Any]]:
    """Each parameter with other values: close ones and meaningless ones."""
    changes: list[tuple[str, Any]] = []
    for key, value in rep.get_params().items():
        if isinstance(value, bool):
            changes += [(key, not value)]
        elif isinstance(value, int):
            changes += [(key, value + 1), (key, 0), (key, -3)]
        elif isinstance(value, float):
            changes += [(key, value * 0.9), (key, -1.0)]
        elif isinstance(value, str):
            changes += [(key, "no, such: thing")]
    return changes


def _compiles(rep: Representation, backend: str) -> None:
    if rep.eager_only:
        require(
            " " in rep.eager_only, f"{rep.spec} must say in words why torch.compile cannot run it"
        )
        return
    rep = ready(rep)
    torch.compiler.reset()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of graph breaks
            vectors = torch.compile(rep, backend=backend)(photo())
    finally:
        torch.compiler.reset()
    close(vectors, embed(rep), f"{rep.spec} embeds differently when compiled by {backend}")
