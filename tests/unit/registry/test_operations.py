"""Chains of operations, as they are written."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadParameter, UnknownName
from imrep.registry import operations, specs

PLAIN = [
    "stretch",
    "unsharp:alpha=0.7",
    "unsharp:alpha=0.7,sigma=3.0",
    "blend:with=b.png,mask=m.png",
]


@given(
    st.lists(st.sampled_from(PLAIN), min_size=1, max_size=5), st.sampled_from([",", ", ", " ,  "])
)
def test_a_chain_is_its_specs_in_order(parts, joint):
    assert specs.chain(joint.join(parts)) == parts
    assert [step.spec for step in operations.parse(joint.join(parts))] == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "blend:with='a, b.png',mask=m.png,stretch",
            ["blend:with='a, b.png',mask=m.png", "stretch"],
        ),
        ("enhance:gains='2 1.5'", ["enhance:gains='2 1.5'"]),
        ("blur, sigma=3", ["blur, sigma=3"]),
    ],
)
def test_commas_within_and_between(text, parts):
    assert specs.chain(text) == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no chain"),
        ("stretch,,blur", "is no chain"),
        ("stretch,", "is no chain"),
        ("sigma=3", "has no value|no operation|is no spec"),
        ("blur:sigma", "has no value for 'sigma'"),
        ("blur:sigma=x", "blur needs sigma to be a number, got 'x'"),
        ("blur:width=3", "blur has no parameter 'width'; it takes sigma"),
        ("blend:with=a.png", r"blend needs mask\. Write mask=FILE"),
        ("blur+stretch", "Join them by commas"),
        ("blur:sigma='3", "leaves a quote open"),
    ],
)
def test_what_is_no_chain_is_refused(text, said):
    with pytest.raises((BadParameter, UnknownName), match=said):
        operations.parse(text)


def test_names_are_matched_in_any_case():
    assert operations.entry("Un-Sharp") is operations.entry("Un-Sharp")
    assert operations.entry("UNSHARP").name == "unsharp"
    with pytest.raises(UnknownName, match=r"'unsharpen'\. Did you mean 'unsharp'\?"):
        operations.entry("unsharpen")


def test_old_names_of_parameters_work_and_warn():
    with pytest.warns(FutureWarning, match="'kind' is now called 'method'"):
        [step] = operations.parse("bandpass:kind=ideal")
    assert step.params == {"method": "ideal"}
    with pytest.raises(BadParameter, match="takes 'method', formerly 'kind', once"):
        operations.parse("bandpass:kind=ideal,method=gaussian")


def test_parameters_are_typed():
    [step] = operations.parse("unsharp:alpha=2")
    assert step.params == {"alpha": 2.0} and isinstance(step.params["alpha"], float)
    [step] = operations.parse("blend:with=b.png,mask=m.png,levels=3")
    assert step.params == {"levels": 3}
    assert step.images == {"with_": "b.png", "mask": "m.png"}


def test_reading_needs_no_torch():
    code = (
        "import sys; from imrep.registry import operations as o; [o.entry(n) for n in o.names()]; "
        "o.parse('stretch, blur'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
