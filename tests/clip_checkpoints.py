"""Small checkpoints of CLIP and SigLIP in the forms that people pass on, and plain references."""

import json
import warnings

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

SIZES = {
    "embed_dim": 32,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 100, "width": 48, "heads": 4, "layers": 2},
}
HEADS = "image_heads=4,text_heads=4"


def model(**changes):
    """A small model of open_clip at random weights."""
    import open_clip

    torch.manual_seed(0)
    return open_clip.CLIP(**(SIZES | changes)).eval()


def resnet(layers=(1, 1, 1, 1)):
    """One with a ModifiedResNet, whose statistics are those of no standard normal."""
    network = model(vision_cfg={"image_size": 64, "layers": layers, "width": 8})
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


def openai_archive(network, path):
    """A TorchScript archive in half precision, as OpenAI published."""
    network.register_buffer("input_resolution", torch.tensor(32))
    examples = torch.rand(1, 3, 32, 32), torch.randint(1, 99, (1, 12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        torch.jit.trace(network, examples, check_trace=False).half().save(str(path))
    return path


def hugging_face(state, heads):
    """CLIP of transformers: the tensors of open_clip's under its names, split, and a config."""
    own = {"logit_scale": state["logit_scale"]}
    own["visual_projection.weight"] = state["visual.proj"].T.contiguous()
    own["text_projection.weight"] = state["text_projection"].T.contiguous()
    renamed = {
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    }
    norms = {
        "ln_final": "text_model.final_layer_norm",
        "visual.ln_pre": "vision_model.pre_layrnorm",
        "visual.ln_post": "vision_model.post_layernorm",
    }
    parts = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1",
             "mlp.c_proj": "mlp.fc2", "attn.out_proj": "self_attn.out_proj"}  # fmt: skip
    for key, value in state.items():
        module, _, kind = key.rpartition(".")
        if key in renamed:
            own[renamed[key]] = value
        elif module in norms:
            own[f"{norms[module]}.{kind}"] = value
        elif "resblocks" in key:
            before, after = key.split("resblocks.")
            number, _, part = after.partition(".")
            side = "vision" if before.startswith("visual") else "text"
            start = f"{side}_model.encoder.layers.{number}"
            if ".in_proj_" in key:
                for name, rows in zip("qkv", value.chunk(3), strict=True):
                    kind = key.rpartition("_")[2]
                    own[f"{start}.self_attn.{name}_proj.{kind}"] = rows.contiguous()
            else:
                own[f"{start}.{parts[part.rpartition('.')[0]]}.{kind}"] = value
    config = {
        "model_type": "clip",
        "text_config": {"num_attention_heads": heads, "hidden_act": "quick_gelu"},
        "vision_config": {"num_attention_heads": heads, "hidden_act": "quick_gelu"},
    }
    return own, config


def siglip(layers=2, width=24, side=16, patch=4, vocabulary=60, context=9):
    """SigLIP of transformers at random weights, and a config with three heads."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator) * 0.3

    def linear(name, rows, columns):
        return {f"{name}.weight": normal(rows, columns), f"{name}.bias": normal(rows)}

    def norm(name):
        return {f"{name}.weight": 1 + normal(width), f"{name}.bias": normal(width)}

    own = {"logit_scale": torch.tensor([2.3]), "logit_bias": torch.tensor([-10.0])}
    for tower in ("text", "vision"):
        for i in range(layers):
            start = f"{tower}_model.encoder.layers.{i}."
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                own |= linear(f"{start}self_attn.{part}", width, width)
            own |= norm(f"{start}layer_norm1") | norm(f"{start}layer_norm2")
            own |= linear(f"{start}mlp.fc1", 2 * width, width)
            own |= linear(f"{start}mlp.fc2", width, 2 * width)
    text, vision = "text_model.", "vision_model."
    own[f"{text}embeddings.token_embedding.weight"] = normal(vocabulary, width)
    own[f"{text}embeddings.position_embedding.weight"] = normal(context, width)
    own |= norm(f"{text}final_layer_norm") | linear(f"{text}head", width, width)
    own[f"{vision}embeddings.patch_embedding.weight"] = normal(width, 3, patch, patch)
    own[f"{vision}embeddings.patch_embedding.bias"] = normal(width)
    count = (side // patch) ** 2
    own[f"{vision}embeddings.position_embedding.weight"] = normal(count, width)
    own |= norm(f"{vision}post_layernorm") | norm(f"{vision}head.layernorm")
    own[f"{vision}head.probe"] = normal(1, 1, width)
    own[f"{vision}head.attention.in_proj_weight"] = normal(3 * width, width)
    own[f"{vision}head.attention.in_proj_bias"] = normal(3 * width)
    own |= linear(f"{vision}head.attention.out_proj", width, width)
    own |= linear(f"{vision}head.mlp.fc1", 2 * width, width)
    own |= linear(f"{vision}head.mlp.fc2", width, 2 * width)
    act = {"hidden_act": "gelu_pytorch_tanh", "num_attention_heads": 3}
    return own, {"model_type": "siglip", "text_config": act, "vision_config": act}


class PlainSigLIP:
    """SigLIP written out from the names of transformers, with three heads."""

    def __init__(self, state):
        self.state = state

    def linear(self, name, x):
        return F.linear(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def norm(self, name, x):
        own = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], *own, eps=1e-6)

    @staticmethod
    def attended(q, k, v, heads=3):
        q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        return (weights @ v).transpose(1, 2).flatten(2)

    def mlp(self, name, x):
        return self.linear(f"{name}.fc2", F.gelu(self.linear(f"{name}.fc1", x), approximate="tanh"))

    def layers(self, tower, x):
        for i in range(2):
            start = f"{tower}_model.encoder.layers.{i}."
            y = self.norm(f"{start}layer_norm1", x)
            parts = [self.linear(f"{start}self_attn.{name}_proj", y) for name in "qkv"]
            x = x + self.linear(f"{start}self_attn.out_proj", self.attended(*parts))
            x = x + self.mlp(f"{start}mlp", self.norm(f"{start}layer_norm2", x))
        return x

    def text(self, ids):
        start = "text_model.embeddings."
        x = self.state[f"{start}token_embedding.weight"][ids]
        x = self.layers("text", x + self.state[f"{start}position_embedding.weight"])
        return self.linear("text_model.head", self.norm("text_model.final_layer_norm", x)[:, -1])

    def image(self, x):
        start = "vision_model.embeddings."
        kernel = self.state[f"{start}patch_embedding.weight"]
        x = F.conv2d(x, kernel, self.state[f"{start}patch_embedding.bias"], stride=kernel.shape[-1])
        x = x.flatten(2).mT + self.state[f"{start}position_embedding.weight"]
        x = self.norm("vision_model.post_layernorm", self.layers("vision", x))
        own = [self.state[f"vision_model.head.attention.in_proj_{k}"] for k in ("weight", "bias")]
        rows = [part.chunk(3) for part in own]
        probe = self.state["vision_model.head.probe"].expand(len(x), -1, -1)
        inputs = zip((probe, x, x), *rows, strict=True)
        y = self.attended(*(F.linear(each, w, b) for each, w, b in inputs))
        y = self.linear("vision_model.head.attention.out_proj", y)
        y = y + self.mlp("vision_model.head.mlp", self.norm("vision_model.head.layernorm", y))
        return y[:, 0]


def folder_of(path, state, config, name="model.safetensors", config_name="config.json"):
    """A folder with weights and their configuration."""
    path.mkdir()
    save_file(state, path / name)
    (path / config_name).write_text(json.dumps(config))
    return path
