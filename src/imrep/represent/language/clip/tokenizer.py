"""Texts as the model reads them: the tokens that its weights were trained with, and no other."""

import functools
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep.errors import BadParameter, ExtraNeeded, WeightsNeeded, short_repr
from imrep.io import digests
from imrep.represent.language.clip.configuration import Sizes, open_clip

_BPE = 49408  # tokens of CLIP's own vocabulary
_QUOTED = 40  # characters of a text in a message


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary and a length; what it holds is small, so that copies are cheap.

    Args:
        context: Tokens of a text, in which both ends are counted.
        vocabulary: Number of tokens.
        content: A tokenizer.json, of the weights; "" for the byte pairs of CLIP.
        cleaning: How texts are cleaned before, in open_clip's words.
        repository: Of the hub, where a tokenizer.json lies that is not at hand; "" if none does.
    """

    context: int
    vocabulary: int = _BPE
    content: str = ""
    cleaning: str = "lower"
    repository: str = ""

    @classmethod
    def published(cls, sizes: Sizes, caller: str) -> "Tokenizer":
        """That of published weights: of CLIP, or of a file in the hub's cache."""
        text = sizes["text_cfg"]
        repository = str(text.get("hf_tokenizer_name") or "")
        content = _cached(repository) if repository else ""
        return cls.of(sizes, content, repository)

    @classmethod
    def beside(cls, file: Path | None, sizes: Sizes) -> "Tokenizer":
        """That of a folder of weights, if it holds one and does not use CLIP's."""
        text = sizes["text_cfg"]
        own = int(text.get("vocab_size", _BPE)) != _BPE and file is not None and file.is_file()
        content = file.read_text(encoding="utf-8") if own and file is not None else ""
        return cls.of(sizes, content, str(text.get("hf_tokenizer_name") or ""))

    @classmethod
    def of(cls, sizes: Sizes, content: str = "", repository: str = "") -> "Tokenizer":
        """That of a configuration, with a tokenizer.json where it is not CLIP's."""
        text = sizes["text_cfg"]
        options = text.get("tokenizer_kwargs") or {}
        vocabulary = int(text.get("vocab_size", _BPE))
        cleaning = str(options.get("clean") or ("lower" if vocabulary == _BPE else "canonicalize"))
        context = int(text.get("context_length", 77))
        return cls(context, vocabulary, content, cleaning, repository)

    @property
    def key(self) -> str:
        """All of it, for digests."""
        return f"{self.context} {self.vocabulary} {self.cleaning} {digests.digest(self.content)}"

    def ids(self, texts: Sequence[str], caller: str) -> Tensor:
        """The tokens of texts, (text, context), padded behind their end.

        A longer text is cut, with the token of the end as its last, and a warning says so.

        Raises:
            BadParameter: One is no text or holds no word, or the vocabulary is unknown.
            ExtraNeeded: A package is not installed.
            WeightsNeeded: The vocabulary is published, and not at hand.
        """
        check(texts, caller)
        rows, cut = self._rows(texts, caller)
        if cut:
            text = texts[cut[0]]
            quoted = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
            several = f"{len(cut)} of {len(texts)} texts are" if len(texts) > 1 else "a text is"
            warnings.warn(
                f"{caller} reads {self.context} tokens of a text, and {several} longer and cut: "
                f"{quoted!r}.",
                stacklevel=3,
            )
        return rows

    def _rows(self, texts: Sequence[str], caller: str) -> tuple[Tensor, list[int]]:
        if self.vocabulary == _BPE and not self.content:
            return _byte_pairs(caller).rows(texts, self.context)
        if not self.content:
            hint = f"Allow {self.repository} with --download, or p" if self.repository else "P"
            raise WeightsNeeded(
                f"{caller} needs the tokenizer.json of its weights to read texts, of "
                f"{self.vocabulary:,} tokens, and it is not beside them. {hint}ut it into their "
                "folder."
            )
        return _hugging(self.content, caller).rows(texts, self.context, self.cleaning)


def check(texts: Sequence[str], caller: str) -> None:
    """Refuse what are no texts with words.

    Raises:
        BadParameter: Naming the position of the first.
    """
    if isinstance(texts, str) or not isinstance(texts, Sequence) or not texts:
        raise BadParameter(
            f"{caller} needs a list of texts, got {short_repr(texts)}. Try ['a photo of a cat']."
        )
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadParameter(
                f"{caller} needs texts, got {short_repr(text)} at position {i}. Leave it out."
            )
        if not text.strip():
            raise BadParameter(
                f"{caller} needs words in every text, got {short_repr(text)} at position {i}. "
                "Leave it out."
            )


class _BytePairs:
    """CLIP's byte pairs."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def rows(self, texts: Sequence[str], context: int) -> tuple[Tensor, list[int]]:
        own, cut = torch.zeros(len(texts), context, dtype=torch.long), []
        start, end = self._tokenizer.sot_token_id, self._tokenizer.eot_token_id
        for i, text in enumerate(texts):
            tokens = [start, *self._tokenizer.encode(text), end]
            if len(tokens) > context:
                tokens = [*tokens[: context - 1], end]
                cut.append(i)
            own[i, : len(tokens)] = torch.tensor(tokens)
        return own, cut


class _Hugging:
    """A tokenizer.json, as SigLIP's weights have it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        names = ("<pad>", "[PAD]", "</s>")
        numbers = (tokenizer.token_to_id(name) for name in names)
        self._padding = next((number for number in numbers if number is not None), 0)

    def rows(self, texts: Sequence[str], context: int, cleaning: str) -> tuple[Tensor, list[int]]:
        from open_clip.tokenizer import get_clean_fn

        clean = get_clean_fn(cleaning)
        own = torch.full((len(texts), context), self._padding, dtype=torch.long)
        cut = []
        for i, encoded in enumerate(self._tokenizer.encode_batch([clean(text) for text in texts])):
            tokens = encoded.ids
            if len(tokens) > context:
                tokens = [*tokens[: context - 1], tokens[-1]]
                cut.append(i)
            own[i, : len(tokens)] = torch.tensor(tokens, dtype=torch.long)
        return own, cut


@functools.cache
def _byte_pairs(caller: str) -> _BytePairs:
    return _BytePairs(open_clip(caller).SimpleTokenizer())


@functools.lru_cache(maxsize=4)
def _hugging(content: str, caller: str) -> _Hugging:
    open_clip(caller)
    try:
        import tokenizers
    except ImportError as error:
        raise ExtraNeeded(
            f"{caller} needs the package tokenizers to read these texts. "
            "Try: pip install 'imrep[clip]'"
        ) from error
    try:
        json.loads(content)
        return _Hugging(tokenizers.Tokenizer.from_str(content))
    except Exception as error:  # the library raises plain ones
        reason = " ".join(str(error).split())[:120]
        raise BadParameter(f"{caller} cannot read the tokenizer.json: {reason}.") from error


def _cached(repository: str) -> str:
    """The tokenizer.json of a repository in the hub's cache; "" where it is not."""
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(repository, "tokenizer.json")
    return Path(file).read_text(encoding="utf-8") if isinstance(file, str) else ""
