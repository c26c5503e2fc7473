"""Claims of written answers: what they cite, and what is marked."""

from __future__ import annotations

import pytest

from retrieval.claims import CITED, NOT_GIVEN, OTHER_CONCEPTS, UNCITED, claims_of, marked

GIVEN = {7: "Aspirin prevents stroke.", 8: "Metformin was given.", 123456: "Falls fell."}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It helps [PMID 7].", [((7,), CITED)]),
        ("It helps. [PMID 7]", [((7,), CITED)]),
        ("It helps [PMID: 7; PMID 8] and more.", [((7, 8), CITED)]),
        ("It helps (PMID 7, 8). So [123456].", [((7, 8), CITED), ((123456,), CITED)]),
        ("It helps [PMIDs 7 and 8].", [((7, 8), CITED)]),
        ("- It helps [7]\n- It harms", [((7,), CITED), ((), UNCITED)]),
        ("It helps. [PMID 7] It harms. [PMID 8]", [((7,), CITED), ((8,), CITED)]),
        ("It helped 3 of 4 (95% CI 1 to 5).", [((), UNCITED)]),
        ("It helps [PMID 9].", [((9,), NOT_GIVEN)]),
        ("It helps [PMID 7, PMID 9].", [((7, 9), NOT_GIVEN)]),
        ("[PMID 7]\n\n...\n", []),
        ("", []),
    ],
)
def test_citations_are_read(answer: str, expected: list[tuple[tuple[int, ...], str]]) -> None:
    assert [(claim.pmids, claim.support) for claim in claims_of(answer, GIVEN)] == expected


def test_no_word_of_an_answer_is_lost() -> None:
    answer = "Aspirin helps [PMID 7]. It may harm. Falls fell by 3.5% [PMID 9]!"
    text = marked(claims_of(answer, GIVEN))
    assert text.splitlines() == [
        "Aspirin helps. [PMID 7]",
        "It may harm. (unsupported: no passage is cited)",
        "Falls fell by 3.5%! [PMID 9] (unsupported: no passage of PMID 9 was given)",
    ]


def test_a_claim_about_something_else_is_marked() -> None:
    names = {"aspirin": "A:1", "stroke": "A:2", "metformin": "A:3"}

    def concepts(text: str) -> dict[str, str]:
        return {id_: name for name, id_ in names.items() if name in text.lower()}

    (right, wrong) = claims_of(
        "Aspirin prevents stroke [PMID 7]. Aspirin acts like metformin [PMID 7].", GIVEN, concepts
    )
    assert right.support == CITED
    assert (wrong.support, wrong.missing) == (OTHER_CONCEPTS, ("metformin",))
    assert marked([wrong]).endswith("(not in the cited sentences: metformin)")
