"""Vision transformers: those of timm, by its names or by those that people use."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Recipe, Supervised
from imrep.base.descent import Course, descend
from imrep.base.supervised import Read, batch_labels, take_configured
from imrep.codes import Tokens
from imrep.drawing import draw
from imrep.errors import BadParameter
from imrep.networks import Request, inputs, saved, transformers
from imrep.networks.attention import rollout
from imrep.networks.self_attentive import SelfAttentive
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.learned.vit import maps, parameters
from imrep.represent.learned.vit import pooling as pooling_
from imrep.represent.learned.vit.self_attentive import Head
from imrep.represent.learned.vit.training import tokens_of
from imrep.types import Image, Picture, Progress, Vectors
from imrep.weights import read, seeded

_RATE, _TUNING_RATE = 1e-3, 1e-4  # of what starts at random, and of a trained network
_BATCH, _NETWORK_BATCH = 128, 32  # images of a step


class ViT(Supervised[Tokens]):
    """Tokens of a vision transformer, by its name in timm or by a short name.

    The image is resized to `side`, normalised as in the network's training, and cut into patches.
    The code holds the patches' tokens with their grid, and the vector; class and register tokens
    are no patches. Files are read for trained weights as these were tested: at their input size,
    crop and filter. No weight has a gradient, unless it is trained.

    Every number of the weights must be the network's own, or they are refused. Published ones come
    from the caches of the libraries that host them, and are downloaded only within
    `imrep.weights.allow_download()` or with `--download`. Random weights are seeded; they show what
    the architecture alone contributes, and every table says so.

    With pooling=self-attentive the pooling is trained on labelled images, by `imrep train`, by
    `fit(images, labels)` or by `compare` inside its folds; with trains=network so is the network.

    The picture shows attention over the image. Attention rollout multiplies the blocks' matrices,
    each the mean of its heads and of the identity; its row of the class token, or the rows that
    the network pools, tells how much of each patch reaches the vector.

    Args:
        arch: A transformer in timm, with or without its tag, or one of the short names; dinov2 is
            read at 224 pixels, as by its authors.
        weights: "published" (from the caches of their hosts or with --download), "random", a file
            with a state dict or a trainer's checkpoint (.safetensors, .pt, .pth), a folder that
            holds one (of `save`, of Hugging Face or timm), or the name of an installed package that
            holds one.
        layer: Block, from 0 for the first or from -1 for the last.
        side: Height and width that images are resized to, in pixels, a multiple of the patches';
            none for the network's own. Position embeddings are interpolated.
        pooling: The network's own "head" (its class token, mean or attention pooling; DINOv3's
            class token), the class "token", the "mean" of the patches, "both" of them, or
            "self-attentive": averages that are learned (Lin et al.).
        norm: Whether the last normalisation follows, of the tokens, or of the vector where the
            network has it behind its pooling.
        hops: Averages of the self-attentive pooling, one after the other in the vector.
        units: In the hidden layer of the self-attentive pooling.
        penalty: Factor of its redundancy in the loss, for averages of different patches.
        trains: What training changes: the "pooling", or the "network" too.
        classes: Number of classes that it is trained on; `fit` sets it.
        epochs: Passes over the images in `fit` and in `compare`.
        precision: "float32", or "bfloat16" for products in half precision where nothing is trained,
            which processors with instructions for it compute in less time.
        show: Of the picture: the "rollout", the "heads" of the block one by one, one of them as
            "head0", the averages as "hops", or the patches' principal "components".

    References:
        A. Dosovitskiy et al., "An image is worth 16x16 words: transformers for image recognition at
        scale", ICLR 2021. arXiv:2010.11929

        M. Oquab et al., "DINOv2: learning robust visual features without supervision", TMLR 2024.
        arXiv:2304.07193

        Z. Lin, M. Feng, C. N. dos Santos, M. Yu, B. Xiang, B. Zhou and Y. Bengio, "A structured
        self-attentive sentence embedding", ICLR 2017. arXiv:1703.03130

        S. Abnar and W. Zuidema, "Quantifying attention flow in transformers", ACL 2020.
        doi:10.18653/v1/2020.acl-main.385

    Example:
        >>> import torch, imrep
        >>> vit = imrep.get("vit:arch=test_vit,weights=random")
        >>> code = vit.encode(torch.rand(1, 3, 90, 120))
        >>> code.grid, tuple(code.patches.shape), vit.dim
        ((10, 10), (1, 100, 64), 64)
    """

    card = Card(
        title="Vision transformer",
        family="learned",
        cite="Dosovitskiy et al. 2021, arXiv:2010.11929",
        dtype="float32",
        weights="required",
    )
    example = "vit:arch=test_vit,weights=random"
    aliases: ClassVar[dict[str, str]] = {
        "dinov2": "arch=vit_small_patch14_dinov2,side=224",
        "dinov2-base": "arch=vit_base_patch14_dinov2,side=224",
        "dinov2-large": "arch=vit_large_patch14_dinov2,side=224",
        "dinov2-giant": "arch=vit_giant_patch14_dinov2,side=224",
        "dinov2-registers": "arch=vit_small_patch14_reg4_dinov2,side=224",
        "dinov2-registers-base": "arch=vit_base_patch14_reg4_dinov2,side=224",
        "dinov2-registers-large": "arch=vit_large_patch14_reg4_dinov2,side=224",
        "dinov3": "arch=vit_small_patch16_dinov3",
        "dinov3-base": "arch=vit_base_patch16_dinov3",
        "dinov3-large": "arch=vit_large_patch16_dinov3",
        "dinov3-7b": "arch=vit_7b_patch16_dinov3",
        "dino": "arch=vit_small_patch16_224.dino",
        "mae": "arch=vit_base_patch16_224.mae",
        "deit": "arch=deit_small_patch16_224",
        "deit3": "arch=deit3_small_patch16_224",
        "eva02": "arch=eva02_small_patch14_224",
        "beit": "arch=beitv2_base_patch16_224",
    }
    recipe = Recipe(size=224)
    first_weights = "published"

    def __init__(  # noqa: PLR0913  # the network, its pooling, its training, its picture
        self,
        *,
        arch: str = "dinov2",
        weights: str = "published",
        layer: int = -1,
        side: int | None = None,
        pooling: str = "head",
        norm: bool = True,
        hops: int = 4,
        units: int = 64,
        penalty: float = 1.0,
        trains: str = "pooling",
        classes: int = 10,
        epochs: int = 30,
        precision: str = "float32",
        show: str = "rollout",
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.layer, self.side = arch, weights, layer, side
        self.pooling, self.norm, self.hops, self.units = pooling, norm, hops, units
        self.penalty, self.trains, self.classes = penalty, trains, classes
        self.epochs, self.precision, self.show = epochs, precision, show
        if weights not in saved.NAMED:
            take_configured(self, parameters.OF_THE_NETWORK)
        parameters.check(self)
        self.build()
        if weights not in saved.NAMED and self.head is not None:
            self.head.take(read(weights, self.name), self.arch, self.name)

    def build(self, images: dict[str, Any] | None = None) -> None:
        """Build the network anew, for images read by `images`, as a config.json says it."""
        arch, side = self._resolved()
        parameters.check_arch(arch, self.aliases, self.name)
        # timm averages DINOv3's patches; its authors take the class token.
        token = self.pooling == "head" and "dinov3" in arch
        self._pooling = "token" if token else self.pooling
        request = Request(
            arch, self.weights, self.layer, side, self._pooling, self.name, images=images
        )
        built = transformers.build(request, norm=self.norm)
        self.built = replace(built, network=torch.nn.Identity())
        network: Any = built.network.requires_grad_(False)
        self.network = network
        parameters.check_head(self.show, transformers.head_count(network), self.name)
        rows, columns = network.patch_embed.grid_size
        self._grid, self._prefix = (rows, columns), int(network.num_prefix_tokens)
        self._mean, self._std = built.mean, built.std
        self._input_side = built.side
        self.canvas = built.side
        trainable = self.pooling == pooling_.LEARNED or self.trains == "network"
        self.head = self._new_head() if trainable else None
        self.recipe = replace(self.recipe, learning_rate=self._rate)  # type: ignore[misc]
        self.settle()
        self.eval()

    def settle(self) -> None:
        """Trained weights get images of the crop and filter that they were tested on."""
        trained = self.weights != "random"
        framing = (self.built.crop, self.built.resampling)
        self.crop, self.resampling = framing if trained else (1.0, "bilinear")

    @property
    def needs_fit(self) -> bool:
        """Whether it has yet to be trained."""
        return self.head is not None and int(self.head.begun) == 0

    @property
    def budget(self) -> str:
        """How long `fit` trains."""
        return f"{self.epochs:,} epochs"

    def encode(self, image: Image) -> Tokens:
        """The patches' tokens (batch, rows · columns, width), and the vector as their summary."""
        checks.image(image, self.name)
        images = self._normalised(image)
        with inputs.half_precision(self.network, self.precision, images):
            tokens = transformers.tokens(self.network, images)
        tokens = tokens.to(images.dtype)
        summary = pooling_.pooled(self.network, tokens, self._pooling, self.head)
        return Tokens(summary, tokens[:, self._prefix :], self._grid)

    def pool(self, code: Tokens) -> Vectors:
        """The summary."""
        self.require_training()
        return code.summary

    def check_code(self, code: Tokens) -> None:
        """Refuse the tokens of another network or side."""
        needed = (self._grid[0] * self._grid[1], self.network.embed_dim, self._dim)
        actual = (*code.patches.shape[1:], code.summary.shape[1])
        pooling_.check_shapes(actual, needed, (code.grid, self._grid), self.name)

    def attention(self, image: Image) -> tuple[Tensor, ...]:
        """The attention matrix of each block up to `layer`, (batch, head, token, token).

        Tokens are in the network's order: the class token, registers, the patches row by row. Every
        row sums to one.

        Raises:
            BadParameter: If the network has other than one matrix a block.
        """
        return self._attention(image).blocks

    def rollout(self, image: Image) -> Tensor:
        """The attention rollout through the blocks, (batch, token, token); rows sum to one.

        Raises:
            BadParameter: If the network has other than one matrix a block.
        """
        return rollout(self.attention(image))

    def picture(self, code: Tokens, image: Image | None = None) -> Picture:
        """Attention over the image; without it, the patches' first three principal components.

        By attention rollout, or of single heads; bright patches contribute most to the vector.
        """
        if self.show == "hops" and self.head is not None and self.head.pooling is not None:
            values = self.head.pooling.weights(self.network.fc_norm(code.patches))
        elif self.show == "components" or image is None:
            return draw(code)
        else:
            with torch.no_grad():
                values = self._maps(image)
        return maps.draw_maps(values.unflatten(2, self._grid), image)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of the classes, plus `penalty` times the pooling's redundancy.

        Images of class -1 have none.

        Raises:
            BadParameter: If there is nothing to train.
            BadData: If there is no class of each image, or one is not below `classes`.
        """
        head, labels = self._trained_head(), batch_labels(batch, self.classes, self.name)
        image = checks.image(batch["image"], self.name)
        return self._loss(head, transformers.tokens(self.network, self._normalised(image)), labels)

    def begin_epoch(self, epoch: int) -> None:
        """Count the epochs: from the first on it is trained."""
        self._trained_head().begun.fill_(epoch + 1)

    def fit_rows(
        self, read: Read, labels: Tensor, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Train the pooling anew by Adam for `epochs` passes; the network too where it trains that.

        Raises:
            BadParameter: If there is nothing to train.
            BadData: If there are fewer than two images, or the loss is not finite.
        """
        self._trained_head()
        device, tuned = next(self.parameters()).device, self.trains == "network"
        with torch.inference_mode(False):  # its tensors could have no gradient
            self.classes = int(labels.max()) + 1
            if tuned:
                self.set_params(classes=self.classes)
            self.head = self._new_head()
            self.to(device)

        def encode(image: Image) -> Tensor:
            return transformers.tokens(self.network, self._normalised(image.to(device)))

        tokens = tokens_of(read, encode, len(labels)) if not tuned else None

        def loss(rows: Any, epoch: int) -> Tensor:
            features = encode(read(rows)) if tokens is None else tokens(rows)
            return self._loss(self._trained_head(), features, labels[rows].to(device))

        batch = _NETWORK_BATCH if tuned else _BATCH
        course = Course(self.epochs, self._rate, seed, "Use a smaller penalty.", batch)
        descend(self, loss, len(labels), course, progress)

    def train(self, mode: bool = True) -> "ViT":
        """In training mode what `trains` names has gradients; vectors are the same in either."""
        super().train(False)
        self.training = mode
        self.network.requires_grad_(mode and self.trains == "network")
        if self.head is not None:
            self.head.requires_grad_(mode)
        return self

    def load_weights(self, folder: str | Path) -> "ViT":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: If they are another network's, or there are none.
        """
        saved.load(self, folder, super().load_weights)
        return self

    def _saved_facts(self) -> dict[str, Any]:
        """How images are read."""
        return saved.facts(self.built, self.crop, self.resampling)

    @property
    def _dim(self) -> int:
        """Numbers in the vector."""
        return pooling_.dim(self.network, self._pooling, self.hops)

    @property
    def _rate(self) -> float:
        """The first learning rate."""
        tuned = self.trains == "network" and self.weights != "random"
        return _TUNING_RATE if tuned else _RATE

    def _resolved(self) -> tuple[str, int | None]:
        """The architecture's name in timm, and the side, by a short name where it is one."""
        return parameters.resolved(self.arch, self.side, self.aliases)

    def _new_head(self) -> Head:
        def create() -> Head:
            sizes = (int(self.network.embed_dim), self.units, self.hops)
            learned = SelfAttentive(*sizes) if self._pooling == pooling_.LEARNED else None
            return Head(learned, self._dim, self.classes)

        like = next(self.network.parameters())
        return seeded(create).to(like).requires_grad_(False)

    def _trained_head(self) -> Head:
        if self.head is None:
            raise BadParameter(
                f"{self.name} needs pooling=self-attentive or trains=network to be trained, got "
                f"{self.spec}. Set one of them."
            )
        return self.head

    def _normalised(self, image: Image) -> Tensor:
        """The image as the network reads it."""
        return inputs.normalised(
            image,
            side=self._input_side,
            gray=False,
            mean=self._mean,
            std=self._std,
            dtype=next(self.network.parameters()).dtype,
        )

    def _loss(self, head: Head, tokens: Tensor, labels: Tensor) -> Tensor:
        vectors = pooling_.pooled(self.network, tokens, self._pooling, head)
        patches = pooling_.normalised_patches(self.network, tokens)
        return head.loss(vectors, patches, labels, self.penalty)

    def _attention(self, image: Image) -> transformers.Attention:
        checks.image(image, self.name)
        return transformers.attention(self.network, self._normalised(image), self.name, self.arch)

    def _maps(self, image: Image) -> Tensor:
        """Maps of attention, (batch, map, patch)."""
        attention, token = self._attention(image), self.network.cls_token is not None
        if self.show == "rollout":
            return maps.rolled_out(attention, self._prefix, token)
        every = maps.heads(attention, self._prefix, token)
        head = parameters.one_head(self.show)
        return every if head is None else every[:, head : head + 1]

    def _fingerprint_params(self) -> dict[str, Any]:
        """Weights by their digest, the network by timm's name; what a picture shows is left out."""
        arch, side = self._resolved()
        named = self.weights
        if named not in saved.NAMED:
            named = saved.digest(self.built, self.state_dict())
        params = {**self.get_params(), "arch": arch, "side": side, "weights": named}
        return {key: value for key, value in params.items() if key != "show"}

    def _blank_spec(self) -> str:
        arch, side = self._resolved()
        params = {**self.get_params(), "arch": arch, "side": side, "weights": "random"}
        return specs.write(self.name, params)
