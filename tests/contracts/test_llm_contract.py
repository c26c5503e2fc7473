"""What every language model promises, run on each implementation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import extractor.llm
from extractor.answers import grammar, read_answer
from extractor.llm import LLM, Ask, ModelError, ScriptedLLM, open_llm
from extractor.local_llm import ABOUT, LocalLLM
from extractor.prompt import COMPACT, prompt, windows
from tests.tiny_models import write_random_llama

NOTE = 'PMH: "gout", asthma.\nDenies chest pain.\n' + "no pain " * 20


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from extractor.small_tokenizer import train_tokenizer

    folder = write_random_llama(
        tmp_path_factory.mktemp("tiny"), train_tokenizer([NOTE] * 4, 600), window=512
    )
    (folder / ABOUT).write_text('{"prompt": "compact-1"}', encoding="utf-8")
    return folder


IMPLEMENTATIONS: dict[str, Callable[[Path], LLM]] = {
    "ScriptedLLM": lambda _: ScriptedLLM({"gout": "[]"}),
    "LocalLLM": lambda tiny: open_llm(tiny, batch=2),
}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def llm(request: pytest.FixtureRequest, tiny: Path) -> LLM:
    return IMPLEMENTATIONS[request.param](tiny)


def test_no_implementation_is_left_out() -> None:
    here = {name for name in vars(extractor.llm) if name.endswith("LLM") and name != "LLM"}
    assert here | {LocalLLM.__name__} == set(IMPLEMENTATIONS)


def test_an_answer_depends_on_its_own_prompt_alone(llm: LLM) -> None:
    asks = [Ask(prompt(w, llm.form), grammar(w, llm.form)) for w in windows(NOTE)]
    together = llm.complete(asks, 12)
    assert [llm.complete([ask], 12)[0] for ask in asks] == together
    assert llm.complete(list(reversed(asks)), 12) == list(reversed(together))
    assert llm.complete([], 12) == []


def test_probabilities_sum_to_one_and_depend_on_their_own_prompt_alone(llm: LLM) -> None:
    prompts = ["short", "a rather longer prompt", "x"]
    chances = llm.choose(prompts, [" yes", " no"])
    for prompt_, row in zip(prompts, chances, strict=True):
        assert sum(row) == pytest.approx(1)
        assert llm.choose([prompt_], [" yes", " no"])[0] == pytest.approx(row, abs=1e-5)


def test_answers_that_begin_alike_are_refused(llm: LLM) -> None:
    with pytest.raises(ValueError, match="same token"):
        llm.choose(["x"], ["no", "no"])


def test_versions_name_the_weights(tiny: Path) -> None:
    assert LocalLLM.open(tiny).version == LocalLLM.open(tiny).version
    assert "@" in LocalLLM.open(tiny).version


def test_even_noise_obeys_the_grammar_and_a_cut_answer_is_told(tiny: Path) -> None:
    """Each answer is JSON of quotes in the window's own words, or is marked as cut."""
    model = LocalLLM.open(tiny, batch=8)
    for limit in (3, 400):
        for window in windows(NOTE):
            (said,) = model.complete(
                [Ask(prompt(window, COMPACT), grammar(window, COMPACT))], limit
            )
            if said.truncated:
                assert limit == 3
            else:
                for item in read_answer(said.text):
                    assert item.quote.strip() in window.text


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model there"):
        open_llm(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"safetensors.*gguf"):
        open_llm(tmp_path)
