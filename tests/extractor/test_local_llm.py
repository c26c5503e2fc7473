"""Models on this machine: what prompts share is read once; an adapter finds its own base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extractor.answers import grammar
from extractor.finetune import fit_adapter
from extractor.llm import Ask, ModelError
from extractor.local_llm import LocalLLM
from extractor.prompt import COMPACT, prompt, windows
from extractor.reader import SMALL
from extractor.tuning_texts import Tuning, TuningData
from tests.extractor.test_finetune import shorthand

SHARED = " history:\n She was seen at home by a nurse, who wrote what follows.\n" * 4


def asks(*texts: str) -> list[Ask]:
    made = [windows(text)[0] for text in texts]
    return [Ask(SHARED + prompt(w, COMPACT), grammar(w, COMPACT)) for w in made]


def test_an_answer_is_the_same_whatever_stands_beside_its_prompt() -> None:
    llm = LocalLLM.open(SMALL)
    given = asks("No chest pain.", "Asthma and gout since 2012, takes aspirin.", "Well.")
    together = llm.complete(given, 64)
    assert together == [llm.complete([ask], 64)[0] for ask in given]
    assert "chest pain" in together[0].text


def test_what_prompts_begin_with_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = LocalLLM.open(SMALL)
    shapes = []
    forward = llm._model.forward

    def recording(**given: object) -> object:
        shapes.append(tuple(given["input_ids"].shape))  # type: ignore[attr-defined]
        return forward(**given)

    monkeypatch.setattr(llm._model, "forward", recording)
    llm.complete(asks("No chest pain.", "Asthma."), 4)
    assert shapes[0][0] == 1
    assert shapes[0][1] > 60
    assert shapes[1][0] == 2
    assert shapes[1][1] < 20


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    few = TuningData((shorthand(1), shorthand(2)))
    fit_adapter(SMALL, few, few, folder, Tuning(rank=2, epochs=1, texts=2, checked=1, batch=2))
    return folder


def told(folder: Path, **changes: object) -> None:
    file = folder / "medweave.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **changes}))


def test_an_adapter_finds_its_base_in_an_installed_package(adapter: Path) -> None:
    told(adapter, base="package:extractor.weights.small")
    assert LocalLLM.open(adapter).form == COMPACT
    told(adapter, base="package:no_such_package")
    with pytest.raises(ModelError, match="package no_such_package, which is not installed"):
        LocalLLM.open(adapter)


def test_an_adapter_is_not_put_on_other_weights(adapter: Path) -> None:
    told(adapter, base=str(SMALL), base_digest="0" * 12)
    with pytest.raises(ModelError, match="not those that it was fitted on"):
        LocalLLM.open(adapter)
