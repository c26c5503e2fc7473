"""Compiling a vocabulary's names once, and finding the result again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ontologies.kinds import concept_rows
from ontologies.lexicon import LEXICON_VERSION, Compiler, Lexicon, NameRow, compiler_of
from ontologies.name_forms import LEARNED, NOTES, OPEN, SCOPES
from ontologies.normalize import NORMALIZE_VERSION

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

SOURCES: Final = (
    "MESH", "MEDIC", "MONDO", "HP", "HGNC", "DRUGBANK", "LEARNED",
    "DOID", "NCIT", "ORPHA", "ICD10CM", "ICD9CM", "MAPPING",
)  # fmt: skip
"""Sources with a bit of their own, in the order of the bits; all others share the next one."""

LearnedName = tuple[str, str]
"""A name from a training corpus, and the CURIE that it was marked with."""


def source_bit(source: str) -> int:
    """The bit that stands for a source of names."""
    return 1 << (SOURCES.index(source) if source in SOURCES else len(SOURCES))


def _vocabulary_names(vocabulary: Vocabulary) -> Iterator[NameRow]:
    bits: dict[str, int] = {}
    for block in vocabulary.names_table().to_batches(max_chunksize=100_000):
        columns = (
            block[name].to_pylist() for name in ("concept", "text", "source", "scope", "notes_only")
        )
        for concept, text, source, scope, notes_only in zip(*columns, strict=True):
            bit = bits.setdefault(source, source_bit(source))
            flags = (1 << SCOPES.index(scope)) | (NOTES if notes_only else OPEN)
            yield NameRow(concept, text, flags, bit)


def _learned_names(vocabulary: Vocabulary, learned: Sequence[LearnedName]) -> Iterator[NameRow]:
    bit = source_bit("LEARNED")
    for text, curie in learned:
        concept = vocabulary.resolve(curie)
        if concept is not None:
            yield NameRow(vocabulary.row(concept), text, LEARNED | OPEN, bit)


def vocabulary_compiler(vocabulary: Vocabulary) -> Compiler:
    """A compiler that has taken in the names that a vocabulary gives."""
    return compiler_of(_vocabulary_names(vocabulary), concept_rows(vocabulary))


def with_learned(
    compiler: Compiler, vocabulary: Vocabulary, learned: Sequence[LearnedName]
) -> Lexicon:
    """The lexicon of a vocabulary's compiler and of the learned names whose ids it holds."""
    branch = compiler.branch()
    branch.add(_learned_names(vocabulary, learned))
    return branch.lexicon()


def compile_lexicon(vocabulary: Vocabulary, learned: Sequence[LearnedName] = ()) -> Lexicon:
    """The lexicon of a vocabulary and of the learned names whose ids it holds, in memory."""
    return with_learned(vocabulary_compiler(vocabulary), vocabulary, learned)


def _address(vocabulary: Vocabulary, learned: Sequence[LearnedName]) -> str:
    names = sha256("\n".join("\t".join(pair) for pair in learned).encode()).hexdigest()
    version = f"{NORMALIZE_VERSION}.{LEXICON_VERSION}"
    return f"lexicon-{version}-{vocabulary.digest[:16]}-{names[:12]}"


def _places(vocabulary: Vocabulary, address: str) -> Iterator[Path]:
    if vocabulary.directory is not None:
        yield vocabulary.directory / address
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    yield Path(cache) / "medweave" / address


def compiled_lexicon(vocabulary: Vocabulary, learned: Sequence[LearnedName]) -> Lexicon:
    """The compiled lexicon, from where it was kept or compiled and kept now.

    It is kept beside the vocabulary, or in the user's cache where that cannot be written. A
    vocabulary that lives in memory only is compiled in memory.
    """
    if vocabulary.directory is None:
        return compile_lexicon(vocabulary, learned)
    places = list(_places(vocabulary, _address(vocabulary, learned)))
    for place in places:
        if Lexicon.is_whole(place):
            return Lexicon.load(place)
    lexicon = compile_lexicon(vocabulary, learned)
    for place in places:
        if _kept(lexicon, place):
            return Lexicon.load(place)
    return lexicon


def _kept(lexicon: Lexicon, place: Path) -> bool:
    """Write a lexicon whole or not at all; another process may have been faster.

    A folder of that name that is not whole (a copy that broke off) is replaced.
    """
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
    except OSError:
        return False
    try:
        lexicon.save(beside)
        if place.is_dir() and not Lexicon.is_whole(place):
            shutil.rmtree(place)
        beside.rename(place)
    except OSError:
        return Lexicon.is_whole(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True
