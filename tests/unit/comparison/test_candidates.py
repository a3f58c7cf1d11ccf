"""Candidates are built from specs, objects and precomputed vectors; the others have a reason."""

import numpy as np
import pytest
import torch

import imrep
from imrep.comparison.candidates import gather
from imrep.errors import BadParameter, ExtraNeeded, UnknownName, WeightsNeeded


def test_specs_sums_and_repeats():
    candidates, absent = gather(["hog", "pixels+histogram", "hog"])
    assert [candidate.spec for candidate in candidates] == ["hog", "pixels+histogram"]
    assert [candidate.role for candidate in candidates] == ["contender", "sum"]
    assert [len(candidate.parts) for candidate in candidates] == [1, 2]
    assert candidates[1].fingerprint == "+".join(p.fingerprint for p in candidates[1].parts)
    assert absent == []


def test_objects_of_one_name_are_numbered():
    first, second = torch.nn.Flatten(), torch.nn.Flatten()
    candidates, _ = gather([first, second])
    assert [candidate.spec for candidate in candidates] == ["Flatten", "Flatten 2"]
    assert {candidate.rebuild_spec for candidate in candidates} == {""}


def test_an_instance_is_rebuilt_from_its_spec():
    (candidate,), _ = gather([imrep.get("hog:cell=4")])
    assert candidate.rebuild_spec == candidate.spec == "hog:cell=4"
    assert not candidate.fixed_size


def test_precomputed_vectors_have_a_size_of_their_own():
    candidates, _ = gather(["hog"], {"mine": (["a.png"], np.ones((1, 3)))})
    assert [candidate.spec for candidate in candidates] == ["mine", "hog"]
    assert candidates[0].precomputed
    assert candidates[0].fixed_size


def test_missing_weights_and_extras_are_reasons(monkeypatch):
    errors = {"a": WeightsNeeded("a needs weights."), "b": ExtraNeeded("b needs a package.")}

    def resolve(request, caller):
        if request in errors:
            raise errors[request]
        return imrep.get(request)

    monkeypatch.setattr("imrep.adapters.resolve", resolve)
    candidates, absent = gather(["a", "b", "hog"])
    assert [candidate.spec for candidate in candidates] == ["hog"]
    assert [(entry.spec, entry.metric) for entry in absent] == [("a", "weights"), ("b", "extra")]
    with pytest.raises(BadParameter, match=r"can run here, got none\. a needs weights\."):
        gather(["a"])


def test_unknown_names_are_refused():
    with pytest.raises(UnknownName):
        gather(["hogg"])
