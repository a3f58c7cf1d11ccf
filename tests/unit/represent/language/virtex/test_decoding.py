"""Beam search and nucleus sampling: the authors' captions, the cache, what a search promises."""

import itertools

import pytest
import torch
from caption_fixture import head, official_head

from imrep.represent.language.virtex.decoding import beam_search, nucleus_sampling
from imrep.represent.language.virtex.tokens import END, START

MAPS = torch.randn(3, 16, 3, 4, generator=torch.Generator().manual_seed(0))


class Uncached:
    """A head that computes every token anew at each step."""

    def __init__(self, made):
        self.made = made

    def start(self, maps):
        return Words(maps, torch.empty(len(maps), 0, dtype=torch.long))

    def step(self, tokens, progress):
        words = torch.cat([progress.words, tokens[:, None]], 1)
        maps = progress.maps.repeat_interleave(len(words) // len(progress.maps), 0)
        lengths = torch.full((len(words),), words.shape[1])
        return self.made(maps, words, lengths)[:, -1], Words(progress.maps, words)


class Words:
    def __init__(self, maps, words):
        self.maps, self.words = maps, words

    def select(self, rows):
        return Words(self.maps, self.words[rows])

    def forgetting(self):
        return Words(self.maps, torch.empty(len(self.maps), 0, dtype=torch.long))


def test_captions_of_the_authors(refs):
    stored = torch.load(refs / "learned" / "virtex_tiny_postnorm.pt", weights_only=True)
    made = official_head(stored)
    with torch.no_grad():
        captions = beam_search(
            made, stored["visual_features"], beam=3, length=12, official_quirk=True
        )
    assert torch.equal(captions.tokens[:, 0], stored["beam3_predictions"])


@pytest.mark.parametrize("quirk", [False, True])
@pytest.mark.parametrize("changes", [{}, {"norm_first": True}, {"cell": "gru"}, {"cell": "lstm"}])
def test_the_cache_changes_no_token(changes, quirk):
    made = head(**changes)
    more = {"beam": 4, "length": 14, "official_quirk": quirk}
    with torch.no_grad():
        fast, slow = (beam_search(each, MAPS, **more) for each in (made, Uncached(made)))
    assert torch.equal(fast.tokens, slow.tokens)
    assert torch.allclose(fast.scores, slow.scores, atol=1e-3)


@torch.no_grad()
def score(made, maps, caption):
    """Log-probability of a caption under the rules of the search."""
    total, last, progress = 0.0, START, made.start(maps)
    for position, token in enumerate(caption):
        logits, progress = made.step(torch.tensor([last]), progress)
        logs = logits.log_softmax(1)
        if position:
            logs[0, last] = -10_000
        total += float(logs[0, token])
        last = token
        if token == END:
            break
    return total


@torch.no_grad()
def test_a_wide_beam_meets_the_best_caption():
    made = head(vocabulary=12)
    captions = beam_search(made, MAPS[:1], beam=12, per_node=12, length=2)
    pairs = [c for c in itertools.product(range(12), repeat=2) if c[0] != END or c[1] == END]
    best = max(score(made, MAPS[:1], pair) for pair in pairs)
    assert float(captions.scores[0, 0]) == pytest.approx(best, abs=1e-4)


@torch.no_grad()
def test_scores_are_those_of_the_captions():
    made = head()
    captions = beam_search(made, MAPS, beam=3, length=8)
    assert captions.tokens.shape[:2] == (3, 3)
    for i, row in itertools.product(range(3), range(3)):
        expected = score(made, MAPS[i : i + 1], captions.tokens[i, row].tolist())
        assert float(captions.scores[i, row]) == pytest.approx(expected, abs=1e-3)
    assert bool((captions.scores.diff(dim=1) <= 0).all())


def test_after_the_end_there_is_only_the_end():
    for captions in (
        beam_search(head(), MAPS, beam=5, length=20),
        nucleus_sampling(head(), MAPS, mass=0.9, count=4, length=20),
    ):
        ended = (captions.tokens == END).cummax(2).values
        assert bool((captions.tokens[ended] == END).all())


def test_no_token_is_repeated_at_once():
    captions = beam_search(head(), MAPS, beam=5, length=20)
    repeated = captions.tokens[..., 1:] == captions.tokens[..., :-1]
    assert bool((captions.tokens[..., 1:][repeated] == END).all())


def test_a_small_nucleus_is_greedy():
    made = head()
    sampled = nucleus_sampling(made, MAPS, mass=1e-9, length=6)
    progress, last = made.start(MAPS), torch.full((3,), START)
    for position in range(sampled.tokens.shape[2]):
        logits, progress = made.step(last, progress)
        alive = last != END
        logits.scatter_(1, last[:, None], -torch.inf)
        last = logits.argmax(1).where(alive, END)
        assert torch.equal(sampled.tokens[:, 0, position], last)


def test_sampling_follows_its_generator():
    made = head()

    def sample(seed):
        generator = torch.Generator().manual_seed(seed)
        return nucleus_sampling(made, MAPS, count=3, generator=generator).tokens

    assert torch.equal(sample(0), sample(0))
    assert not torch.equal(sample(0), sample(1))


def test_the_nucleus_holds_its_mass():
    """Of two tokens with 0.6 and 0.4 a nucleus of 0.5 draws the first, one of 0.7 both."""

    class Two:
        def start(self, maps):
            return Words(maps, torch.empty(len(maps), 0, dtype=torch.long))

        def step(self, tokens, progress):
            logits = torch.full((len(tokens), 8), -torch.inf)
            logits[:, 5], logits[:, 6] = torch.tensor([0.6, 0.4]).log()
            return logits, progress

    samples = [nucleus_sampling(Two(), MAPS, mass=m, count=64, length=1).tokens for m in (0.5, 0.7)]
    assert set(samples[0].flatten().tolist()) == {5}
    assert set(samples[1].flatten().tolist()) == {5, 6}
