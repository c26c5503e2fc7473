"""A linker over a spaCy pipeline, with scispaCy's candidate generator over our vocabulary.

The pipeline finds mentions (or another linker gives them), scispaCy's abbreviation detector
resolves short forms, and its `EntityLinker` gives each mention the nearest names' concept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from itertools import islice, pairwise, repeat
from typing import TYPE_CHECKING, Any

from ontologies.linker import Linker, Mention

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

BLANK = "blank"
METHOD = "scispacy-1"

Spans = Sequence[tuple[int, int]]
"""Offsets (start, exclusive end) in code points, that do not overlap."""


_Giver = Callable[[Sequence[str]], Iterable[Spans]]
_BATCH = 64


class NoMentionsError(ValueError):
    """A pipeline that finds no mentions, and nothing else that would give them."""


class ScispacyLinker:
    """Finds a vocabulary's concepts in text by nearest names; see `Linker`.

    A mention's score is the cosine similarity of its 3-grams to the nearest name's, which is no
    probability. Mentions whose nearest names are all at or below the threshold are unlinked.
    """

    def __init__(self, pipeline: Any, linker: Any, spans: _Giver | None, version: str) -> None:
        """Not for callers: use `open`."""
        from scispacy.abbreviation import AbbreviationDetector

        self._pipeline = pipeline
        self._abbreviations = AbbreviationDetector(pipeline)
        self._linker = linker
        self._spans = spans
        self._version = version

    @classmethod
    def open(
        cls,
        vocabulary: Vocabulary,
        *,
        pipeline: Any = BLANK,
        mentions: Linker | Callable[[str], Spans] | None = None,
        threshold: float = 0.7,
        k: int = 30,
        notes: bool = False,
    ) -> ScispacyLinker:
        """A linker over a vocabulary, whose index is built once and kept beside it.

        `pipeline` is the name or path of an installed spaCy pipeline, a `Language`, or `blank`.
        `mentions` gives the spans to link in place of the pipeline's entities: another `Linker`,
        or a function from a text to spans. `NoMentionsError` where neither finds any. `threshold`
        and `k` are those of scispaCy's `EntityLinker`.
        """
        from scispacy.candidate_generation import CandidateGenerator
        from scispacy.linking import EntityLinker

        from ontologies.scispacy_index import index_of, knowledge_base

        language = _language(pipeline)
        if mentions is None and not _finds_entities(language):
            raise NoMentionsError(
                f"the pipeline {language.meta['name']!r} has no component that finds entities; "
                "name one that has, or give mentions=, another linker or a function"
            )
        base = knowledge_base(vocabulary, notes=notes)
        index = index_of(vocabulary, sorted(base.alias_to_cuis), notes=notes)
        generator = CandidateGenerator(index.graph, index.vectorizer, index.names, base)
        linker = EntityLinker(
            candidate_generator=generator,
            threshold=threshold,
            k=k,
            filter_for_definitions=False,  # few of our concepts have one
            max_entities_per_mention=1,
        )
        given, source = _given(mentions, language)
        settings = f"{threshold:g}/{k}{'+notes' if notes else ''}"
        return cls(language, linker, given, f"{METHOD}/{version('scispacy')}/{source}/{settings}")

    @property
    def version(self) -> str:
        """Method, scispaCy's version, what finds the mentions, threshold and k."""
        return self._version

    def link(self, text: str) -> list[Mention]:
        return self.link_many([text])[0]

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        source, linked = iter(texts), []
        while batch := list(islice(source, _BATCH)):
            docs = self._pipeline.pipe(batch)
            given = self._spans(batch) if self._spans is not None else repeat(None)
            linked += [self._link(doc, spans) for doc, spans in zip(docs, given, strict=False)]
        return linked

    def _link(self, doc: Any, spans: Spans | None) -> list[Mention]:
        if spans is not None:
            _set_entities(doc, spans)
        with warnings.catch_warnings():
            # The detector matches what it found, which spaCy says of every text without any.
            warnings.filterwarnings("ignore", message=r"\[W036\]")
            self._abbreviations(doc)
        self._linker(doc)
        return [_mention(entity) for entity in doc.ents]


def _language(pipeline: Any) -> Any:
    import spacy

    if not isinstance(pipeline, str):
        return pipeline
    if pipeline != BLANK:
        return spacy.load(pipeline)
    language = spacy.blank("en")
    language.meta["name"] = BLANK
    return language


def _finds_entities(language: Any) -> bool:
    return any("doc.ents" in language.get_pipe_meta(name).assigns for name in language.pipe_names)


def _given(
    mentions: Linker | Callable[[str], Spans] | None, language: Any
) -> tuple[_Giver | None, str]:
    """What gives the spans of a batch, if not the pipeline, and its name in the version."""
    if mentions is None:
        meta = language.meta
        return None, f"{language.lang}_{meta['name']}-{meta['version']}"
    if callable(mentions):
        name = getattr(mentions, "__qualname__", type(mentions).__qualname__)
        return (lambda texts: map(mentions, texts)), name
    linker = mentions
    return (lambda texts: map(_offsets, linker.link_many(texts))), linker.version


def _offsets(mentions: Iterable[Mention]) -> Spans:
    return [(mention.start, mention.end) for mention in mentions]


def _set_entities(doc: Any, spans: Spans) -> None:
    """Make the spans the document's entities, dividing tokens that cross their ends."""
    _divide(doc, sorted({offset for span in spans for offset in span}))
    entities = [doc.char_span(start, end, label="MENTION") for start, end in spans]
    wrong = [span for span, entity in zip(spans, entities, strict=True) if entity is None]
    if wrong:
        raise ValueError(
            f"span {wrong[0]} of a text of {len(doc.text)} characters holds no words; expected "
            "offsets of a mention, end exclusive, without white space around it"
        )
    doc.set_ents(entities)


def _divide(doc: Any, offsets: list[int]) -> None:
    with doc.retokenize() as retokenizer:
        for token in doc:
            start, end = token.idx, token.idx + len(token)
            cuts = [start, *(offset for offset in offsets if start < offset < end), end]
            if len(cuts) > 2:
                parts = [doc.text[a:b] for a, b in pairwise(cuts)]
                retokenizer.split(token, parts, heads=[(token, 0)] * len(parts))


def _mention(entity: Any) -> Mention:
    linked = entity._.kb_ents
    concept, score = linked[0] if linked else (None, 0.0)
    return Mention(
        entity.start_char,
        entity.end_char,
        entity.text,
        concept,
        min(1.0, max(0.0, float(score))),
    )
