"""`imrep card`: facts and parameters, of a name or of a spec."""

import json
import re

import pytest

from imrep import _native
from imrep.registry import catalog


@pytest.mark.parametrize("name", catalog.names())
def test_every_parameter_is_explained(inside, name):
    said = inside("card", name).output
    assert catalog.card(name).title in said
    assert catalog.card(name).cite.split(",")[0].split(" doi")[0][:20] in said
    for parameter in catalog.entry(name).parameters:
        assert f"  {parameter.name}=" in said
        assert parameter.help, f"{name} does not explain {parameter.name}"


def test_values_of_a_spec_are_listed_with_the_defaults(inside):
    said = inside("card", "laplacian:levels=2").output
    assert "levels=2" in said and "[default: 4]" in said.replace("\n", " ")


def test_a_sum_shows_its_views(inside):
    said = inside("card", "pixels+laplacian").output
    assert said.index("Raw pixels") < said.index("Laplacian pyramid") < said.index("Judged by")
    assert "the vector is the parts side by side." in said
    assert "Judged by" not in inside("card", "pixels").output


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            "laplacian:level=3",
            "laplacian has no parameter 'level'; it takes levels, a, cells. "
            "Did you mean 'levels'?\n",
        ),
        ("laplacian:levels=deep", "laplacian needs levels to be a whole number, got 'deep'.\n"),
        ("laplacian:levels", "'laplacian:levels' has no value for 'levels'. Write key=value.\n"),
    ],
)
def test_a_bad_spec_is_refused_by_name(inside, spec, said):
    assert inside("card", spec, expect=1).stderr == said


def test_json_has_the_values(inside):
    found = json.loads(inside("card", "laplacian:levels=2", "--json").stdout)
    assert found["title"] == "Laplacian pyramid"
    levels = found["parameters"][0]
    assert (levels["name"], levels["default"], levels["value"]) == ("levels", 4, 2)
    both = json.loads(inside("card", "pixels+laplacian", "--json").stdout)
    assert [one["name"] for one in both] == ["pixels", "laplacian"]


def test_the_page_is_as_it_was(installed, snapshot):
    page = installed("card", "laplacian:a=0.4").stdout
    here = f"kernels in C, {_native.state('kernels')}"  # which depends on the machine
    assert " ".join(here.split()) in " ".join(page.split())
    assert re.sub(r"( native +).*\n(            .*\n)*", r"\1 …\n", page) == snapshot


def test_json_says_what_is_in_use(inside):
    found = json.loads(inside("card", "laplacian", "--json").stdout)
    assert found["native"] == "kernels"
    assert found["native_state"] == _native.state("kernels")


def test_a_spec_says_what_a_layer_reads_and_costs(inside):
    page = " ".join(inside("card", "cnn:arch=lenet5,layer=s4/f6").output.split())
    assert "layer s4 16 × 5 × 5 of an image of 32 × 32; receptive field 16 × 16 pixels" in page
    assert "layer f6 84 × 1 × 1 of an image of 32 × 32; each number reads the whole image" in page
    assert "cost 0.42 million multiply-accumulates an image" in page


def test_a_bare_name_builds_nothing(inside):
    assert "multiply-accumulates" not in inside("card", "cnn").output
