import numpy as np
import pytest
import torch

from imrep.represent.spatial.composite.heads import CompositeHead, activated


@pytest.mark.parametrize("upsample", [1, 2])
@pytest.mark.parametrize(("name", "fields", "ends"), [("cif", 17, 1), ("caf", 19, 2)])
def test_outputs_are_the_official_ones(refs, name, fields, ends, upsample):
    stored = np.load(refs / "learned" / "pifpaf_one.npz")
    w, b, x, raw, final = (
        torch.from_numpy(stored[f"head_{name}_up{upsample}_{part}"])
        for part in ("w", "b", "x", "train", "eval")
    )
    head = CompositeHead(8, fields, ends, upsample)
    head.conv.load_state_dict({"weight": w, "bias": b})
    own = head(x)
    assert (own - raw).abs().max() < 1e-6
    parts = activated(own)
    flat = [parts.spread[:, :, None], parts.confidence[:, :, None], parts.vectors.flatten(2, 3)]
    assert (torch.cat([*flat, parts.scales], 2) - final).abs().max() < 1e-5
