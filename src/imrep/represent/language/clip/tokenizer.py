"""Texts as the model reads them: the tokens that its weights were trained with, and no other."""

import contextlib
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
from imrep.io.files import write_text
from imrep.represent.language.clip.configuration import Sizes, open_clip
from imrep.weights import may_download

_BPE = 49408  # tokens of CLIP's own vocabulary
_FILES = ("tokenizer.json", "tokenizer_config.json")
_QUOTED = 40  # characters of a text in a message


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary and a length; what it holds is small, so that copies are cheap.

    Args:
        context: Tokens of a text, in which both ends are counted.
        vocabulary: Number of tokens.
        content: A tokenizer.json, of the weights; "" for the byte pairs of CLIP.
        padding: The token behind the end of a text of such a file; "" for the end itself.
        cleaning: How texts are cleaned before, in open_clip's words.
        repository: Of the hub, where a tokenizer.json lies that is not at hand; "" if none does.
    """

    context: int
    vocabulary: int = _BPE
    content: str = ""
    padding: str = ""
    cleaning: str = "lower"
    repository: str = ""

    @classmethod
    def published(cls, sizes: Sizes) -> "Tokenizer":
        """That of published weights: of CLIP, or of the hub's cache, filled where that may be."""
        repository = str(sizes["text_cfg"].get("hf_tokenizer_name") or "")
        content, options = (_fetched(repository, name) if repository else "" for name in _FILES)
        return cls.of(sizes, content, options, repository)

    @classmethod
    def beside(cls, folder: Path | None, sizes: Sizes) -> "Tokenizer":
        """That of a folder of weights, if it holds one and does not use CLIP's."""
        text = sizes["text_cfg"]
        own = int(text.get("vocab_size", _BPE)) != _BPE and folder is not None
        content, options = (
            _text(folder / name) if own and folder is not None else "" for name in _FILES
        )
        return cls.of(sizes, content, options, str(text.get("hf_tokenizer_name") or ""))

    @classmethod
    def of(
        cls, sizes: Sizes, content: str = "", options: str = "", repository: str = ""
    ) -> "Tokenizer":
        """That of a configuration, with a tokenizer.json and its options where it is not CLIP's."""
        text = sizes["text_cfg"]
        vocabulary = int(text.get("vocab_size", _BPE))
        cleaning = (text.get("tokenizer_kwargs") or {}).get("clean")
        cleaning = cleaning or ("lower" if vocabulary == _BPE else "canonicalize")
        context = int(text.get("context_length", 77))
        return cls(context, vocabulary, content, _padding(options), str(cleaning), repository)

    def save(self, folder: Path) -> None:
        """Write what `beside` reads."""
        if self.content:
            write_text(folder / _FILES[0], self.content)
            write_text(folder / _FILES[1], json.dumps({"pad_token": self.padding}) + "\n")

    @property
    def key(self) -> str:
        """All of it, for digests."""
        content = digests.digest(self.content)
        return f"{self.context} {self.vocabulary} {self.cleaning} {self.padding} {content}"

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
        return _hugging(self.content, caller).rows(texts, self)


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

    def rows(self, texts: Sequence[str], own: Tokenizer) -> tuple[Tensor, list[int]]:
        from open_clip.tokenizer import get_clean_fn

        clean = get_clean_fn(own.cleaning)
        encoded = self._tokenizer.encode_batch([clean(text) for text in texts])
        padding = self._tokenizer.token_to_id(own.padding) if own.padding else encoded[0].ids[-1]
        rows, cut = torch.full((len(texts), own.context), padding or 0, dtype=torch.long), []
        for i, each in enumerate(encoded):
            tokens = each.ids
            if len(tokens) > own.context:
                tokens = [*tokens[: own.context - 1], tokens[-1]]
                cut.append(i)
            rows[i, : len(tokens)] = torch.tensor(tokens, dtype=torch.long)
        return rows, cut


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


def _fetched(repository: str, name: str) -> str:
    """A file of a repository in the hub's cache; "" where it is not, nor may be downloaded."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    file = try_to_load_from_cache(repository, name)
    if not isinstance(file, str) and may_download():
        with contextlib.suppress(Exception):  # hubs raise arbitrary ones; its use is refused later
            file = hf_hub_download(repository, name)
    return _text(Path(file)) if isinstance(file, str) else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _padding(options: str) -> str:
    """The padding that a tokenizer_config.json names."""
    try:
        token = json.loads(options or "{}").get("pad_token") or ""
    except (ValueError, AttributeError):
        return ""
    return str(token.get("content", "") if isinstance(token, dict) else token)
