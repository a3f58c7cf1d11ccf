"""The gate that learns which frequencies the network needs.

Xu et al. 2020, section 3.3: each channel's mean decides, through two small layers, between two
logits, off and on. In training the decision is sampled by the Gumbel-softmax, and its gradient is
that of the soft sample (straight-through); the loss pays for every channel that is on.

References:
    E. Jang, S. Gu and B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    arXiv:1611.01144
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_OFF, _ON = 0.1, 2.0  # first biases: a channel is on with probability 0.87
_DEVIATION = 1e-3  # of the first weights of the logits
# Logits begin two apart, which is far for an optimiser whose steps are a thousandth: what is stored
# is a tenth, so that Adam moves them ten times as far as other weights.
_SCALE = 10
_MOMENTUM = 0.1  # of the running share of images for which a channel is on


class Gate(nn.Module):
    """Multiplies each channel by 0 or 1.

    In evaluation the larger logit decides, so that an image always has the same channels; the
    authors' release samples there too.

    Args:
        channels: Number of channels.
        temperature: Of the Gumbel-softmax.
    """

    opened: Tensor

    def __init__(self, channels: int, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature
        self.squeeze = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.logits = nn.Conv2d(channels, 2 * channels, 1, groups=channels)
        nn.init.normal_(self.logits.weight, std=_DEVIATION / _SCALE)
        bias = torch.tensor([_OFF, _ON]).repeat(channels)
        self.logits.bias = nn.Parameter(bias / _SCALE)
        self.register_buffer("opened", torch.ones(channels))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The channels (b, c, h, w) that are on, zero elsewhere, and the gates (b, c), 0 or 1."""
        hidden = F.relu(self.norm(self.squeeze(x.mean((2, 3), keepdim=True))))
        logits = _SCALE * self.logits(hidden).flatten(1).unflatten(1, (-1, 2))  # off, on
        decided = (logits[..., 1] > logits[..., 0]).to(x.dtype)
        if not self.training:
            return x * decided[:, :, None, None], decided
        with torch.no_grad():
            self.opened.lerp_(decided.mean(0), _MOMENTUM)
        sampled = F.gumbel_softmax(logits, self.temperature, hard=True, dim=2)[..., 1]
        return x * sampled[:, :, None, None], sampled
