"""Nothing leaves the device of its image, shown on a CUDA device that need not be there.

torch's fake tensors carry shape, dtype and device through every operation without numbers, and
refuse to mix devices: a constant made on the CPU inside `encode` fails here as on a real GPU.
"""

import copy

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

import imrep
from imrep import checks, testing


def moved(rep, mode):
    """The representation with fake parameters and buffers on cuda."""
    for module in rep.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = mode.from_tensor(buffer).to("cuda")
        for name, weight in module._parameters.items():
            if weight is not None:
                fake = mode.from_tensor(weight).to("cuda").detach()
                module._parameters[name] = torch.nn.Parameter(fake, weight.requires_grad)
    return rep


def asked(rep):
    """What can be asked of it, code first."""
    doors = {"code": rep.encode}
    if not rep.needs_fit:
        doors["vectors"] = rep.embed
    if rep.inverse == "exact":
        doors["image"] = lambda image: rep.invert(rep.encode(image))
    return doors


@pytest.mark.no_shapes
@pytest.mark.parametrize("spec", testing.specimens())
def test_codes_vectors_and_inverses_stay_on_the_device(spec, monkeypatch):
    monkeypatch.setattr(checks, "_values", lambda *_: None)  # fake tensors have none
    rep = copy.deepcopy(imrep.get(spec)).eval()
    doors, devices = asked(rep), {}  # asked while there are numbers to look at
    with FakeTensorMode(allow_non_fake_inputs=False) as mode:
        moved(rep, mode)
        image = torch.rand(2, 3, 64, 48, device="cuda")
        for what, question in doors.items():
            try:
                made = question(image)
            except RuntimeError as error:
                if isinstance(error, DataDependentOutputException) or "numpy" in str(error):
                    continue  # it branches on a value, or goes through OpenCV: no fake can follow
                raise
            tensors = made.tensors() if what == "code" else {what: made}
            devices |= {key: tensor.device.type for key, tensor in tensors.items()}
    if not devices:
        pytest.skip(f"{spec} looks at numbers before it has a code")
    assert set(devices.values()) == {"cuda"}, devices
