"""The image tower: its vectors are open_clip's, also where the last layer computes less."""

from importlib.util import find_spec

import pytest
import torch

from imrep.represent.language.clip import configuration, towers

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)


@pytest.fixture
def visual():
    """A vision transformer of open_clip with scaled layers, as CoCa's and EVA's have them."""
    from open_clip.transformer import VisionTransformer

    torch.manual_seed(0)
    return VisionTransformer(32, 8, 24, 3, 2, 4.0, ls_init_value=0.5, output_dim=10).eval()


@pytest.mark.parametrize("batch", [1, 3])
def test_the_class_token_alone_gives_the_vectors(visual, batch):
    image = torch.rand(batch, 3, 32, 32)
    layer = visual.transformer.resblocks[-1]
    rows = []
    layer.mlp.register_forward_hook(lambda module, args, out: rows.append(out.shape[1]))
    torch.testing.assert_close(towers.image_vectors(visual, image), visual(image))
    assert rows == [1, 17]


def test_gradients_are_those_of_open_clip(visual):
    image = torch.rand(2, 3, 32, 32)
    gradients = []
    for function in (lambda: towers.image_vectors(visual, image), lambda: visual(image)):
        visual.zero_grad()
        function().square().sum().backward()
        gradients.append([p.grad.clone() for p in visual.parameters()])
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-4)


def test_other_poolings_are_open_clips(visual):
    visual.pool_type = "avg"
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(towers.image_vectors(visual, image), visual(image))


@pytest.mark.parametrize("arch", ["tiny", "small"])
def test_small_models_run(arch):
    own = configuration.of_arch(arch, "clip")
    network = towers.build(own, "clip")
    image = torch.rand(2, 3, own.side, own.side)
    vector, patches, grid = towers.image_features(network.visual, image)
    torch.testing.assert_close(vector, network.encode_image(image))
    torch.testing.assert_close(vector, towers.image_vectors(network.visual, image))
    assert patches.shape[1] == grid[0] * grid[1] > 1
