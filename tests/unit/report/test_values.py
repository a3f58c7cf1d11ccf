"""The sections on a number: the plot, its band, and the images that are furthest off."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from imrep import answers
from imrep.answers import ValueAnswerTable
from imrep.assets import Assets, Remark
from imrep.report import method, values, words
from imrep.report.findings import Findings
from imrep.report.inline import svg
from imrep.results import Row

N = 40
TRUE = np.linspace(10, 90, N)


def findings(unit="number", measure="r2", name="price"):
    own = {"spec": "dct", "role": "contender"}
    verdict = {"sentence": "clear", "leader": "dct", "equals": ["dct"], "guess": 0.0}
    rows = [
        Row(kind="data", metric="target", value=N, unit="images", detail=name),
        Row(kind="data", metric="guess_error", value=20.3, unit=unit),
        Row(kind="accuracy", metric=measure, value=0.9, lo=0.8, hi=1.0, unit="share", **own),
        Row(kind="accuracy", metric="error", value=4.2, unit=unit, **own),
        Row(kind="verdict", metric="sentence", value=0.9, unit="share", detail=verdict, n=N,
            spec="dct", role="contender"),
    ]  # fmt: skip
    return Findings(rows)


def written(folder, true=TRUE, off=3.0):
    rng = np.random.default_rng(0)
    predicted = true + off * rng.normal(size=len(true))
    paths = [f"{i}.png" for i in range(len(true))]
    answers.write(folder, ValueAnswerTable(paths, true, {"dct": predicted}))
    return predicted


def test_predictions_are_those_of_the_recommended_one(tmp_path):
    assert values.predicted(findings(), tmp_path) is None  # no file
    predicted = written(tmp_path)
    points = values.predicted(findings(), tmp_path)
    assert points.spec == "dct"
    np.testing.assert_array_equal(points.predicted, predicted)
    assert values.predicted(findings(measure="precision"), tmp_path) is None


def test_the_band_holds_nine_of_ten(tmp_path):
    predicted = written(tmp_path)
    points = values.predicted(findings(), tmp_path)
    half = values.half_width(points, ratio=False)
    assert (np.abs(predicted - TRUE) <= half).mean() == pytest.approx(0.925)  # ⌈0.9 · 41⌉ of 40
    assert words.digits(half) in values.sentence(findings(), points)


def test_the_band_of_ratios_is_a_factor(tmp_path):
    true = np.geomspace(1, 1000, N)
    answers.write(tmp_path, ValueAnswerTable(list(map(str, range(N))), true, {"dct": true * 1.5}))
    log = findings("factor", name="the logarithm of price")
    points = values.predicted(log, tmp_path)
    assert values.half_width(points, ratio=True) == pytest.approx(1.5)
    assert "a factor of 1.5 at most" in values.sentence(log, points)
    plot = values.chart(log, points).wide
    assert plot["encoding"]["x"]["scale"]["type"] == "log"
    assert plot["encoding"]["x"]["axis"]["title"] == "true: price →"


def test_ratios_of_numbers_with_zeros_are_of_one_more(tmp_path):
    true = np.arange(N).astype(float)
    written(tmp_path, true, 0.1)
    log = findings("factor", name="the logarithm of 1 + price")
    chart = values.chart(log, values.predicted(log, tmp_path))
    assert chart.wide["encoding"]["x"]["scale"]["type"] == "symlog"
    assert "<svg" in svg(chart)


def test_the_plot_is_drawn_in_both_forms_and_without_scripts(tmp_path):
    written(tmp_path)
    chart = values.chart(findings(), values.predicted(findings(), tmp_path))
    assert json.loads(json.dumps(chart.wide))["height"] > chart.narrow["height"]
    assert len(chart.wide["data"]["values"]) == N
    assert "<svg" in svg(chart)
    assert values.chart(findings(), None) is None and values.sentence(findings(), None) == ""


def test_of_many_images_a_thousand_are_drawn(tmp_path):
    written(tmp_path, np.linspace(0, 1, 3000), 0.1)
    points = values.predicted(findings(), tmp_path)
    drawn = values.chart(findings(), points).wide["data"]["values"]
    assert len(drawn) == 1000 and (drawn[0]["true"], drawn[-1]["true"]) == (0, 1)
    assert "1,000 of 3,000 images" in values.sentence(findings(), points)


def test_captions_are_those_of_their_tiles():
    remarks = {
        "suspects": [Remark("a.png", "cat", "dog", 0.1)],
        "furthest": [Remark("b.png", "12", "90", 3.21), Remark("c.png", "1", "2", 0.5)],
    }
    assets = Assets(remarked=np.zeros((3, 48, 48, 3), np.uint8), remarks=remarks)
    first, second = values.furthest(assets)
    assert first == (1, "b.png", "12", "90")
    assert second.tile == 2
    assert values.furthest(Assets()) == []


def test_plain_words_are_in_the_unit_of_the_number():
    text = method.plain_words(findings())
    assert "off by about 4.2 on average" in text and "by about 20." in text
    assert "90%" in text and "80–100%" in text
    assert "about a factor of 4.2" in method.plain_words(findings("factor"))
    assert any("R² is 1 less" in sentence for sentence in method.sentences(findings()))
    facts = dict(method.facts(findings()))
    assert facts["predicted"] == "price"


def test_ranges_below_zero_are_written_out():
    assert words.interval(-0.09, 0.21) == "−9 to 21%"
    assert words.interval(0.77, 0.91) == "77–91%"
    assert (words.percent(-0.16), words.percent(-0.001)) == ("−16%", "0%")


def test_what_is_no_number_has_no_target():
    assert values.target(SimpleNamespace(details=lambda *_: [])) == ""
