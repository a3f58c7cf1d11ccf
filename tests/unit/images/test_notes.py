"""Notes reach the innermost collection, from any thread, each sentence once."""

import threading

import pytest

from imrep.images.notes import assumption, note, noting


def test_without_a_collection_a_note_goes_nowhere():
    note("lost")
    with noting() as notes:
        pass
    note("too late")
    assert not notes


def test_a_sentence_is_listed_once_and_in_order():
    with noting() as notes:
        for sentence in ("b", "a", "b"):
            note(sentence)
    assert list(notes) == ["b", "a"]


def test_the_innermost_of_nested_collections_has_them():
    with noting() as outer:
        note("before")
        with noting() as inner:
            note("within")
        note("after")
    assert (list(outer), list(inner)) == (["before", "after"], ["within"])


def test_equal_collections_are_not_confused():
    with noting() as outer:
        with noting():
            pass  # as empty as the outer one, which must go on
        note("after")
    assert list(outer) == ["after"]


def test_a_failed_block_stops_its_collection():
    with noting() as outer:
        with pytest.raises(ZeroDivisionError), noting() as inner:
            raise ZeroDivisionError
        note("after")
    assert (list(outer), list(inner)) == (["after"], [])


def test_other_threads_note_as_well():
    with noting() as notes:
        threads = [threading.Thread(target=note, args=(str(i),)) for i in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(notes) == {str(i) for i in range(9)}


def test_an_assumption_names_the_option_that_overrules_it():
    sentence = assumption("32-bit floats were read with 0 as black and 1 as white")
    assert sentence.startswith("32-bit floats were read") and "--data-range BLACK,WHITE" in sentence
