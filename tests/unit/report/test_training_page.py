"""The page of a training run: its sentence, curves, pictures and what was held out."""

import json
import re

import pytest
import training_fixture
from PIL import Image

from imrep import training_record
from imrep.errors import BadData
from imrep.report import training_page
from imrep.training_record import Run


@pytest.fixture
def folder(tmp_path):
    return training_fixture.write(tmp_path)


def page(folder):
    return training_page.write(folder).read_text(encoding="utf-8")


def test_the_sentence_says_what_came_of_it(folder):
    html = page(folder)
    assert (
        "Tiny denoiser, trained on 27 images for 100 steps. The loss of 3 held-out images went "
        "from 0.5 to <strong>0.1</strong>, after step 80: the model has the weights then." in html
    )
    assert "<title>Training of tiny on photos</title>" in html


def test_nothing_is_loaded(folder):
    text = re.sub(r"<script.*?</script>", "", page(folder), flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", text)


def test_the_curves_hold_the_log(folder):
    data = json.loads(re.search(r'id="data">(.*?)</script>', page(folder), re.DOTALL)[1])
    points = data["charts"]["losses"]["wide"]["data"]["values"]
    held_out = {p["step"]: p["loss"] for p in points if p["series"] == "held-out images"}
    assert held_out == {0: 0.5, 20: 0.4, 40: 0.3, 60: 0.2, 80: 0.1, 100: 0.12}
    rates = data["charts"]["rates"]["wide"]["data"]["values"]
    assert [point["step"] for point in rates] == list(range(10, 101, 10))


def test_pictures_have_captions(folder):
    assert "<span>noisy &amp; dark</span>" in page(folder)
    assert "data:image/png;base64," in page(folder)


def test_without_pictures_there_is_no_section(folder):
    run = training_record.read_run(folder)
    training_record.write_run(
        folder, Run(identity=run.identity, facts=run.facts, result=run.result)
    )
    assert 'id="examples"' not in page(folder)


def test_held_out_images_are_named_by_class(folder):
    html = page(folder)
    assert "a/&lt;1&gt;.<wbr>" in html or "&lt;1&gt;" in html
    assert "Number in each class" in html


def test_choices_are_a_table(folder):
    html = page(folder)
    assert 'id="choice"' in html and "weight_<wbr>decay=<wbr>0</span>" in html
    assert re.search(r'<tr class="pick">.*?1e-4.*?chosen', html, re.DOTALL)


def test_a_loss_below_zero_has_a_linear_axis(folder):
    training_record.append(folder, training_record.Line(step=101, epoch=2, loss=-1.0))
    data = json.loads(re.search(r'id="data">(.*?)</script>', page(folder), re.DOTALL)[1])
    scale = data["charts"]["losses"]["wide"]["encoding"]["y"]["scale"]
    assert scale["type"] == "linear"


def test_an_unfinished_run_has_no_page(folder):
    run = training_record.read_run(folder)
    training_record.write_run(folder, Run(identity=run.identity, facts=run.facts))
    with pytest.raises(BadData, match="a training report needs a finished run"):
        training_page.write(folder)


def test_the_picture_is_an_image(folder):
    with Image.open(folder / training_record.PICTURES) as image:
        assert image.size == (64, 96)
