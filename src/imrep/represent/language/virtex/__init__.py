"""VirTex: a visual backbone that learns by writing captions."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from imrep import checks, codecheck, weights
from imrep.base import Evaluation, Examples, Learned, Recipe, TrainingImages
from imrep.base.supervised import take_saved
from imrep.codes import Map
from imrep.drawing import draw, strongest
from imrep.errors import BadData, BadParameter
from imrep.io.names import as_path
from imrep.networks import inputs
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.language.virtex import (
    captioning,
    checkpoint,
    parameters,
    pretraining,
    training,
)
from imrep.represent.language.virtex.captioning import Caption, Search
from imrep.represent.language.virtex.pictures import draw_words
from imrep.represent.language.virtex.textual import LinearHead, TextualHead
from imrep.represent.language.virtex.tokens import Tokens
from imrep.represent.language.virtex.visual import MEAN, STD, VisualBackbone
from imrep.types import Image, Picture, Progress, Vectors
from imrep.weights import described, strict

_NAMED = ("published", "random")


class VirTex(Learned[Map]):
    """Maps of a residual network that was trained by captioning images, and their captions.

    The network's last map is projected to the positions that two decoders attend to: one predicts
    each word of a caption from those before it, the other from those after it. They share the
    projection, the words' vectors and, tied to these, the output. The code is the map, the vector
    its mean over positions; `caption` writes what the first decoder reads in it.

    Files of the authors are read as they are (weights alone, nothing is run): complete models, and
    their backbone, which writes no captions. The SentencePiece model of their words is a file of
    its own (`coco_10k.model` in their repository): `tokenizer` names it, or it lies beside the
    weights. `imrep train virtex captions.csv` learns tokens and weights from captions of one's
    own, and saves both.

    Departs from the authors' code: an image without a word has no loss of token classification,
    where theirs is NaN; beam search keeps [SOS] unless `official_quirk` is set.

    Args:
        weights: "published" (bicaptioning on COCO, of width 2048, from the cache or with
            --download), "random", or a file or folder of trained ones, which determine the network.
        arch: The backbone: a residual network of torchvision; resnet8, 14, 20, 32 or 56, He et
            al.'s for small images, with a map of a quarter of the side; or any other network of
            timm or torchvision that gives maps.
        side: Height and width that images are resized to, in pixels.
        task: What is learned: "bicaptioning"; "captioning" forwards alone; "token-classification",
            the set of a caption's words; "multilabel-classification", the set of an image's labels;
            "masked-lm", words that were masked; "none" for a backbone alone.
        decoder: "transformer", or "recurrent", the earlier form.
        layers: Of each transformer (L).
        hidden: Width of all vectors of the textual head (H).
        heads: Of each attention (A); 0 for one per 64 of `hidden`.
        feedforward: Width within the feed-forward networks (F); 0 for four times `hidden`.
        norm_first: Whether layer norm comes before each part of a transformer, not after its sum.
        cell: Of the recurrent decoder: "gru" or "lstm".
        context: Of the recurrent decoder: "attention" (additive, anew for each word), or "last",
            one vector, the last state of a network that reads the positions row by row.
        vocabulary: Number of tokens; training sets it to what the captions have, at most this.
        max_length: Tokens of a caption, at most.
        classes: Labels of multilabel classification; training sets it.
        dropout: Share of each vector of the textual head that is dropped in training.
        tokenizer: Path of a SentencePiece model; none for that of the weights.
        show: What `picture` draws: "map", or "words", the alignment with each word of the caption.

    References:
        K. Desai and J. Johnson, "VirTex: Learning visual representations from textual annotations",
        CVPR 2021. doi:10.1109/CVPR46437.2021.01101

        D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align
        and translate", ICLR 2015. arXiv:1409.0473

    Example:
        >>> import torch, imrep
        >>> virtex = imrep.get("virtex:weights=random,arch=resnet8,side=32,hidden=16,vocabulary=40")
        >>> virtex.encode(torch.rand(2, 3, 48, 64)).values.shape
        torch.Size([2, 64, 8, 8])
        >>> virtex.embed(torch.rand(2, 3, 48, 64)).shape
        torch.Size([2, 64])
    """

    card = Card(
        title="VirTex",
        family="language",
        cite="Desai and Johnson 2021, doi:10.1109/CVPR46437.2021.01101",
        dtype="float32",
        weights="required",
        extra="virtex",
    )
    example = "virtex:weights=random,arch=resnet8,side=32,hidden=16,heads=2,vocabulary=40"
    recipe = Recipe(learning_rate=2e-3, weight_decay=1e-2, size=224, clip=10.0)
    recipes: ClassVar[Mapping[str, Recipe]] = {
        # The authors': 0.2 for the backbone, 0.001 for the textual head.
        "paper": Recipe(
            optimiser="sgd",
            learning_rate=0.2,
            weight_decay=1e-4,
            warmup=0.02,
            clip=10.0,
            batch=256,
            steps=500_000,
            size=224,
            rates="textual=0.005",
            lookahead=5,
        )
    }

    def __init__(  # noqa: PLR0913  # the network, its decoder and its task
        self,
        *,
        weights: str = "published",
        arch: str = "resnet50",
        side: int = 224,
        task: str = "bicaptioning",
        decoder: str = "transformer",
        layers: int = 1,
        hidden: int = 1024,
        heads: int = 0,
        feedforward: int = 0,
        norm_first: bool = False,
        cell: str = "gru",
        context: str = "attention",
        vocabulary: int = 10000,
        max_length: int = 30,
        classes: int = 80,
        dropout: float = 0.1,
        tokenizer: str = "",
        show: str = "map",
    ) -> None:
        super().__init__()
        self.weights, self.arch, self.side, self.task = weights, arch, side, task
        self.decoder, self.layers, self.hidden, self.heads = decoder, layers, hidden, heads
        self.feedforward, self.norm_first = feedforward, norm_first
        self.cell, self.context = cell, context
        self.vocabulary, self.max_length, self.classes = vocabulary, max_length, classes
        self.dropout, self.tokenizer, self.show = dropout, tokenizer, show
        self._build()

    def encode(self, image: Image) -> Map:
        """The last map of the backbone, (batch, channel, side / stride, side / stride)."""
        checks.image(image, self.name)
        return Map(self.visual(self._normalised(image)), (image.shape[2], image.shape[3]))

    def pool(self, code: Map) -> Vectors:
        """The mean of each channel."""
        return code.values.mean((2, 3))

    def caption(
        self,
        image: Image,
        *,
        count: int = 1,
        beam: int = 5,
        nucleus: float = 0.0,
        official_quirk: bool = False,
        seed: int = 0,
    ) -> list[list[Caption]]:
        """Captions of each image with their log-probabilities, the most probable first.

        Args:
            image: (b, 1|3, h, w), values in [0, 1].
            count: Captions of an image; fewer where several are the same text.
            beam: Captions that beam search follows side by side.
            nucleus: Probability, in sum, of the tokens that nucleus sampling draws from, such as
                0.9; 0 for beam search.
            official_quirk: Whether beam search leaves [SOS] out after the first token, as the
                authors' does.
            seed: Of nucleus sampling.

        Raises:
            BadParameter: It has no decoder or no tokenizer, or a number is out of its range.
        """
        head, _ = self._speaking(), self.tokens.count
        search = Search(beam, nucleus, official_quirk, seed)
        with torch.no_grad():
            maps = self.encode(image).values
        captions = captioning.decode(head, maps, search, count, self.name)
        return captioning.texts(captions, self.tokens)

    def words(self, code: Map, search: Search = Search()) -> list[list[tuple[str, Tensor]]]:  # noqa: B008
        """Of each image the words of its caption, each with the weights (h, w) of the positions.

        Raises:
            BadParameter: It has no decoder with an alignment, or no tokenizer.
        """
        head, caller = self._speaking(), self.name
        images = code.values.split(1)
        return [captioning.words(head, maps, self.tokens, search, caller) for maps in images]

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The 64 maps that vary most; or the alignment with each word of the caption.

        Raises:
            BadParameter: It has no words to show.
        """
        if self.show == "map":
            return draw(Map(strongest(code.values.detach()), code.size))
        return draw_words(self.words(code), code.size, image)

    def check_code(self, code: Map) -> None:
        """Refuse the map of another backbone."""
        grid = self.visual.grid(self.side)
        codecheck.maps(code.values, self.name, [self.visual.channels], (grid, grid))

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The loss of the task.

        Args:
            batch: `image` (b, c, h, w) in [0, 1]; `caption_tokens` (b, t), padded with 0 on the
                right, and `caption_length` (b,); of multilabel classification `labels` (b, n),
                classes from 1, padded with -1.

        Raises:
            BadData: There are no captions, or no labels.
        """
        needed = "labels" if self.task == pretraining.CLASSIFYING[1] else "caption_tokens"
        if needed not in batch or self.textual is None:
            raise BadData(
                f"{self.name} needs {needed.replace('_', ' ')} to be trained, got none. Give a "
                "table with columns path and caption."
            )
        self.visual.train(self.training)
        self.textual.train(self.training)
        try:
            maps = self.visual(self._normalised(batch["image"]))
            return pretraining.loss(self.task, self.textual, maps, batch)
        finally:
            self.visual.eval()
            self.textual.eval()

    @classmethod
    def annotated(cls, data: str, progress: Progress | None = None) -> Any:
        """The images with their captions; labelled images, without, for multilabel classification.

        Raises:
            BadData: There are neither captions nor labels, or a line is wrong.
        """
        return training.find(data)

    def begin_training(self, images: TrainingImages, rows: Sequence[int]) -> None:
        """Learn the tokens from the captions of these rows, or count the labels of all images.

        Raises:
            BadData: There are no captions, or no labels.
        """
        if self.task == pretraining.CLASSIFYING[1]:
            if self.weights == "random":
                self._rebuild(classes=len(training.classes_of(images.items, self.name)))
            return
        texts = training.texts(images, rows, self.name)
        if self.weights == "random" and not self.tokens.ready:
            tokens = Tokens(self.name)
            tokens.train_on([text for group in texts for text in group], self.vocabulary)
            self._rebuild(vocabulary=tokens.count)
            self.tokens.model = tokens.model

    def training_examples(self, images: TrainingImages) -> Examples:
        """Images with a caption as tokens, or with the set of their labels."""
        if self.task == pretraining.CLASSIFYING[1]:
            return training.label_examples(images.pixels, images.items, self.name)
        texts = training.texts(images, range(len(images.items)), self.name)
        return training.CaptionExamples.of(images.pixels, texts, self.tokens, self.max_length)

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation | None:
        """How well the next word is predicted; None of tasks without a next word."""
        if not isinstance(self.textual, TextualHead) or self.task not in pretraining.TASKS[:2]:
            return None
        return captioning.evaluation(self.textual, self._maps, batches)

    def export_detectron2(self, path: str | Path) -> Path:
        """Write the backbone as a .pth file that Detectron2 reads, and return its path.

        Raises:
            BadParameter: The name does not end in .pth, or the backbone is not torchvision's.
        """
        path = as_path(path, "export_detectron2", "a file", empty=False)
        checkpoint.write_detectron2(self.visual, path)
        return path

    def train(self, mode: bool = True) -> "VirTex":
        """In training mode weights have gradients; vectors are the same in either."""
        super().train(False)
        self.training = mode
        return self.requires_grad_(mode)

    def load_weights(self, folder: str | Path) -> "VirTex":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: They are another network's, or there are none.
        """
        file = Path(folder) / "weights.safetensors"
        if not file.is_file():
            raise BadParameter(f"{self.spec} cannot load {file.name}: {file} is no file.")
        self._fill(checkpoint.read(str(file), self.name))
        fingerprint = str(described(file, self.name).config.get("fingerprint", ""))
        weights.rename(self, (*_NAMED, str(folder)), fingerprint)
        return self

    def _build(self) -> None:
        content = None
        if self.weights not in _NAMED:
            config = described(self.weights, self.name).config
            content = checkpoint.read(self.weights, self.name)
            if "spec" in config:
                take_saved(self, config["spec"], parameters.FIXED)
            else:
                self._take(content.params)
        elif self.weights == "published":
            content = checkpoint.published(self.name)
            self._take(content.params)
        parameters.check(self)
        self.canvas = self.side
        self.visual = weights.seeded(lambda: VisualBackbone(self.arch, self.name))
        self.visual = self.visual.to(memory_format=torch.channels_last)
        self.textual = self._new_head()
        self.tokens = Tokens(self.name)
        if content is not None:
            self._fill(content)
        self._read_tokenizer()
        self.eval()

    def _new_head(self) -> TextualHead | LinearHead | None:
        channels = self.visual.channels
        if self.task == parameters.NO_HEAD:
            return None
        if self.task in pretraining.CLASSIFYING:
            return weights.seeded(lambda: LinearHead(channels, parameters.outputs(self)))
        return weights.seeded(lambda: TextualHead(parameters.sizes(self, channels)))

    def _rebuild(self, **params: Any) -> None:
        """Build it anew, at random weights, in the same mode and place."""
        mode, device = self.training, next(self.parameters()).device
        if any(getattr(self, key) != value for key, value in params.items()):
            self.set_params(**params)
            self.to(device).train(mode)

    def _take(self, params: Mapping[str, Any]) -> None:
        """Set parameters that weights determine, where the caller set none."""
        for key, value in params.items():
            default = self._signature()[key].default
            of_labels = key == "classes" and self.task != pretraining.CLASSIFYING[1]
            if getattr(self, key) in (default, value) and not of_labels:
                setattr(self, key, value)

    def _fill(self, content: checkpoint.Content) -> None:
        """Load all weights, or none; a tokenizer may be missing."""
        of_tokens = {key: t for key, t in content.state.items() if key.startswith("tokens.")}
        network = {key: t for key, t in content.state.items() if key not in of_tokens}
        own = {key: t for key, t in self.state_dict().items() if not key.startswith("tokens.")}
        state = strict.fit(network, own, self.arch, self.name)
        self.load_state_dict({**state, **of_tokens}, strict=False)

    def _read_tokenizer(self) -> None:
        path: str | Path | None = self.tokenizer
        if not path and not self.tokens.ready and self.weights not in _NAMED:
            path = checkpoint.tokenizer_beside(self.weights)
        if path:
            self.tokens.read(path)
            parameters.check_tokens(self, self.tokens.count)

    def _normalised(self, image: Image) -> Tensor:
        dtype = next(self.visual.parameters()).dtype
        return inputs.normalised(image, side=self.side, gray=False, mean=MEAN, std=STD, dtype=dtype)

    def _maps(self, image: Image) -> Tensor:
        return self.visual(self._normalised(image))

    def _speaking(self) -> TextualHead:
        if isinstance(self.textual, TextualHead) and self.task != pretraining.TASKS[4]:
            return self.textual
        raise BadParameter(
            f"{self.name} needs a decoder of captions, got task={self.task}, which has none. Train "
            "it with task=bicaptioning, or pass other weights."
        )

    def _fingerprint_params(self) -> dict[str, Any]:
        """Weights by their digest; what a picture shows and the tokenizer's path are left out."""
        named = self.weights
        if named not in _NAMED:
            named = weights.digest(self.state_dict())
        return {**self.get_params(), "weights": named, "show": "map", "tokenizer": ""}

    def _blank_spec(self) -> str:
        params = {**self.get_params(), "weights": "random", "tokenizer": ""}
        return specs.write(self.name, params)
