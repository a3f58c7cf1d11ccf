"""`imrep embed` of tar shards and of lists on standard input, by several representations."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet
from tar_files import tar


def jpeg(seed):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def shards(tmp_path):
    """Two shards of six samples, each with one that is broken."""
    for shard in range(2):
        files = {}
        for i in range(6):
            key = f"{6 * shard + i:04}"
            files |= {f"{key}.jpg": jpeg(i), f"{key}.cls": (b"cat", b"dog")[i % 2]}
        files["9999.jpg"] = b"\xff\xd8\xff broken"
        tar(tmp_path / f"s-{shard:02}.tar", files)
    return "s-{00..01}.tar"


def test_shards_and_several_representations(inside, shards, tmp_path):
    done = inside("embed", shards, "pixels:side=2", "hog", "hog:cell=4", "-o", "v", "--json")
    facts = json.loads(done.stdout)
    assert [out["rows"] for out in facts["outputs"]] == [12, 12, 12]
    files = sorted(path.name for path in Path("v").glob("*.parquet"))
    assert files == ["hog-cell=4.parquet", "hog.parquet", "pixels.parquet"]
    table = parquet.read_table("v/pixels.parquet")
    assert table["label"].to_pylist() == ["cat", "dog"] * 6
    assert table["path"].to_pylist()[0] == "s-00.tar/0000.jpg"
    skipped = Path("v/pixels.parquet.skipped.csv").read_text()
    assert "s-00.tar/9999.jpg" in skipped and "s-01.tar/9999.jpg" in skipped
    inside("embed", shards, "hog", "-o", "w.parquet")
    assert parquet.read_table("w.parquet").equals(parquet.read_table("v/hog.parquet"))


def test_wrong_outputs_and_a_pattern_that_the_shell_expanded(inside, shards):
    done = inside("embed", shards, "pixels", "hog", "-o", "v.parquet", expect=2)
    assert "needs a folder for several representations, got v.parquet" in done.output
    done = inside("embed", "s-00.tar", "s-01.tar", "hog", "-o", "v", expect=2)
    assert "got the file s-01.tar. Quote a pattern" in done.output
    Path("d").mkdir()
    assert "is a directory" in inside("embed", shards, "hog", "-o", "d", expect=2).output


def test_paths_on_standard_input_of_the_installed_command(shards, tmp_path):
    (tmp_path / "new\nline.jpg").write_bytes(jpeg(7))
    for data in (b"new\nline.jpg\0s-00.tar\0", b"s-00.tar\ngone.jpg\n"):
        command = [sys.executable, "-m", "imrep", "embed", "-", "pixels:side=2", "-o", "v.parquet"]
        done = subprocess.run(command, input=data, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        paths = parquet.read_table(tmp_path / "v.parquet")["path"].to_pylist()
        assert "s-00.tar/0000.jpg" in paths
        assert ("new\\x0aline.jpg" in paths) is (b"\0" in data)
    assert "gone.jpg" in (tmp_path / "v.parquet.skipped.csv").read_text()
    assert b"Traceback" not in done.stderr


def test_the_images_of_shards_are_known_again(inside, shards, tmp_path):
    (tmp_path / "query.jpg").write_bytes(jpeg(3))
    first = json.loads(inside("search", shards, "query.jpg", "-r", "hog", "--json").stdout)
    again = json.loads(inside("search", shards, "query.jpg", "-r", "hog", "--json").stdout)
    assert first["embedded"] == 14 and again["embedded"] == 0
    assert again["hits"] == first["hits"]
    assert again["hits"][0]["path"] in ("s-00.tar/0003.jpg", "s-01.tar/0009.jpg")
