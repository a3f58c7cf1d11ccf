"""A network trained by its task and the soft nearest neighbour loss: what it learns and keeps."""

import pytest
import torch

import imrep
from imrep import testing
from imrep.errors import BadData, BadImage, BadParameter, NoInverse, NotFitted, WeightsNeeded
from imrep.represent.learned.snnl.neighbour_loss import neighbour_loss
from imrep.testing import photo

TINY = "snnl:arch=mlp,side=8,code=16,epochs=40"


def two_classes(count=48, side=8):
    """Noisy stripes, up and down or across."""
    stripes = (torch.arange(side) % 4 < 2).float()
    images = torch.stack([stripes.expand(side, side), stripes[:, None].expand(side, side)])
    labels = torch.arange(count) % 2
    noisy = images[labels][:, None] * 0.5 + 0.5 * torch.rand(count, 1, side, side)
    return noisy.expand(-1, 3, -1, -1).contiguous(), labels


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    rep = imrep.get(TINY)
    rep.fit(*two_classes())
    return rep


def test_neighbours_of_new_images_are_of_their_class(trained):
    images, labels = two_classes()
    vectors = trained.embed(images)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(48))
    assert neighbour_loss(vectors, labels, 0.1) < 0.1
    random = imrep.get("snnl:arch=mlp,side=8,code=16,classes=2,weights=random")
    assert neighbour_loss(random.embed(images), labels, 0.1) > 0.3


def test_it_trains_where_gradients_are_switched_off(trained):
    torch.manual_seed(0)
    images, labels = two_classes()
    for off in (torch.no_grad, torch.inference_mode):
        again = imrep.get(TINY)
        with off():
            again.fit(images, labels)
        assert again.fingerprint == trained.fingerprint


def test_factors_gather_or_entangle():
    images, labels = two_classes()
    losses = []
    for factor in (1, 0, -0.3):
        rep = imrep.get(f"{TINY},factor={factor}")
        rep.fit(images, labels)
        losses.append(float(neighbour_loss(rep.embed(images), labels, 0.1)))
    assert losses[0] < losses[1] < losses[2]


def test_training_is_the_same_at_each_call_and_leaves_the_global_state_alone(trained):
    torch.manual_seed(0)
    images, labels = two_classes()
    before = torch.random.get_rng_state()
    again = imrep.get(TINY)
    again.fit(images, labels)
    assert again.fingerprint == trained.fingerprint
    assert torch.equal(torch.random.get_rng_state(), before)
    other = imrep.get(TINY)
    other.fit(images, labels, seed=1)
    assert other.fingerprint != again.fingerprint


@pytest.mark.no_shapes
@pytest.mark.parametrize(
    "spec",
    [
        "snnl:arch=convnet,epochs=1",
        "snnl:arch=mlp,epochs=1,code=8,distance=euclidean,schedule=learned",
        "snnl:arch=autoencoder,epochs=1,code=8,side=8,primary=mse,schedule=inverse",
    ],
)
def test_the_contract_where_it_is_trained(spec):
    left_out = ("compiles", "extreme", "codes_that", "lists")  # as for random weights; slow
    left_out += ("inverse",)  # one epoch is not enough for an autoencoder
    for question in testing.questions(spec):
        if not question.__name__.startswith(left_out):
            question()


@pytest.mark.parametrize("arch", ["lenet5", "test_resnet", "test_vit", "squeezenet1_1"])
def test_any_backbone_trains(arch):
    rep = imrep.get(f"snnl:arch={arch},epochs=1,layers=hidden,augment=0.5")
    images, labels = photo(40, 40, batch=8), torch.arange(8) % 4
    before = {key: value.clone() for key, value in rep.network.state_dict().items()}
    rep.fit(images, labels)
    assert rep.classes == 4 and rep.embed(photo(50, 33)).isfinite().all()
    same = [torch.equal(before[key], value) for key, value in rep.network.state_dict().items()
            if key in before and before[key].shape == value.shape]  # fmt: skip
    assert not all(same)
    assert rep.canvas == {"lenet5": 32, "test_vit": 160}.get(arch, 40)


def test_layers_embed_at_their_own_width():
    shapes = [
        imrep.get(f"snnl:weights=random,layer={layer}").embed(photo()).shape[1]
        for layer in (0, 1, 2, 3, -1, -4)
    ]
    assert shapes == [32, 64, 128, 128, 128, 32]
    with pytest.raises(BadParameter, match="from -4 to 3, got 4"):
        imrep.get("snnl:layer=4")


def test_an_autoencoder_inverts_its_code():
    images, _ = two_classes()
    rep = imrep.get("snnl:arch=autoencoder,side=8,code=16,epochs=20,factor=0.1")
    with pytest.raises(NoInverse):
        rep.invert(rep.encode(images))
    rep.fit(images, torch.arange(48) % 2)
    rebuilt = rep.invert(rep.encode(images)).detach()
    assert rebuilt.shape == images.shape and rep.inverse == "approximate"
    error = (rebuilt - images).square().mean()
    assert error < 0.7 * (images.mean(0) - images).square().mean()
    larger = photo(16, 12)
    assert rep.invert(rep.encode(larger)).shape == larger.shape


def test_untrained_it_says_what_to_do():
    rep = imrep.get("snnl")
    assert rep.needs_fit and rep.encode(photo()).values.shape[1] == 128
    with pytest.raises(NotFitted, match=r"snnl needs labelled images .* fit\(images, labels\)"):
        rep.embed(photo())


def test_weights_come_from_a_folder(trained, tmp_path):
    trained.save(tmp_path / "w")
    images = photo(20, 20)
    for rep in (imrep.get(f"snnl:weights='{tmp_path}/w'"), imrep.load(tmp_path / "w")):
        torch.testing.assert_close(rep.embed(images), trained.embed(images))
        assert rep.fingerprint == trained.fingerprint and not rep.needs_fit
        assert (rep.arch, rep.side, rep.code, rep.classes) == ("mlp", 8, 16, 2)
    assert not imrep.get(f"snnl:weights='{tmp_path}/w'").network.training
    with pytest.raises(BadParameter, match="needs arch=mlp, of its weights, got lenet5"):
        imrep.get(f"snnl:arch=lenet5,weights='{tmp_path}/w'")
    with pytest.raises(BadParameter, match="needs weights=none or published to be trained"):
        imrep.get(f"snnl:weights='{tmp_path}/w'").fit(images, torch.tensor([0, 1]))
    with pytest.raises(WeightsNeeded, match="no folder"):
        imrep.get("snnl:weights=/nowhere/at/all")
    imrep.get("cnn:arch=lenet5,weights=random").save(tmp_path / "p")
    with pytest.raises(BadParameter, match="needs weights of its own, got those of cnn"):
        imrep.get(f"snnl:weights='{tmp_path}/p'")


def test_the_loss_is_the_task_plus_the_neighbours():
    rep = imrep.get("snnl:arch=mlp,side=8,code=8,classes=2,factor=0.5,schedule=fixed,layers=hidden")
    images, labels = two_classes(12)
    hidden = rep._layers(rep._normalised(images))
    entropy = torch.nn.functional.cross_entropy(rep.network.behind(hidden[-1])[-1], labels)
    expected = entropy + 0.5 * sum(neighbour_loss(x, labels) for x in hidden)
    torch.testing.assert_close(rep.loss({"image": images, "label": labels}), expected)


def test_gradients_of_the_loss_need_training_mode():
    rep = imrep.get("snnl:arch=convnet,classes=2,weights=random")
    images, labels = two_classes(12)
    batch = {"image": images, "label": labels}
    before = rep.fingerprint
    assert not rep.loss(batch).requires_grad
    assert rep.fingerprint == before
    rep.train().loss(batch).backward()
    slopes = [p.grad for p in rep.parameters()]
    assert all(slope is not None and slope.isfinite().all() for slope in slopes)
    assert rep.fingerprint != before  # batch normalisation's statistics
    assert not rep.eval().embed(images).requires_grad


def test_images_become_harder_while_the_temperature_falls():
    rep = imrep.get("snnl:arch=mlp,side=8,augment=0.5,eta=2,gamma=1,temperature=3")
    strengths = [rep.strength(epoch) for epoch in range(4)]
    assert strengths == pytest.approx([0.5 * (1 - 2 / (2 + epoch)) for epoch in range(4)])
    rep.begin_epoch(2)
    assert rep.objective.temperatures.item() == pytest.approx(3 / 4)


def test_images_without_a_class_count_in_reconstruction_alone():
    images, labels = two_classes(12)
    some, none = labels.clone(), torch.full_like(labels, -1)
    some[6:] = -1
    rep = imrep.get("snnl:arch=mlp,side=8,classes=2")
    first = rep.loss({"image": images[:6], "label": labels[:6]})
    torch.testing.assert_close(rep.loss({"image": images, "label": some}), first)
    assert rep.loss({"image": images, "label": none}) == 0
    rep = imrep.get("snnl:arch=autoencoder,side=8,classes=2,factor=0")
    loss = rep.loss({"image": images, "label": none})
    torch.testing.assert_close(loss, rep.loss({"image": images, "label": labels}))


@pytest.mark.parametrize(
    ("label", "match"),
    [
        (None, "needs a class of each image"),
        (torch.zeros(3).long(), "needs a class of each image"),
        (torch.tensor([0, 7]), "needs classes from 0 to 1, got 0 to 7. Set classes=8"),
    ],
)
def test_batches_without_classes_are_refused(label, match):
    rep = imrep.get("snnl:classes=2")
    batch = {"image": photo()} | ({} if label is None else {"label": label})
    with pytest.raises(BadData, match=match):
        rep.loss(batch)


@pytest.mark.no_shapes
def test_what_cannot_be_trained_on_is_refused():
    rep = imrep.get("snnl:arch=mlp,side=8,epochs=1")
    with pytest.raises(BadData, match="a class for each of 2 images, got"):
        rep.fit(photo(), torch.zeros(3))
    with pytest.raises(BadData, match="a class for each of 2 images, got list"):
        rep.fit(photo(), [0, 1])
    with pytest.raises(BadData, match="at least two images to train on, got 1"):
        rep.fit(photo(batch=1), torch.zeros(1))
    with pytest.raises(BadImage, match="snnl needs"):
        rep.fit(255 * photo(), torch.zeros(2))
    one_class = imrep.get("snnl:arch=mlp,side=8,epochs=1")
    one_class.fit(photo(), torch.zeros(2))
    assert one_class.classes == 1 and one_class.embed(photo()).isfinite().all()


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ("distance=manhattan", "needs distance to be one of cosine, euclidean"),
        ("combine=mean", "needs combine to be one of sum, min"),
        ("schedule=anealed", "Did you mean 'annealed'"),
        ("primary=bce", "needs primary to be one of ce, got 'bce'"),
        ("arch=autoencoder,primary=ce", "needs primary to be one of bce, mse, got 'ce'"),
        ("layers=9", "numbers such as 0 or 0-1 up to 4, got '9'"),
        ("layers=2-1", "got '2-1'"),
        ("temperature=0", "needs temperature from"),
        ("arch=resnet1", "Did you mean"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, match):
    with pytest.raises(BadParameter, match=match):
        imrep.get(f"snnl:{parameters}")
