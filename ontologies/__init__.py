"""What a concept is, where vocabularies come from, and how concepts are found in text."""

from ontologies.concept import Concept, Name, Vocabulary
from ontologies.linker import Linker, Mention, Seed, open_linker

__all__ = ["Concept", "Linker", "Mention", "Name", "Seed", "Vocabulary", "open_linker"]
