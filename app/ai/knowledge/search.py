"""Lexical search in a handful of passages: BM25 of tantivy to rank, word overlap to know when nothing fits."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
import tantivy

from app.ai.knowledge.passages import Passage
from app.ai.knowledge.words import STOP_WORDS, concept_of, words_of

__all__ = ["Found", "PassageIndex", "index_of"]

_STEMMERS: Final = {"es": "spanish", "en": "english", "pt": "portuguese"}
_HEADING_WEIGHT: Final = 2.0
_CONCEPT_WEIGHT: Final = 1.5
_CANDIDATES: Final = 5
_LEAST_SCORE: Final = 0.05
_LEAST_COVERAGE: Final = 0.45
_LEAST_COVERAGE_OF_HEADING: Final = 0.25


class Found(msgspec.Struct, frozen=True):
    """A passage that fits. `score` is BM25; `coverage` is the share of the question's weight found in it, 0 to 1."""

    passage: Passage
    score: float
    coverage: float


class _Terms(msgspec.Struct, frozen=True):
    """Stems and concepts of a text; a word that has a concept stands under it."""

    heading: frozenset[str]
    all: frozenset[str]


class PassageIndex:
    """An index in memory over passages of one language (es, en or pt)."""

    def __init__(self, passages: Sequence[Passage], language: str) -> None:
        self._passages = tuple(passages)
        stemmer = tantivy.Filter.stemmer(_STEMMERS.get(language, "spanish"))
        self._stem = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(stemmer).build()
        self._schema = _schema()
        self._terms = tuple(self._terms_of(passage) for passage in self._passages)
        self._weights = _weights(self._terms)
        self._searcher = self._build().searcher()

    def search(self, question: str, limit: int = 3) -> list[Found]:
        """Return the passages that fit, best first; none when no passage is about what is asked.

        BM25 always finds a best one, so a passage must also cover enough of the question's content words, rare words
        weighing more, or have in its heading what the question is about.
        """
        terms = self._terms_of_text(question)
        if not terms or not self._passages:
            return []
        hits = self._searcher.search(self._query(terms), max(limit, _CANDIDATES)).hits
        found = [self._found(score, address, terms) for score, address in hits]
        return [entry for entry in found if entry is not None][:limit]

    def _build(self) -> tantivy.Index:
        index = tantivy.Index(self._schema)
        writer = index.writer(heap_size=15_000_000, num_threads=1)
        for number, (passage, terms) in enumerate(zip(self._passages, self._terms, strict=True)):
            # The text goes in as our own terms, so tantivy only has to split it at the spaces.
            words = " ".join(self._terms_of_text(passage.text))
            writer.add_document(tantivy.Document(heading=" ".join(terms.heading), text=words, number=number))
        writer.commit()
        index.reload()
        return index

    def _query(self, terms: Sequence[str]) -> tantivy.Query:
        parts = []
        for term in set(terms):
            in_text = tantivy.Query.term_query(self._schema, "text", term)
            in_heading = tantivy.Query.term_query(self._schema, "heading", term)
            heading_weight = _HEADING_WEIGHT * (_CONCEPT_WEIGHT if term.startswith("#") else 1)
            parts.append((tantivy.Occur.Should, in_text))
            parts.append((tantivy.Occur.Should, tantivy.Query.boost_query(in_heading, heading_weight)))
        return tantivy.Query.boolean_query(parts)

    def _found(self, score: float, address: tantivy.DocAddress, asked: Sequence[str]) -> Found | None:
        number = int(self._searcher.doc(address)["number"][0])
        terms = self._terms[number]
        # A word that no passage knows weighs as much as the rarest one.
        most = max(self._weights.values(), default=1.0)
        weights = {term: self._weights.get(term, most) for term in asked}
        coverage = sum(weight for term, weight in weights.items() if term in terms.all) / sum(weights.values())
        in_heading = any(term in terms.heading for term in asked)
        least = _LEAST_COVERAGE_OF_HEADING if in_heading else _LEAST_COVERAGE
        if score < _LEAST_SCORE or coverage < least:
            return None
        return Found(self._passages[number], score, coverage)

    def _terms_of(self, passage: Passage) -> _Terms:
        heading = frozenset(self._terms_of_text(passage.heading))
        return _Terms(heading, heading | frozenset(self._terms_of_text(passage.text)))

    def _terms_of_text(self, text: str) -> list[str]:
        words = words_of(text)
        # Question words are stop words, but "dónde" and "how much" are what the question is about.
        concepts = [f"#{concept}" for word in words if (concept := concept_of(word)) is not None]
        plain = [word for word in words if word not in STOP_WORDS and concept_of(word) is None]
        return concepts + (self._stem.analyze(" ".join(plain)) if plain else [])


@lru_cache(maxsize=64)
def index_of(passages: tuple[Passage, ...], language: str) -> PassageIndex:
    """Return the index over these very passages; made once, however often it is asked for."""
    return PassageIndex(passages, language)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("heading", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("number", stored=True)
    return builder.build()


def _weights(terms: Sequence[_Terms]) -> dict[str, float]:
    """Weigh each term by how few passages have it (inverse document frequency, never 0)."""
    counts = Counter(term for entry in terms for term in entry.all)
    return {term: math.log(1 + (len(terms) + 0.5) / (count + 0.5)) for term, count in counts.items()}
