"""A reader by rules over the starter vocabulary, opened once."""

from __future__ import annotations

import pytest

from extractor.rules import RuleReader
from ontologies import open_linker
from ontologies.starter_vocabulary import starter_vocabulary


@pytest.fixture(scope="session")
def rules() -> RuleReader:
    vocabulary = starter_vocabulary()
    return RuleReader(vocabulary, open_linker("lexicon", vocabulary, notes=True))
