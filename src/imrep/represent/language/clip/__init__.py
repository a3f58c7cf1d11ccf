"""CLIP and SigLIP: images and texts in one space, through open_clip."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep import checks
from imrep.base import Bilingual, Evaluation, Examples, Learned, Recipe, TrainingImages
from imrep.codes import Tokens
from imrep.datasets import Dataset, captions
from imrep.drawing import draw, heat
from imrep.drawing.layout import DISPLAY_PX
from imrep.errors import BadData, BadParameter
from imrep.io import digests
from imrep.networks import inputs
from imrep.networks.built import resampling
from imrep.ops.resize import resize
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.language.clip import contrastive, loading, parameters, retrieval, towers
from imrep.represent.language.clip import text_pooling as text_pooling_
from imrep.represent.language.clip.captioned_images import captioned
from imrep.represent.language.clip.configuration import Configuration
from imrep.represent.language.clip.relevance import relevance
from imrep.represent.language.clip.text_pooling import SelfAttentiveText
from imrep.represent.language.clip.tokenizer import Tokenizer
from imrep.types import Image, Picture, Progress, Vectors
from imrep.weights import seeded

_TEXTS = 256  # that are computed at once
_CROP = 0.15  # strength of the random crop, which leaves about nine tenths of the area


class CLIP(Learned[Tokens], Bilingual[Tokens]):
    """An image tower and a text tower that give an image and its caption similar vectors.

    The image is resized to the model's side and normalised as in its training. The code holds the
    vector and the tokens of the patches before they are pooled; vectors of images and texts have
    length one, so that their product is the cosine.

    A model knows its activation, QuickGELU or the exact one, its tokens and their number, and its
    normalisation: from open_clip's tables, from the configuration beside the weights, or from
    OpenAI's archive. Weights that do not say their activation are refused until it is given. Sizes
    are read off the shapes of the weights. Every number must be the model's own.

    Published weights come from the caches of their hosts, and are downloaded only within
    `imrep.weights.allow_download()` or with `--download`. No weight has a gradient, unless it is
    trained: on captions, by `imrep train`.

    Texts longer than the model reads are cut, the token of the end last, and a warning says so.

    Args:
        arch: A model of open_clip, a .json file of its form, or tiny or small, which train on a
            computer without an accelerator. A file of weights says its own where it can.
        weights: "published" (open_clip's first tag of the model), another of its tags, "random", or
            a file or folder: of OpenAI (its TorchScript archive), of open_clip, of transformers
            (CLIP and SigLIP), or of `save`.
        quickgelu: Whether the weights were trained with QuickGELU; none for what is known of them.
        image_heads: Attention heads of the image tower, which no shape says; none for those of the
            model, or one to 64 numbers.
        text_heads: Likewise of the text tower.
        pooling: Of a text: the token at its "end", the "mean" or "max" over its tokens, or
            "self-attentive", averages that are learned (Lin et al.). Published models know "end".
        hops: Averages of the self-attentive pooling.
        units: In the hidden layer of the self-attentive pooling.
        objective: Of training: "contrastive" or "sigmoid" (SigLIP); none for that of the weights.
        part: Images of a batch whose inner values are in memory at once while training; 0 for all.
            The gradient is the same.
        precision: "float32", or "bfloat16" for the images' products in half precision where nothing
            is trained, which processors with instructions for it compute in less time.
        words: Of the picture: where the similarity of an image to these comes from; "" for the
            patches' principal components.

    References:
        A. Radford et al., "Learning transferable visual models from natural language supervision",
        ICML 2021. arXiv:2103.00020

        X. Zhai, B. Mustafa, A. Kolesnikov and L. Beyer, "Sigmoid loss for language image
        pre-training", ICCV 2023. arXiv:2303.15343

        G. Ilharco et al., "OpenCLIP", 2021. doi:10.5281/zenodo.5143773

        L. Gao, Y. Zhang, J. Han and J. Callan, "Scaling deep contrastive learning batch size under
        memory limited setup", RepL4NLP 2021. arXiv:2101.06983

    Example:
        >>> import torch, imrep
        >>> clip = imrep.get("clip:arch=tiny,weights=random")
        >>> images = clip.embed(torch.rand(2, 3, 90, 120))
        >>> texts = clip.embed_text(["a cat", "two dogs", "an apple"])
        >>> tuple((images @ texts.mT).shape)
        (2, 3)
    """

    card = Card(
        title="CLIP",
        family="language",
        cite="Radford et al. 2021, arXiv:2103.00020",
        dtype="float32",
        weights="required",
        text=True,
        extra="clip",
        described=True,
    )
    example = "clip:arch=tiny,weights=random"
    aliases: ClassVar[dict[str, str]] = {
        "siglip": "arch=ViT-B-16-SigLIP",
        "siglip2": "arch=ViT-B-16-SigLIP2",
        "siglip-so400m": "arch=ViT-SO400M-14-SigLIP",
        "mobileclip": "arch=MobileCLIP-S1",
        "mobileclip2": "arch=MobileCLIP2-S0",
        "clip-large": "arch=ViT-L-14",
    }
    recipe = Recipe(
        learning_rate=5e-4, weight_decay=0.2, batch=128, size=224, augment="resized_crop"
    )

    def __init__(  # noqa: PLR0913  # the model, its text, its training
        self,
        *,
        arch: str = "ViT-B-32",
        weights: str = "published",
        quickgelu: bool | None = None,
        image_heads: int | None = None,
        text_heads: int | None = None,
        pooling: str = "end",
        hops: int = 4,
        units: int = 64,
        objective: str | None = None,
        part: int = 0,
        precision: str = "float32",
        words: str = "",
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.quickgelu = arch, weights, quickgelu
        self.image_heads, self.text_heads = image_heads, text_heads
        self.pooling, self.hops, self.units = pooling, hops, units
        self.objective, self.part = objective, part
        self.precision, self.words = precision, words
        parameters.check(self)
        loaded = loading.load(self)
        self.build(loaded.configuration, loaded.tokenizer)
        loading.fill(self, loaded.state, loaded.pooling)

    def build(self, configuration: Configuration, tokenizer: Tokenizer) -> None:
        """Build both towers anew at seeded random weights."""
        self.configuration, self.tokenizer = configuration, tokenizer
        self.network = seeded(lambda: towers.build(configuration, self.name))
        width = int(configuration.text.get("width", 512))
        learned = self.pooling == "self-attentive"
        sizes = width, self.units, self.hops
        self.text_pooling = seeded(lambda: SelfAttentiveText(*sizes)) if learned else None
        self._begin_objective()
        self.canvas = configuration.side
        trained = self.weights != "random"
        self.resampling = resampling(configuration.resampling) if trained else "bilinear"
        self.eval()

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return int(self.configuration.sizes["embed_dim"])

    def describe(self) -> dict[str, str]:
        """What the weights say of the model."""
        quick = self.configuration.sizes.get("quick_gelu", False)
        counts = [sum(p.numel() for p in part.parameters()) for part in (self._visual, self)]
        return {
            "image tower": f"{counts[0]:,} parameters, {self.canvas}×{self.canvas} pixels",
            "text tower": f"{counts[1] - counts[0]:,} parameters, {self.tokenizer.context} tokens",
            "activation": "QuickGELU" if quick else "GELU",
        }

    def encode(self, image: Image) -> Tokens:
        """The vector before it is scaled to length one, and the patches' tokens."""
        checks.image(image, self.name)
        images = self._normalised(image)
        with inputs.half_precision(self._visual, self.precision, images):
            vector, patches, grid = towers.image_features(self._visual, images)
        return Tokens(vector.to(images.dtype), patches.to(images.dtype), grid)

    def pool(self, code: Tokens) -> Vectors:
        """The vector, of length one."""
        return F.normalize(code.summary, dim=1)

    def embed(self, image: Image) -> Vectors:
        """`pool(encode(image))`, without what only the patches' tokens need."""
        checks.image(image, self.name)
        return self._image_vectors(self._normalised(image.expand(-1, 3, -1, -1)))

    def check_code(self, code: Tokens) -> None:
        """Refuse the tokens of another model."""
        parameters.check_shapes(code, self.dim, self.name)

    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length one, (len(texts), dim).

        Raises:
            BadParameter: If one is no text, or has no word.
            WeightsNeeded: If the vocabulary of the weights is not at hand.
        """
        ids = self.tokenizer.ids(texts, self.name)
        order = text_pooling_.ends(self.network, ids).argsort()  # short ones are computed together
        device = self.network.logit_scale.device
        parts = [self._text_vectors(ids[rows].to(device)) for rows in order.split(_TEXTS)]
        return torch.cat(parts)[order.argsort().to(device)]

    @property
    def similarity_scale(self) -> float:
        """The exponential of the learned logit scale."""
        return float(self.network.logit_scale.detach().exp())

    def picture(self, code: Tokens, image: Image | None = None) -> Picture:
        """Where in the image its similarity to `words` comes from, or the patches' components."""
        if not self.words or image is None:
            return draw(code, image)
        with torch.no_grad():
            words = self.embed_text([self.words])
        values = relevance(self._visual, self._normalised(image), words)
        return heat(values, resize(image, *_displayed(image))).clamp(0, 1)

    @classmethod
    def annotated(cls, data: str, progress: Progress | None = None) -> Dataset:
        """The images at `data` that have captions, with their captions."""
        return captions.find(data)

    def training_examples(self, images: TrainingImages) -> Examples:
        """An image with one of its captions as tokens."""
        return captioned(images, self.tokenizer, self.name)

    def strength(self, epoch: int) -> float:
        """Of the augmentation: crops of about nine tenths of the image, as in the paper."""
        return _CROP

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The objective, of a batch with `image` and `text` (b, context), tokens of its captions.

        Raises:
            BadData: If there are no captions.
        """
        image, ids = self._pair(batch)
        if self.training:
            towers.clamp_scale(self.network, contrastive.MAX_LOG_SCALE)
        images = contrastive.in_parts(self._image_vectors, image, self.part)
        texts = contrastive.in_parts(self._text_vectors, ids, self.part)
        scale, bias = self.network.logit_scale.exp(), self.network.logit_bias
        if bias is not None:
            return contrastive.sigmoid(images.float(), texts.float(), scale, bias)
        return contrastive.contrastive(images.float(), texts.float(), scale)

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation:
        """Recall at 1, 5 and 10 among the held-out images and their captions, both ways."""
        parts = []
        for batch in batches:
            image, ids = self._pair(batch)
            parts.append((self._image_vectors(image), self._text_vectors(ids), batch["text"]))
        images, texts, ids = (torch.cat(part) for part in zip(*parts, strict=True))
        return retrieval.evaluation(images.float(), texts.float(), ids)

    def train(self, mode: bool = True) -> "CLIP":
        """In training mode weights have gradients; vectors are the same in either."""
        super().train(False)
        self.training = mode
        self.requires_grad_(mode)
        return self

    def save(self, folder: str | Path) -> Path:
        """Write the weights, the configuration and, where it has one of its own, the vocabulary."""
        path = super().save(folder)
        self.tokenizer.save(path)
        return path

    def load_weights(self, folder: str | Path) -> "CLIP":
        """Load what `save` wrote.

        Raises:
            BadParameter: If they are another model's, or there are none.
        """
        loading.restore(self, Path(folder))
        return self

    @property
    def _visual(self) -> Any:
        return self.network.visual

    def _normalised(self, image: Image) -> Tensor:
        own = self.configuration
        dtype = self.network.logit_scale.dtype
        return inputs.normalised(
            image, side=own.side, gray=False, mean=own.mean, std=own.std, dtype=dtype
        )

    def _pair(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        if "text" not in batch:
            raise BadData(
                f"{self.name} needs captions to be trained, got none. Give a csv with columns path "
                "and caption, or the captions of COCO."
            )
        image = self._normalised(checks.image(batch["image"], self.name))
        return image, text_pooling_.trimmed(self.network, batch["text"])

    def _image_vectors(self, image: Tensor) -> Tensor:
        """Vectors of normalised images; batch normalisation reads the batch while training."""
        towers.batch_statistics(self._visual, self.training and torch.is_grad_enabled())
        try:
            with inputs.half_precision(self._visual, self.precision, image):
                vectors = towers.image_vectors(self._visual, image)
            return F.normalize(vectors.to(image.dtype), dim=1)
        finally:
            towers.batch_statistics(self._visual, False)

    def _text_vectors(self, ids: Tensor) -> Tensor:
        ids = text_pooling_.trimmed(self.network, ids)
        pooled = text_pooling_.pooled(self.network, ids, self.pooling, self.text_pooling)
        return F.normalize(pooled, dim=1)

    def _begin_objective(self) -> None:
        """Give a model without a bias one where the objective needs it."""
        network: Any = self.network
        has_bias = network.logit_bias is not None
        if self.objective == "contrastive" and has_bias:
            raise BadParameter(
                f"{self.name} needs objective=sigmoid for weights that were trained by it, got "
                "contrastive. Leave it out."
            )
        if self.objective == "sigmoid" and not has_bias:
            scale = torch.tensor(contrastive.FIRST_SCALE["sigmoid"]).log()
            network.logit_scale = nn.Parameter(scale)
            network.logit_bias = nn.Parameter(torch.tensor(contrastive.FIRST_BIAS))

    def _saved_facts(self) -> dict[str, Any]:
        """The configuration of both towers, as open_clip writes it, and how images are read."""
        return {
            "model_cfg": self.configuration.sizes,
            "images": self.configuration.images,
            "arch": self.arch,
            "weights": self.weights,
        }

    def _fingerprint_params(self) -> dict[str, Any]:
        """The configuration by its digest; what a name or path says is in it and in the weights."""
        own = digests.digest(self.configuration.key, self.tokenizer.key, size=6)
        learned = {"hops": self.hops, "units": self.units} if self.text_pooling else {}
        half = {} if self.precision == "float32" else {"precision": self.precision}
        return {"arch": own, "pooling": self.pooling, **learned, **half}

    def _blank_spec(self) -> str:
        """A small model, in whose place `load_weights` puts the one that was saved."""
        params = {**self.get_params(), "arch": "tiny", "weights": "random"}
        params |= dict.fromkeys(("quickgelu", "image_heads", "text_heads"))
        return specs.write(self.name, {k: v for k, v in params.items() if v is not None})


def _displayed(image: Image) -> tuple[int, int]:
    """Height and width of a picture: the image's, or of a small one a multiple."""
    height, width = image.shape[2:]
    factor = max(1, DISPLAY_PX // max(height, width))
    return factor * height, factor * width
