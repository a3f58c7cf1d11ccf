import dataclasses
import json
import re
import time

import numpy as np
import pytest

import imrep
from imrep import images
from imrep.datasets import find
from imrep.embedding import batching, cache, encode
from imrep.embedding.decoded_images import decode, digests
from imrep.errors import BadImage
from imrep.ops import parallel


def silent(what, done, total):
    """No progress."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """Forty pictures and one broken file."""
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    import PIL.Image

    for i in range(40):
        pixels = rng.integers(0, 256, (20, 24, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "data" / f"{i:02}.png")
    (tmp_path / "data" / "15b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing else")
    return tmp_path / "data"


def decoded_at(folder, size):
    items = find(folder).items
    return decode(
        items,
        digests(items, 2),
        size,
        threads=2,
        reading=images.Reading(),
        progress=silent,
    )


def test_a_broken_file_is_skipped_and_named(folder):
    decoded = decoded_at(folder, 16)
    assert decoded.squares.shape == (40, 16, 16, 3)
    assert [path for path, _ in decoded.skipped] == ["15b.png"]
    assert len(decoded.skipped[0][1]) > 10
    for item, square in zip(decoded.items, decoded.squares, strict=True):
        assert np.array_equal(square, images.square(folder / item.path, 16)[0])


def test_reading_again_reads_nothing(folder, monkeypatch):
    first = decoded_at(folder, 16)
    monkeypatch.setattr(images, "load_squares", None)
    again = decoded_at(folder, 16)
    assert again.key == first.key
    assert np.array_equal(again.squares, first.squares)
    assert again.skipped == first.skipped
    assert again.facts == first.facts


def test_a_changed_file_changes_the_key(folder):
    before = decoded_at(folder, 16).key
    (folder / "07.png").write_bytes((folder / "08.png").read_bytes())
    assert decoded_at(folder, 16).key != before
    assert decoded_at(folder, 24).key != before


def test_vectors_are_those_of_embed(folder):
    decoded = decoded_at(folder, 16)
    rep = imrep.get("pixels:side=8")
    encoded = encode.encode(rep, decoded, "cpu", silent)
    assert np.array_equal(encoded.vectors, encode.embed(rep, decoded.squares))
    assert encoded.cpu_ms > 0


def test_an_interrupted_run_resumes(folder, monkeypatch):
    decoded = decoded_at(folder, 16)
    monkeypatch.setattr(batching, "images_per_batch", lambda side: 8)
    rep = imrep.get("pixels:side=8")
    whole = encode.encode(rep, decoded, "cpu", silent)
    log = cache.folder("codes", whole.key) / "log.jsonl"
    log.write_bytes(b"\n".join(log.read_bytes().split(b"\n")[:2]) + b'\n{"stop": 3')  # two batches
    stored = np.load(log.with_name("vectors.npy"), mmap_mode="r+")
    stored[16:] = np.nan
    stored.flush()
    seen = []
    again = encode.encode(rep, decoded, "cpu", lambda what, done, total: seen.append(done))
    assert np.array_equal(again.vectors, encode.embed(rep, decoded.squares))
    assert seen == [16, 24, 32, 40]


@pytest.mark.parametrize("spec", ["hog", "sift:words=8"])
def test_codes_are_the_same_bits_on_several_threads(folder, tmp_path, monkeypatch, spec):
    decoded, found = decoded_at(folder, 32), []
    monkeypatch.setattr(batching, "images_per_batch", lambda side: 8)
    for threads in (1, 3):
        monkeypatch.setenv("IMREP_CACHE", str(tmp_path / f"cache{threads}"))
        with parallel.sharing(threads):
            encoded = encode.encode(imrep.get(spec), decoded, "cpu", silent)
            found.append([encoded.vectors, encode.refit(encoded, np.arange(20))])
        assert encoded.cpu_ms > 0
    for several, single in zip(*found, strict=True):
        assert np.array_equal(several, single)


def test_costs_are_those_of_batches_that_one_thread_encodes_alone(folder, monkeypatch):
    """In every part of the data set, until they suffice; the others share the threads."""
    decoded, running, together = decoded_at(folder, 32), [], []
    monkeypatch.setattr(batching, "images_per_batch", lambda side: 2)
    monkeypatch.setattr(encode, "_SLICE_SECONDS", 0.0)
    monkeypatch.setattr(encode, "_COST_SECONDS", float("inf"))
    rep = imrep.get("pixels:side=8")

    def embed(images, own=rep.embed):
        running.append(0)
        time.sleep(0.01)
        together.append(len(running))
        running.pop()
        return own(images)

    monkeypatch.setattr(rep, "embed", embed)
    with parallel.sharing(3):
        encoded = encode.encode(rep, decoded, "cpu", silent)
    log = [
        json.loads(line) for line in (encoded.path.parent / "log.jsonl").read_text().splitlines()
    ]
    assert [record["alone"] for record in log] == [True, False, False, False] * 5
    assert [record["stop"] for record in log] == list(range(2, 41, 2))
    assert max(together) > 1
    alone = [1000 * record["cpu"] / record["n"] for record in log if record["alone"]]
    assert encoded.cpu_ms == pytest.approx(np.median(alone))


def test_costs_of_an_earlier_version_are_read(folder):
    decoded, rep = decoded_at(folder, 16), imrep.get("pixels:side=8")
    first = encode.encode(rep, decoded, "cpu", silent)
    log = first.path.parent / "log.jsonl"
    log.write_text(re.sub(r',? *"alone": *\w+', "", log.read_text()))
    assert encode.encode(rep, decoded, "cpu", silent).cpu_ms == first.cpu_ms


def test_codes_that_are_not_finite_fail_by_name(folder, monkeypatch):
    decoded = decoded_at(folder, 16)
    rep = imrep.get("pixels:side=8")
    monkeypatch.setattr(rep, "embed", lambda image: image.flatten(1) * float("nan"))
    with pytest.raises(BadImage, match="pixels:side=8 gave numbers that are not finite"):
        encode.encode(rep, decoded, "cpu", silent)


def test_a_codebook_is_fitted_on_the_training_part_alone(folder):
    decoded = decoded_at(folder, 64)
    encoded = encode.encode(imrep.get("sift:words=16"), decoded, "cpu", silent)
    assert encoded.raw is not None
    train = np.arange(0, 40, 2)
    rep = imrep.get("sift:words=16")
    rep.fit(images.batch(decoded.squares[train]))
    expected = encode.embed(rep, decoded.squares)
    assert np.allclose(encode.refit(encoded, train), expected, atol=1e-5)
    assert not np.allclose(encode.refit(encoded, train), encoded.vectors, atol=1e-3)


def test_codes_of_other_batches_are_not_mixed_in(folder, monkeypatch):
    """An earlier version wrote larger batches: its files hold rows that later ones hold too."""
    rep, train, decoded = imrep.get("sift:words=8"), np.arange(0, 40, 2), decoded_at(folder, 64)
    with monkeypatch.context() as patch:
        patch.setattr(batching, "_PIXELS", 64 * 64 * 64)
        encode.encode(rep, decoded, "cpu", silent)
    found = encode.refit(encode.encode(rep, decoded, "cpu", silent), train)
    monkeypatch.setenv("IMREP_CACHE", str(folder.parent / "empty"))
    expected = encode.refit(encode.encode(rep, decoded, "cpu", silent), train)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_many_images_are_fitted_on_once(folder, monkeypatch):
    monkeypatch.setattr(encode, "PER_FOLD", 10)
    decoded = decoded_at(folder, 64)
    encoded = encode.encode(imrep.get("sift:words=16"), decoded, "cpu", silent)
    assert encoded.raw is None
    assert encoded.fitted
    assert np.array_equal(encode.refit(encoded, np.arange(3)), encoded.vectors)
    again = encode.encode(imrep.get("sift:words=16"), decoded, "cpu", silent)
    assert again.rep.fingerprint == encoded.rep.fingerprint
    assert dataclasses.asdict(again)["fit_seconds"] == encoded.fit_seconds
