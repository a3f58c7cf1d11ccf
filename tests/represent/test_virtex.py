"""VirTex: vectors, captions, pictures, losses of its tasks, what training learns."""

import json

import pytest
import torch
from caption_fixture import CAPTIONS, NEEDS_SENTENCEPIECE, SMALL, write
from training_fixture import NEEDS_LIGHTNING

import imrep
from imrep.datasets.captions import Captions
from imrep.errors import BadData, BadParameter
from imrep.represent.language.virtex.tokens import Tokens
from imrep.testing import photo

MORE = {"steps": 4, "batch": 4, "threads": 1, "augment": "flip"}
TASKS = ("bicaptioning", "captioning", "token-classification", "masked-lm")


class PowerCutError(Exception):
    """Ends a run, as a crash would."""


def spoken(spec=SMALL, **changes):
    """A model with random weights and tokens of the captions."""
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 60)
    rep = imrep.get(spec, **{"vocabulary": tokens.count, **changes})
    rep.tokens.model = tokens.model
    with torch.no_grad():  # larger weights, so that captions differ
        for parameter in rep.textual.parameters():
            parameter.mul_(6)
    return rep


def test_the_vector_is_the_mean_of_the_map():
    rep = imrep.get(SMALL)
    code = rep.encode(photo())
    assert code.values.shape[1:] == (64, 8, 8)
    assert torch.allclose(rep.embed(photo()), code.values.mean((2, 3)))


def test_the_decoder_does_not_change_the_vector():
    vectors = [imrep.get(SMALL, **more).embed(photo()) for more in ({}, {"decoder": "recurrent"})]
    assert torch.equal(*vectors)


@NEEDS_SENTENCEPIECE
class TestCaptions:
    @pytest.mark.parametrize(
        "changes", [{}, {"norm_first": True}, {"decoder": "recurrent"}, {"context": "last"}]
    )
    def test_several_in_the_order_of_their_scores(self, changes):
        captions = spoken(**changes).caption(photo(batch=2), count=4)
        assert len(captions) == 2
        for each in captions:
            scores = [caption.score for caption in each]
            assert scores == sorted(scores, reverse=True)
            assert len({caption.text for caption in each}) == len(each) <= 4

    def test_a_batch_is_a_loop(self):
        rep = spoken()
        together = rep.caption(photo(batch=2))
        alone = [rep.caption(photo(batch=2)[i : i + 1])[0] for i in range(2)]
        assert [each[0].text for each in together] == [each[0].text for each in alone]

    def test_sampling_follows_the_seed(self):
        rep = spoken()
        samples = [rep.caption(photo(), nucleus=0.9, count=5, seed=s) for s in (0, 0, 1)]
        assert samples[0] == samples[1] != samples[2]

    @pytest.mark.parametrize(
        "wrong", [{"count": 0}, {"count": 6}, {"beam": 0}, {"beam": 10**6}, {"nucleus": 1.5}]
    )
    def test_numbers_out_of_their_range_are_refused(self, wrong):
        with pytest.raises(BadParameter, match="virtex"):
            spoken().caption(photo(), **wrong)

    @pytest.mark.parametrize("task", ["token-classification", "masked-lm", "none"])
    def test_tasks_without_captions_say_so(self, task):
        rep = imrep.get(SMALL, task=task)
        with pytest.raises(BadParameter, match=task):
            rep.caption(photo())

    def test_words_are_drawn_over_the_image(self):
        rep = spoken(show="words")
        code = rep.encode(photo(batch=2))
        pictures = rep.picture(code, photo(batch=2))
        assert pictures.shape[:2] == (2, 3) and 0 <= pictures.min() <= pictures.max() <= 1
        words = rep.words(code)
        assert all(torch.isclose(w.sum(), torch.tensor(1.0)) for each in words for _, w in each)
        assert [" ".join(word for word, _ in each) for each in words] == [
            " ".join(each[0].text.split()) for each in rep.caption(photo(batch=2))
        ]

    def test_one_context_vector_has_no_words_to_show(self):
        rep = spoken(show="words", decoder="recurrent", context="last")
        with pytest.raises(BadParameter, match="context=attention"):
            rep.picture(rep.encode(photo()))

    def test_saved_it_writes_the_same_captions(self, tmp_path):
        rep = spoken()
        loaded = imrep.load(rep.save(tmp_path / "saved"))
        assert loaded.caption(photo(), count=3) == rep.caption(photo(), count=3)
        assert loaded.fingerprint == rep.fingerprint
        named = imrep.get(f"virtex:weights='{tmp_path / 'saved'}'")
        assert named.caption(photo(), count=3) == rep.caption(photo(), count=3)
        with pytest.raises(BadParameter, match="needs hidden=16"):
            imrep.get(f"virtex:weights='{tmp_path / 'saved'}',hidden=32")


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_gradient_for_the_backbone(task):
    rep = imrep.get(SMALL, task=task).train()
    tokens = torch.tensor([[1, 5, 6, 7, 2, 0], [1, 8, 2, 0, 0, 0]])
    batch = {
        "image": photo(batch=2),
        "caption_tokens": tokens,
        "caption_length": torch.tensor([5, 3]),
    }
    torch.manual_seed(0)
    rep.loss(batch).backward()
    assert rep.visual.cnn[0].weight.grad.abs().sum() > 0
    assert not rep.visual.training and not rep.textual.training
    with pytest.raises(BadData, match="caption tokens"):
        rep.loss({"image": photo(batch=2)})


def test_a_network_of_timm_is_a_backbone_and_is_saved(tmp_path):
    rep = imrep.get(SMALL, arch="test_resnet", side=64)
    code = rep.encode(photo())
    assert code.values.shape[1] == rep.dim == 96
    rep.check_code(code)
    loaded = imrep.load(rep.save(tmp_path / "saved"))
    assert loaded.fingerprint == rep.fingerprint
    torch.testing.assert_close(loaded.embed(photo()), rep.embed(photo()))


def test_labels_are_learned_without_captions():
    rep = imrep.get(SMALL, task="multilabel-classification", classes=4).train()
    rep.loss({"image": photo(batch=2), "labels": torch.tensor([[1, 4], [2, -1]])}).backward()
    assert rep.visual.cnn[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("arch=vgg17", "needs arch to be a network of timm or torchvision"),
        ("task=caption", "captioning"),
        ("hidden=30,heads=4", "heads that divide"),
        ("decoder=recurrent,task=masked-lm", "transformer"),
        ("vocabulary=4", "vocabulary"),
        ("context=mean", "context"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"virtex:weights=random,{params}")


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "data")


def test_captions_are_found_and_wrong_lines_named(table):
    dataset = imrep.represent.language.virtex.VirTex.annotated(str(table))
    assert isinstance(dataset.annotations, Captions)
    assert dataset.annotations.of("images/00.png") == CAPTIONS[:2]
    table.write_text("path,caption\nimages/00.png,a,b,c,d\n")
    with pytest.raises(BadData, match="line 2"):
        imrep.represent.language.virtex.VirTex.annotated(str(table))


@NEEDS_LIGHTNING
@NEEDS_SENTENCEPIECE
class TestTraining:
    @pytest.mark.parametrize("task", ["bicaptioning", "masked-lm"])
    def test_tokens_and_weights_are_saved(self, task, table, tmp_path):
        spec = f"{SMALL},task={task}".replace("vocabulary=60,", "")
        trained = imrep.train(str(table), spec, tmp_path / "run", **MORE)
        rep = imrep.load(trained.model)
        assert rep.tokens.count == rep.vocabulary < 10000
        assert rep.tokens.decode(rep.tokens.encode("a red square", 12)) == "a red square"
        if task in TASKS[:2]:
            assert set(trained.evaluation) == {"next token right", "perplexity"}
            assert rep.caption(photo())[0]

    def test_labels_of_folders_are_learned(self, table, tmp_path):
        folder = table.parent / "images"
        for i, path in enumerate(sorted(folder.glob("*.png"))):
            (folder / "ab"[i % 2]).mkdir(exist_ok=True)
            path.rename(folder / "ab"[i % 2] / path.name)
        spec = f"{SMALL},task=multilabel-classification"
        trained = imrep.train(str(folder), spec, tmp_path / "run", **MORE)
        assert json.loads((trained.model / "config.json").read_text())["spec"].count("classes=2,")

    def test_images_without_captions_are_refused(self, table, tmp_path):
        table.unlink()
        with pytest.raises(BadData, match="captions"):
            imrep.train(str(table.parent), SMALL, tmp_path / "run", **MORE)
        with pytest.raises(BadData, match="columns path and caption"):
            imrep.train(torch.rand(8, 3, 32, 32), SMALL, tmp_path / "run", **MORE)

    def test_a_run_that_was_cut_off_ends_like_an_unbroken_one(self, table, tmp_path):
        spec = SMALL.replace("vocabulary=60,", "")

        def cut(line, steps):
            if line.step == 2:
                raise PowerCutError

        unbroken = imrep.train(str(table), spec, tmp_path / "unbroken", **MORE)
        with pytest.raises(PowerCutError):
            imrep.train(str(table), spec, tmp_path / "cut", watch=cut, **MORE)
        resumed = imrep.train(str(table), spec, tmp_path / "cut", resume=True, **MORE)
        assert resumed.representation.fingerprint == unbroken.representation.fingerprint

    def test_a_saved_model_keeps_its_tokens_in_training(self, table, tmp_path):
        first = imrep.train(str(table), SMALL, tmp_path / "first", **MORE)
        other = table.with_name("other.csv")
        other.write_text(table.read_text().replace("circle", "zeppelin"))
        second = imrep.train(
            str(other), f"virtex:weights='{first.model}'", tmp_path / "second", **MORE
        )
        tokens = [run.representation.tokens.model for run in (first, second)]
        assert torch.equal(*tokens)
