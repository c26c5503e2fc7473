"""Questions with known answers, made from PubMed XML.

Known-item search: a question is the title of an article, which is withheld when the graph is
built, so that only the abstract can answer it. A second set says one disease or phenotype of a
question in other words: by a synonym that shares no word with it.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from lxml import etree

from ontologies.concept import Vocabulary
from ontologies.semantic_types import groups_of
from retrieval.words import stems

MOST_WORDS = 6
"""Words of the longest name that is looked for in a question."""

SHORTEST = 5
"""Letters of the shortest name that is replaced or put in: shorter ones are mostly symbols."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'’ -]+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the PMIDs of the articles that answer it."""

    text: str
    pmids: tuple[int, ...]


def withhold_titles(source: Path, target: Path, pmids: Collection[int] | None = None) -> int:
    """Copy a PubMed XML file (gzipped or not) with empty titles; return how many were withheld.

    The copy is gzipped. With `pmids` only these articles lose their titles.
    """
    tree = _tree(source)
    withheld = 0
    for citation in tree.iter("MedlineCitation"):
        title = citation.find("Article/ArticleTitle")
        if title is None or (pmids is not None and _pmid(citation) not in pmids):
            continue
        title.text = ""
        for child in list(title):
            title.remove(child)
        withheld += 1
    with gzip.GzipFile(target, "wb", mtime=0) as write:
        write.write(etree.tostring(tree, xml_declaration=True, encoding="utf-8"))
    return withheld


def title_questions(source: Path) -> list[Question]:
    """The titles of a PubMed XML file's articles that have an abstract, each with its PMID."""
    found = []
    for citation in _tree(source).iter("MedlineCitation"):
        title = citation.find("Article/ArticleTitle")
        text = "" if title is None else "".join(map(str, title.itertext())).strip()
        if text and citation.find("Article/Abstract") is not None:
            found.append(Question(text, (_pmid(citation),)))
    return found


def _tree(path: Path) -> etree._ElementTree:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with _opened(path) as read:
            return etree.parse(read, parser)
    except (etree.XMLSyntaxError, EOFError) as error:
        raise ValueError(f"{path}: expected a file of PubMed XML ({error})") from error


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]  # reads bytes as a file does
    return path.open("rb")


def _pmid(citation: etree._Element) -> int:
    text = citation.findtext("PMID")
    if text is None:
        raise ValueError("a MedlineCitation has no PMID; expected one in each")
    return int(text)


def in_other_words(questions: Iterable[Question], vocabulary: Vocabulary) -> list[Question]:
    """Each question in which a disease or phenotype can be said by other words, so said.

    The longest name of the question that the vocabulary holds literally is replaced; no linker
    has a part in it. Of several synonyms one is chosen by the hash of the question.
    """
    changed = []
    for question in questions:
        text = _reworded(question.text, vocabulary)
        if text is not None:
            changed.append(Question(text, question.pmids))
    return changed


def _reworded(text: str, vocabulary: Vocabulary) -> str | None:
    for start, end in _stretches(text):
        named = text[start:end]
        others = _other_names(named, vocabulary)
        if others:
            chosen = int.from_bytes(sha256(text.encode()).digest()[:8]) % len(others)
            return text[:start] + others[chosen] + text[end:]
    return None


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Spans of one to `MOST_WORDS` words, the longest first, then from the left."""
    words = [match.span() for match in _WORD.finditer(text)]
    for length in range(MOST_WORDS, 0, -1):
        for first in range(len(words) - length + 1):
            start, end = words[first][0], words[first + length - 1][1]
            if end - start >= SHORTEST:
                yield start, end


def _other_names(named: str, vocabulary: Vocabulary) -> list[str]:
    """Names of the one disease so named that share no word with the name, sorted."""
    ids = vocabulary.find(named)
    if len(ids) != 1 or "DISO" not in groups_of(vocabulary.semantic_types_of(ids[0])):
        return []
    words = set(stems(named))
    concept = vocabulary[ids[0]]
    names = {
        name.text
        for name in concept.names
        if name.scope in ("preferred", "exact") and not name.notes_only
    }
    return sorted(
        name
        for name in names
        if len(name) >= SHORTEST and _PLAIN.fullmatch(name) and not words & set(stems(name))
    )
