"""The gate: random in training, certain otherwise, and its gradient that of the soft sample."""

import torch
from torch.testing import assert_close

from imrep.represent.learned.dctnet.gate import Gate


def gate(channels=6, temperature=1.0):
    return Gate(channels, temperature)


def test_it_has_the_releases_number_of_weights():
    assert sum(p.numel() for p in Gate(192).parameters()) == 38_208


def test_it_begins_nearly_open():
    own = gate().train()
    with torch.no_grad():
        samples = torch.cat([own(torch.randn(64, 6, 2, 2))[1] for _ in range(40)])
    assert set(samples.unique().tolist()) == {0.0, 1.0}
    assert abs(float(samples.mean()) - torch.tensor(1.9).sigmoid()) < 0.02


def test_in_evaluation_the_larger_logit_decides():
    own, x = gate().eval(), torch.randn(3, 6, 4, 5)
    with torch.no_grad():
        own.logits.bias[::2] = torch.tensor([0.0, 9.0, 0.0, 9.0, 0.0, 9.0])  # of "off"
    before = {key: value.clone() for key, value in own.state_dict().items()}
    for _ in range(3):
        values, gates = own(x)
        assert gates.tolist() == [[1, 0, 1, 0, 1, 0]] * 3
        assert_close(values, x * torch.tensor([1.0, 0, 1, 0, 1, 0]).view(1, 6, 1, 1))
    assert all(torch.equal(before[key], value) for key, value in own.state_dict().items())


def test_the_gradient_goes_straight_through_the_sample():
    own = gate().train()
    _, gates = own(torch.randn(8, 6, 2, 2))
    gates.sum().backward()
    assert own.logits.bias.grad is not None
    off, on = own.logits.bias.grad.unflatten(0, (-1, 2)).unbind(1)
    assert (on > 0).all()  # a higher logit opens more channels
    assert_close(off, -on)


def test_a_low_temperature_gives_steeper_gradients_than_a_high_one():
    sizes = []
    for temperature in (5.0, 0.5):
        own = gate(temperature=temperature).train()
        torch.manual_seed(1)
        own(torch.randn(512, 6, 2, 2))[1].mean().backward()
        sizes.append(float(own.logits.bias.grad.abs().max()))
    assert sizes[1] > 2 * sizes[0]


def test_it_counts_in_training_for_how_many_images_a_channel_is_on():
    own = gate().train()
    with torch.no_grad():
        own.logits.bias[:2] = torch.tensor([9.0, 0.0])
    for _ in range(60):
        own(torch.randn(4, 6, 2, 2))
    assert own.opened[0] < 0.01 and (own.opened[1:] > 0.99).all()
