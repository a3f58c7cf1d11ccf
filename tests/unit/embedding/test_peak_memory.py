from imrep.embedding import peak_memory


def test_encoding_holds_at_least_the_code_and_a_failure_is_absent():
    """A batch of 16 images of 64 px makes 75 maps each in the filter bank: 20 MB of float32."""
    found = peak_memory.peaks([("pixels", 64), ("no_such_thing", 64), ("filterbank", 64)], 1)
    assert set(found) == {"pixels", "filterbank"}
    assert 16 * 75 * 64 * 64 * 4 < found["filterbank"] < 1 << 30
    assert found["pixels"] < found["filterbank"]


def test_nothing_is_started_for_nothing():
    assert peak_memory.peaks([], 1) == {}
