"""The engine: results in order, one reason for a refused batch, no number that is not finite."""

import numpy as np
import pytest
import torch

import imrep
from imrep.embedding import engine
from imrep.embedding.batching import Batch, Skip
from imrep.errors import BadImage
from imrep.ops import parallel


def batch(row, count=2, value=0):
    square = np.full((4, 4, 3), value, np.uint8)
    return Batch(list(range(row, row + count)), [square] * count)


def brightness(images):
    if float(images.max()) == 1:
        raise BadImage("white")
    return images.flatten(1).mean(1, keepdim=True).numpy()


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_batches(threads):
    parts = [batch(0, value=51), Skip(2, "broken"), batch(3, value=102), batch(5, value=255)]
    with parallel.one_thread(threads):
        first, skip, second, refused = engine.encode_or_skip(brightness, parts, "cpu")
    assert skip == Skip(2, "broken")
    assert first.rows == [0, 1] and second.rows == [3, 4]
    np.testing.assert_allclose(first.value, 0.2, rtol=1e-6)
    np.testing.assert_allclose(second.value, 0.4, rtol=1e-6)
    assert first.skips == [] and first.cpu >= 0 and first.wall > 0
    assert refused.skips == [Skip(5, "white"), Skip(6, "white")]
    with pytest.raises(BadImage, match="white"):
        _ = refused.value


@pytest.mark.parametrize("threads", [1, 2])
def test_no_gradient_is_recorded(threads):
    weight = torch.ones(1, requires_grad=True)
    parts = [batch(0), batch(2)]
    with parallel.one_thread(threads):
        results = list(engine.encode(lambda images: images.mean() * weight, parts, "cpu"))
    assert not any(result.value.requires_grad for result in results)


def test_an_error_that_is_no_refusal_ends_the_run():
    def fail(_):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        list(engine.encode(fail, [batch(0)], "cpu"))


def test_vectors_are_those_of_embed_and_finite(monkeypatch):
    rep, images = imrep.get("pixels:side=2"), torch.rand(3, 3, 8, 8)
    np.testing.assert_array_equal(engine.vectors(rep)(images), rep.embed(images).numpy())
    monkeypatch.setattr(rep, "embed", lambda images: images.flatten(1) * torch.nan)
    with pytest.raises(BadImage, match="pixels:side=2 gave numbers that are not finite"):
        engine.vectors(rep)(images)


def test_a_device_that_is_parallel_by_itself_gets_one_batch_at_a_time():
    assert engine.thread_count(4, "cpu") == 4
    assert engine.thread_count(4, "cuda") == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_several_functions_share_a_batch_from_the_rows_where_each_starts(threads):
    parts = [batch(0, value=51), Skip(2, "broken"), batch(3, value=255)]
    twice = lambda images: 2 * brightness(images)  # noqa: E731
    with parallel.one_thread(threads):
        results = list(engine.encode_together([brightness, twice], parts, "cpu", [3, 0]))
    assert [len(each) for each in results if not isinstance(each, Skip)] == [1, 2]
    np.testing.assert_allclose(results[0][0].value, 0.4, rtol=1e-6)
    assert results[1] == Skip(2, "broken")
    assert [skip.row for each in results[2] for skip in each.skips] == [3, 4, 3, 4]
