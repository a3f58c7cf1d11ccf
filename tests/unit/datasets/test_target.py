"""Which target is wanted."""

import pytest

from imrep.datasets.target import ANY, CLASSES, KINDS, Request, missing, plural
from imrep.errors import BadParameter


def test_nothing_asked_for_is_any_column_and_folders_are_classes():
    assert Request() == ANY and (CLASSES.kind, CLASSES.column) == ("class", "")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kind": "number"}, "needs a target of class, value, labels, got 'number'"),
        ({"column": " "}, "needs target to name a column, got ' '"),
        ({"column": 3}, "needs target to name a column, got 3"),
    ],
)
def test_what_is_no_kind_or_no_name_is_refused(params, message):
    with pytest.raises(BadParameter, match=message):
        Request(**params)


def test_every_kind_has_words():
    assert len({plural(kind) for kind in KINDS}) == len({missing(kind) for kind in KINDS}) == 3
