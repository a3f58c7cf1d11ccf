"""How a run was measured, in sentences and pairs."""

import pytest
import report_fixture as fixture

from imrep.report import method
from imrep.report.findings import Findings
from imrep.results import Row

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "fourier", "histogram", "hog")}


@pytest.mark.parametrize(
    ("name", "said"),
    [("noise", "random"), ("frame", "outer"), ("file bytes", "bytes"), ("file facts", "format")],
)
def test_every_control_is_explained(name, said):
    rows = [Row(kind="accuracy", metric="probe", value=0.1, spec=name, role="control")]
    [(spec, meaning)] = method.controls(Findings(rows))
    assert spec == name
    assert said in meaning


def test_what_was_made_from_files_stands_with_its_fingerprint():
    facts = dict(method.facts(Findings(fixture.rows())))
    assert facts["fingerprints"] == "cnn:arch=resnet50.a1_in1k,weights=random,layer=-1 0005"
    assert "fingerprints" not in dict(method.facts(Findings(fixture.rows(specs=FEW))))


def test_facts_without_a_value_are_left_out():
    facts = dict(method.facts(Findings(fixture.rows("unlabelled", specs=FEW))))
    assert {"classes", "folds", "groups"}.isdisjoint(facts)
    assert facts["images"] == "479" and facts["unreadable files"] == "2"
    labelled = dict(method.facts(Findings(fixture.rows(specs=FEW))))
    assert (labelled["classes"], labelled["folds"], labelled["groups"]) == ("10", "5", "95")
    assert labelled["size"] == "64 pixels"


def test_the_protocol_has_a_paragraph_for_each_step_that_was_done():
    assert len(method.sentences(Findings(fixture.rows("unlabelled")))) == 1
    text = " ".join(method.sentences(Findings(fixture.rows())))
    assert "split into 5 folds" in text and "fitted on the training part of each fold" in text
    assert "Codebooks" not in " ".join(method.sentences(Findings(fixture.rows(specs=FEW))))


def test_several_sizes_are_listed():
    rows = [
        Row(kind="cost", metric="ms", value=1, spec=spec, role="contender", S=side)
        for spec, side in (("a", 224), ("b", 64), ("c", 32))
    ]
    verdict = Row(kind="verdict", metric="sentence")
    assert dict(method.facts(Findings([*rows, verdict])))["size"] == (
        "32, 64 or 224 pixels (see the table)"
    )


def test_plain_words_repeat_the_headlines_numbers():
    words = method.plain_words(Findings(fixture.rows()))
    assert words.startswith("In plain words: of 100 new images of this kind, dct would lead to ")
    assert "for about 84, and guessing for about 10." in words and "from 77 to 91." in words
    for sentence in ("noise", "too few", "unlabelled"):
        assert method.plain_words(Findings(fixture.rows(sentence))) == ""
