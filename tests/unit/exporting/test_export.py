"""Every representation either exports and agrees on real images, or says why it does not."""

import json

import numpy as np
import pytest
import torch

import imrep
from imrep import testing
from imrep.errors import BadParameter, NotFitted
from imrep.exporting import agreement, export

pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")

QUICK = ("dct", "fourier")
OTHERS = [spec for spec in testing.specimens() if spec not in QUICK]
REFUSED = {
    "bilateral": "a loop of its own",
    "blob": "the number of blobs",
    "corner": "the number of corners",
    "edge": "OpenCV finds the edges",
    "segment": "k-means iterations",
}


def exports_or_says_why(spec, out):
    rep = imrep.get(spec)
    if spec in REFUSED:
        with pytest.raises(BadParameter, match=f"cannot be exported: .*{REFUSED[spec]}"):
            export.representation(rep, out)
        assert not out.exists()
        return
    if rep.needs_fit:
        rep.fit(torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    file = export.representation(rep, out)
    assert file.agreement.relative <= agreement.TOLERANCE and out.is_file()
    assert file.output_shape == ("batch", rep.dim)


@pytest.mark.parametrize("spec", QUICK)
def test_common_ones_export(spec, tmp_path):
    exports_or_says_why(spec, tmp_path / "model.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("spec", OTHERS)
def test_every_one_exports_or_says_why(spec, tmp_path):
    exports_or_says_why(spec, tmp_path / "model.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("spec", [*QUICK, *OTHERS])
def test_torch_exports_the_same_ones(spec, tmp_path):
    exports_or_says_why(spec, tmp_path / "model.pt2")


def test_a_sum_of_views_exports(tmp_path):
    file = export.representation(imrep.get("pixels:side=4+histogram"), tmp_path / "m.onnx")
    assert file.metadata.spec == "pixels:side=4+histogram" and file.opset == 18


def test_sift_at_key_points_says_why(tmp_path):
    with pytest.raises(BadParameter, match="key points depends on the image"):
        export.representation(imrep.get("sift:detector=opencv"), tmp_path / "m.onnx")


def test_an_export_leaves_the_representation_as_it_was(tmp_path):
    """Tables that are cached for all instances keep numbers, not the symbols of a trace."""
    rep, image = imrep.get("scattering:scales=2,orientations=2"), testing.photo(64, 64)
    before = rep.embed(image)
    export.representation(rep, tmp_path / "m.pt2")
    assert torch.equal(rep.embed(image), before)
    image.requires_grad_(True)  # by torch's own operations
    torch.testing.assert_close(rep.embed(image), before, atol=1e-4, rtol=1e-4)


def test_what_cannot_be_written_is_refused_first(tmp_path):
    rep = imrep.get("pixels")
    with pytest.raises(BadParameter, match=r"got 'model.txt'. Try model.onnx"):
        export.representation(rep, tmp_path / "model.txt")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(IsADirectoryError):
        export.representation(rep, tmp_path / "folder.onnx")


def test_a_codebook_must_be_fitted(tmp_path):
    with pytest.raises(NotFitted, match="codebook"):
        export.representation(imrep.get("sift"), tmp_path / "m.pt2")


def test_a_network_has_its_own_size(tmp_path):
    rep = imrep.get("vit:arch=test_vit,weights=random")
    with pytest.raises(BadParameter, match=f"squares of {rep.canvas} pixels, got size 40"):
        export.representation(rep, tmp_path / "m.pt2", size=40)


def test_a_graph_that_disagrees_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(export.graphs, "_floating", lambda x: x.permute(0, 3, 1, 2).float() / 256)
    (tmp_path / "m.pt2").write_bytes(b"earlier")
    with pytest.raises(BadParameter, match="Nothing was written"):
        export.representation(imrep.get("pixels"), tmp_path / "m.pt2")
    assert (tmp_path / "m.pt2").read_bytes() == b"earlier"


def test_another_program_needs_no_imrep(tmp_path):
    import onnxruntime

    file = export.representation(imrep.get("dct"), tmp_path / "m.onnx", size=40)
    session = onnxruntime.InferenceSession(file.path)
    squares = np.random.default_rng(0).integers(0, 256, (5, 40, 40, 3), dtype=np.uint8)
    (rows,) = session.run(["vectors"], {"images": squares})
    image = torch.from_numpy(squares).permute(0, 3, 1, 2) / 255
    np.testing.assert_allclose(rows, imrep.get("dct").embed(image), atol=1e-5)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["imrep.spec"] == "dct" and json.loads(facts["imrep.size"]) == 40


def test_progress_names_the_stages(tmp_path):
    calls = []
    export.representation(
        imrep.get("pixels"), tmp_path / "m.pt2", progress=lambda *call: calls.append(call)
    )
    assert [call[1:] for call in calls] == [(0, 3), (1, 3), (2, 3)]
