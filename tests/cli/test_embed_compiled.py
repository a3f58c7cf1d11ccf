"""`imrep embed --fast` with a real compiler, and without one."""

import os

import numpy as np
import pytest

SPEC = "cnn:arch=test_resnet,weights=random,side=32,precision=bfloat16"
# Read by each start of Python: a dozen images are many, and any speed is enough.
CUSTOM = """
from imrep.embedding import compiling
compiling.COMPILE_SECONDS, compiling._MIN_GAIN = 0.0, 0.0
"""


@pytest.fixture
def embed(imrep, photos, tmp_path):
    """Vectors of the photographs, and what was said of them."""
    folder = tmp_path / "custom"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CUSTOM)
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])

    def run(name, *options, **environment):
        words = ["embed", photos, SPEC, "-o", name, *options]
        environment |= {"PYTHONPATH": paths, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled")}
        done = imrep(*words, cwd=tmp_path, **environment)
        with np.load(tmp_path / name) as stored:
            return stored["vectors"], stored["fingerprint"], done.stderr

    return run


@pytest.mark.slow  # a minute of compiling
def test_a_compiled_network_gives_the_same_vectors(embed):
    plain, fingerprint, err = embed("plain.npz")
    assert "ompil" not in err
    vectors, same, err = embed("compiled.npz", "--fast", "--batch", "5", "--threads", "2")
    assert f"compiling {SPEC} …\nCompiled in " in err
    assert "times as fast, the first vectors agree to a cosine of" in err
    assert same == fingerprint
    norms = np.linalg.norm(plain, axis=1) * np.linalg.norm(vectors, axis=1)
    assert ((plain * vectors).sum(1) / norms).min() >= 0.9995
    assert not np.array_equal(plain, vectors)


@pytest.mark.slow  # begins to compile
def test_without_a_compiler_a_line_says_so(embed, tmp_path):
    plain, _, _ = embed("plain.npz")
    vectors, _, err = embed("fast.npz", "--fast", PATH=str(tmp_path), CXX="no-compiler")
    assert "Not compiled: torch.compile says" in err
    assert "Traceback" not in err
    np.testing.assert_array_equal(plain, vectors)
