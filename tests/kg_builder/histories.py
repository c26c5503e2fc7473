"""Random histories of a small world: files at places of the order, with articles and deletions."""

from __future__ import annotations

from hypothesis import strategies as st

from kg_builder.model import Article, Deletion, Failure
from tests.kg_builder.shard_world import article

PLACES = ((-1, -1), (26, 1), (26, 2), (26, 3))
Records = list[Article | Deletion | Failure]
History = list[tuple[tuple[int, int], Records]]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Up to four sentences that relate two letters each."""
    sentence = st.builds(
        "{} {} {} it. ".format,
        st.sampled_from("ABCDEFGHx"),
        st.sampled_from([">", "!", "?", "and"]),
        st.sampled_from("ABCDEFGHx"),
    )
    return "".join(draw(st.lists(sentence, max_size=4))).strip()


def articles() -> st.SearchStrategy[Article]:
    """Articles of few PMIDs, so that they meet, on both sides of a border of buckets."""
    return st.builds(
        article,
        st.integers(1, 6) | st.sampled_from([999, 1000, 5000]),
        texts(),
        version=st.integers(1, 2),
        year=st.sampled_from([None, 1999, 2005]),
        retracted=st.sampled_from([False, False, True]),
        revised=st.sampled_from(["", "2020-01-01"]),
    )


def histories() -> st.SearchStrategy[History]:
    """Files in no order of their places."""
    record = articles() | st.builds(Deletion, st.integers(1, 6))
    return st.lists(st.tuples(st.sampled_from(PLACES), st.lists(record, max_size=6)), max_size=5)
