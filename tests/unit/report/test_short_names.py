"""Short names tell the representations of a run from each other."""

import pytest

from imrep.report.short_names import short_names


@pytest.mark.parametrize(
    ("specs", "short"),
    [
        (["hog", "dct"], ["hog", "dct"]),
        (["hog:cell=4", "dct"], ["hog", "dct"]),
        (["hog", "hog:cell=4"], ["hog", "hog cell=4"]),
        (["hog", "hog+dct"], ["hog", "hog + dct"]),
        (
            ["cnn:arch=resnet50.a1_in1k,weights=random,layer=-1"],
            ["cnn resnet50.a1_in1k (random)"],
        ),
        (["cnn:weights='/a,b+c',layer=2", "cnn"], ["cnn weights='/a,b+c' layer=2", "cnn"]),
        (
            ["cnn:arch=r18,weights=random", "cnn:arch=r18,weights=random,layer=-2"],
            ["cnn r18 (random)", "cnn r18 (random) layer=-2"],
        ),
    ],
)
def test_short_names_tell_apart(specs, short):
    names = short_names(specs)
    assert [names[spec] for spec in specs] == short
