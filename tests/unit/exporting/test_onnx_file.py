"""ONNX files hold no name of this machine, and what is none is refused."""

from pathlib import Path

import pytest

import imrep
from imrep.errors import BadFile
from imrep.exporting import export, onnx_file

onnx = pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")


def test_files_are_valid_and_name_no_file(tmp_path):
    path = tmp_path / "m.onnx"
    export.representation(imrep.get("gradient"), path, size=32)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {each.version for each in model.opset_import if not each.domain} == {onnx_file.OPSET}
    assert model.producer_name == "imrep"
    shape = model.graph.input[0].type.tensor_type.shape
    assert [each.dim_param or each.dim_value for each in shape.dim] == ["batch", 32, 32, 3]
    assert str(Path(imrep.__file__).parent).encode() not in path.read_bytes()


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(BadFile, match="is no model that ONNX Runtime reads"):
        onnx_file.Session(path)
