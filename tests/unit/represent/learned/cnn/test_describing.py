"""What a layer reads and costs, in words."""

from torch import nn

from imrep.represent.learned.cnn.describing import describe


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 8, 3, padding=1)

    def forward(self, x):
        maps = self.second(self.first(x))
        return [maps, maps.mean((2, 3), keepdim=True)]


def test_layers_and_cost_are_named_in_words():
    lines = describe(Two().eval(), 3, 256, ["a", "b"])
    assert lines["layer a"] == (
        "8 × 256 × 256 of an image of 256 × 256; receptive field 3 × 3 pixels, stride 1, the first "
        "one centred at pixel 0"
    )
    assert lines["layer b"].endswith("each number reads the whole image")
    assert lines["cost"] == (
        "9.8 million multiply-accumulates an image; 14 million, 1.4 times as many, without its 1 "
        "× 1 reductions, 1 in number"
    )
