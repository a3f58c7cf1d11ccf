"""The call of `compare`: what its arguments may be."""

from imrep.api import comparing


def test_one_representation_is_a_list_of_it_and_none_stays_none():
    assert comparing._listed(None) is None and comparing._listed([]) is None
    assert comparing._listed("hog") == ("hog",) and comparing._listed(["hog"]) == ("hog",)
    assert comparing._listed((len, "hog")) == (len, "hog")
