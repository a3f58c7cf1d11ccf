"""What a file says of itself is read back as it was, or refused."""

import pytest

from imrep import images
from imrep.errors import BadFile
from imrep.exporting.metadata import Metadata, parsed

FACTS = Metadata(
    spec="hog:cell=4",
    fingerprint="0123456789ab",
    size=48,
    crop=0.875,
    resampling="bicubic",
    output="class",
    names=("a, b", "ö"),
    data_range=(0.0, 4095.0),
)


def test_texts_give_the_metadata_back():
    assert parsed(FACTS.texts | {"other": "x"}, "m.onnx") == FACTS


def test_the_reading_is_that_of_the_square():
    reading = FACTS.framed(images.DEFAULT_READING)
    assert (reading.crop, reading.resampling, reading.data_range) == (0.875, "bicubic", (0, 4095))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"imrep.format": "2"}, "needs format 1, got 2"),
        ({"imrep.size": "0"}, "complete metadata"),
        ({"imrep.size": "many"}, "complete metadata"),
        ({"imrep.output": "poems"}, "complete metadata"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(BadFile, match=message):
        parsed(FACTS.texts | changes, "m.onnx")


def test_a_model_of_another_origin_is_refused():
    with pytest.raises(BadFile, match="got a model of another origin"):
        parsed({"author": "someone"}, "m.onnx")
