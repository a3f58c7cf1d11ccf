"""Captions as tokens: SentencePiece's byte pairs of normalised text.

R. Sennrich, B. Haddow and A. Birch, "Neural machine translation of rare words with subword units",
ACL 2016. doi:10.18653/v1/P16-1162
T. Kudo and J. Richardson, "SentencePiece", EMNLP 2018. doi:10.18653/v1/D18-2012
"""

import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imrep.errors import BadData, BadParameter, ExtraNeeded

PAD, START, END, MASK = range(4)  # ids; that of padding is SentencePiece's <unk> as well
SPECIAL = 4  # number of these ids, which stand before those of the pieces
_SYMBOLS = ["[SOS]", "[EOS]", "[MASK]"]
_SIDES = re.compile(r"\b(left|right)(?=\b|most\b|wards?\b)")
_BUFFER = "model"
_MAX_BYTES = 2**27  # of a file of SentencePiece


def normalised(caption: str) -> str:
    """In lower case, decomposed (NFKD), without accents, each run of white space one space."""
    decomposed = unicodedata.normalize("NFKD", caption.lower())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.split())


def mirrored(caption: str) -> str:
    """The caption of the mirrored image: the words left and right are exchanged."""
    other = {"left": "right", "right": "left"}
    return _SIDES.sub(lambda match: other[match[0]], caption)


class Tokens(nn.Module):
    """SentencePiece's model, whose bytes are saved with the weights; empty until it has one.

    Args:
        caller: The name that messages start with.
    """

    model: Tensor

    def __init__(self, caller: str) -> None:
        super().__init__()
        self.caller = caller
        self.register_buffer(_BUFFER, torch.empty(0, dtype=torch.uint8))

    @property
    def ready(self) -> bool:
        """Whether it has a model."""
        return self.model.numel() > 0

    @property
    def count(self) -> int:
        """Number of ids."""
        return int(self._processor.get_piece_size())

    def read(self, path: str | Path) -> None:
        """Take the model of a file that SentencePiece wrote.

        Raises:
            BadParameter: It is none, or its special ids are not VirTex's.
        """
        file = Path(path)
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            raise BadParameter(
                f"{self.caller} needs a file of SentencePiece as its tokenizer, got {str(path)!r}. "
                "Pass the path of a .model file."
            )
        self._take(file.read_bytes(), file.name)

    def train_on(self, captions: Iterable[str], vocabulary: int) -> None:
        """Learn at most `vocabulary` ids from captions; the same captions give the same model.

        Raises:
            BadData: There are no words in them.
        """
        lines = [line for caption in captions if (line := normalised(caption))]
        characters = set("".join(lines)) - {" "}
        if not characters:
            raise BadData(f"{self.caller} needs captions with words to learn its tokens, got none.")
        needed = len(characters) + SPECIAL + 1  # and that of the space before a word
        stream = io.BytesIO()
        _library(self.caller).SentencePieceTrainer.Train(
            sentence_iterator=iter(lines),
            model_writer=stream,
            model_type="bpe",
            vocab_size=max(vocabulary, needed),
            hard_vocab_limit=False,
            character_coverage=1.0,
            unk_id=PAD,
            pad_id=-1,
            bos_id=-1,
            eos_id=-1,
            control_symbols=_SYMBOLS,
            num_threads=1,
            minloglevel=2,
        )
        self._take(stream.getvalue(), "what was learned")

    def encode(self, caption: str, length: int) -> list[int]:
        """[SOS], the pieces and [EOS], cut to `length` ids; the cut can take [EOS]."""
        pieces = self._processor.encode(normalised(caption))
        return [START, *pieces, END][:length]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text up to the first [EOS]."""
        ids = list(tokens)
        ids = ids[: ids.index(END)] if END in ids else ids
        return str(self._processor.decode([i for i in ids if i >= SPECIAL]))

    def words(self, tokens: Sequence[int]) -> list[tuple[str, list[int]]]:
        """Each word of the text, and the positions of its pieces among the tokens."""
        result: list[tuple[str, list[int]]] = []
        for position, token in enumerate(tokens):
            if token == END:
                break
            if token < SPECIAL:
                continue
            piece = str(self._processor.id_to_piece(int(token)))
            if piece.startswith("▁") or not result:
                result.append((piece.removeprefix("▁"), [position]))
            else:
                word, positions = result[-1]
                result[-1] = (word + piece, [*positions, position])
        return [pair for pair in result if pair[0]]

    @property
    def _processor(self) -> Any:
        if not self.ready:
            raise BadParameter(
                f"{self.caller} needs the SentencePiece model that its weights were trained with, "
                "got none. Put it beside them, or pass tokenizer=FILE."
            )
        return _loaded(self.model.cpu().numpy().tobytes(), self.caller)

    def _take(self, content: bytes, name: str) -> None:
        try:
            processor = _loaded(content, self.caller)
        except (RuntimeError, ValueError) as error:  # of SentencePiece
            raise BadParameter(
                f"{self.caller} cannot read a tokenizer from {name}: it is no model of "
                "SentencePiece. Pass the path of a .model file."
            ) from error
        symbols = [processor.piece_to_id(symbol) for symbol in _SYMBOLS]
        if processor.unk_id() != PAD or symbols != [START, END, MASK]:
            raise BadParameter(
                f"{self.caller} needs a tokenizer whose ids 0 to 3 are <unk>, [SOS], [EOS] and "
                f"[MASK], got {processor.unk_id()} and {symbols} in {name}. Train it with "
                "`imrep train`, or pass the one of the weights."
            )
        self.model = torch.frombuffer(bytearray(content), dtype=torch.uint8)

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *more: Any, **named: Any
    ) -> None:
        """Bytes of any number are taken."""
        content = state_dict.get(prefix + _BUFFER)
        if isinstance(content, Tensor):
            self.model = torch.empty_like(content, device=self.model.device)
        super()._load_from_state_dict(state_dict, prefix, *more, **named)


@lru_cache(maxsize=8)
def _loaded(content: bytes, caller: str) -> Any:
    """The processor of a model's bytes, of which copies of a representation share one."""
    return _library(caller).SentencePieceProcessor(model_proto=content)


def _library(caller: str) -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise ExtraNeeded(
            f"{caller} needs sentencepiece. Try: pip install 'imrep[virtex]'"
        ) from error
    return sentencepiece
