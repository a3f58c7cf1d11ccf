"""The whole test that a package adding a representation needs."""

import pytest

from imrep import testing


@pytest.mark.parametrize("question", testing.questions("moments"))
def test_contract(question):
    question()
