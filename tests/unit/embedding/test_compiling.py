"""When a network is compiled, what is said of it, and batches of one length."""

import numpy as np
import pytest
import torch
from PIL import Image

import imrep
from imrep import datasets
from imrep.embedding import compiling, half_precision, shards, vector_file
from imrep.embedding.compiling import FixedBatch, vectors
from imrep.embedding.vector_file import Settings

HALF = "cnn:arch=test_resnet,weights=random,side=32,precision=bfloat16"
SETTINGS = Settings(size=32, compiles=True, threads=1)


@pytest.fixture
def items(tmp_path):
    for i in range(5):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    return datasets.find(str(tmp_path)).items


@pytest.fixture
def remarks():
    return []


@pytest.fixture
def run(items, remarks):
    """`vectors` of some images, with what it says kept in `remarks`."""

    def call(spec=HALF, settings=SETTINGS, images=items):
        def progress(what, done, total):
            assert (done, total) == (0, 0)
            remarks.append(what)

        return vectors(imrep.get(spec).eval(), images, settings, progress)

    return call


@pytest.fixture
def clock(monkeypatch):
    """Seconds an image before and after compiling."""
    times = {"plain": 0.1, "compiled": 0.05}
    monkeypatch.setattr(half_precision, "seconds", lambda f, _: list(times.values())[: len(f)])
    return times


@pytest.fixture
def compiler(monkeypatch):
    """Stands for torch's: the lengths it was called for, and what it makes of the vectors."""
    calls, change = [], {"add": 0.0}

    def compile_for(rep, length, images):
        calls.append(length)
        assert images.shape[1:] == (3, 32, 32)
        return FixedBatch(lambda batch: rep.embed(batch) + change["add"], length)

    monkeypatch.setattr(compiling, "compile_for", compile_for)
    return calls, change


@pytest.fixture
def batch():
    return torch.rand(7, 3, 32, 32, generator=torch.manual_seed(0))


def test_every_call_has_the_same_shape(batch):
    shapes = []

    def mean(images):
        shapes.append((tuple(images.shape), images.stride()))
        return images.mean((2, 3))

    fixed = FixedBatch(mean, 3)
    assert torch.equal(fixed(batch), batch.mean((2, 3)))
    assert torch.equal(fixed(batch[:2]), batch[:2].mean((2, 3)))
    turned = batch.to(memory_format=torch.channels_last)
    assert torch.allclose(fixed(turned), batch.mean((2, 3)))
    assert set(shapes) == {((3, 3, 32, 32), (3072, 1024, 32, 1))}


def test_few_images_are_not_worth_it(run, remarks, clock, compiler):
    run()
    assert compiler[0] == []
    assert remarks == [
        "Not compiled: that takes about 25 s, which it saves from 750 images on; 5 are left."
    ]


def test_more_threads_need_more_images(clock):
    assert compiling._needed(0.1, 2) == 1500
    assert compiling._needed(0.0, 1) > 2**60


def test_many_images_are(run, items, remarks, clock, compiler, batch):
    function = run(images=items * 151)
    assert compiler[0] == [64]  # small images: the batch is the limit
    assert remarks[0] == f"compiling {HALF} …"
    assert remarks[1].startswith("Compiled in 0 s: 2.0 times as fast, the first vectors agree to a")
    with torch.no_grad():
        assert np.allclose(function(batch), imrep.get(HALF).embed(batch).numpy(), atol=1e-2)


def test_it_is_left_where_it_is_not_faster(run, items, remarks, clock, compiler):
    clock["compiled"] = 0.2
    run(images=items * 151)
    assert remarks[1:] == ["Not compiled: that is 0.5 times as fast here."]


@pytest.mark.parametrize("add", [1.0, float("nan")])
def test_it_is_left_where_vectors_change(run, items, remarks, clock, compiler, add):
    compiler[1]["add"] = add * torch.arange(imrep.get(HALF).dim)
    run(images=items * 151)
    assert remarks[1].startswith("Not compiled: ")
    assert len(remarks) == 2


def test_it_is_left_where_the_compiler_fails(run, items, remarks, clock, monkeypatch, batch):
    def fail(*_):
        raise RuntimeError("\n  no C++ compiler\nand a page of more")

    monkeypatch.setattr(compiling, "compile_for", fail)
    function = run(images=items * 151)
    reason = "Not compiled: torch.compile says RuntimeError: no C++ compiler"
    assert remarks[1:] == [reason]
    assert len(function(batch)) == 7


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        (HALF, Settings(size=32)),
        (HALF.replace("bfloat16", "float32"), SETTINGS),
        ("hog", SETTINGS),
        (f"{HALF}+hog", SETTINGS),
        (HALF, Settings(size=None, compiles=True)),
    ],
    ids=["not requested", "float32", "hand-made", "a view of the sum", "sizes differ"],
)
def test_nothing_is_said_where_nothing_could_be_compiled(
    run, items, remarks, clock, compiler, spec, settings
):
    run(spec, settings, items * 151)
    assert (remarks, compiler[0]) == ([], [])


def test_images_that_are_refused_are_left_to_the_run(run, tmp_path, remarks, clock, compiler):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    broken = [item for item in datasets.find(str(tmp_path)).items if "broken" in item.path]
    run(images=broken * 2000)
    assert remarks == ["Not compiled: none of the first images can be embedded."]
    assert compiler[0] == []


def test_only_images_without_a_stored_vector_count(items, tmp_path, monkeypatch):
    counts = []

    def record(rep, items, settings, progress):
        counts.append(len(items))
        return compiling.engine.vectors(rep)

    monkeypatch.setattr(compiling, "vectors", record)
    monkeypatch.setattr(shards, "stored", lambda work, items, settings: 2)
    settings = Settings(size=32, shard=2, threads=1)
    monkeypatch.setattr(vector_file.shards, "fill_together", lambda *_: [0])
    monkeypatch.setattr(vector_file, "_finish", lambda *_: None)
    vector_file.embed(items, imrep.get("hog"), tmp_path / "v.npz", settings)
    assert counts == [3]


@pytest.mark.slow  # half a minute of compiling
def test_threads_share_what_was_compiled_once():
    from torch._dynamo.utils import counters

    from imrep.embedding import engine
    from imrep.embedding.batching import Batch
    from imrep.ops import parallel

    rep = imrep.get(HALF).eval()
    squares = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
    with torch.no_grad(), parallel.one_thread(1):
        compiled = compiling.compile_for(rep, 8, torch.rand(8, 3, 32, 32))
    graphs = counters["stats"]["unique_graphs"]

    def encode(threads, length):
        rows = [[*range(i, min(50, i + length))] for i in range(0, 50, length)]
        batches = [Batch(part, squares[part]) for part in rows]
        function = engine.vectors(rep, compiled)
        with parallel.one_thread(threads):
            return np.concatenate([b.value for b in engine.encode(function, batches, "cpu")])

    assert np.array_equal(encode(2, 9), encode(1, 50))
    assert counters["stats"]["unique_graphs"] == graphs > 0
