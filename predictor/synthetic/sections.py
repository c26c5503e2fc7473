"""The sections of a note: each writes its text into the author's draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from predictor.synthetic.author import Author, Reading, fillers
from predictor.synthetic.phrases import Phrase

if TYPE_CHECKING:
    from predictor.synthetic.notes import Facts

Item = Callable[[], None]


def _lines(author: Author, items: Sequence[Item]) -> None:
    """Set items as this author sets lists."""
    form, draft = author.style.items, author.draft
    for number, item in enumerate(items, 1):
        if number > 1:
            draft.add({"inline": ", ", "sentence": ", "}.get(form, "\n"))
        if form in ("dash", "bullet"):
            draft.add(f"{author.style.bullet if form == 'bullet' else '-'} ")
        elif form == "number":
            draft.add(f"{number}. ")
        item()
    if form == "sentence" and items:
        draft.add(".")


def _sentences(author: Author, groups: Sequence[str]) -> None:
    for group in groups:
        if author.draft.text:
            author.draft.add(" " if author.style.prose else "\n")
        author.frame(group)


def _some(author: Author, low: int, high: int) -> int:
    return low + int(author.random() * (high - low + 1))


def _cc(author: Author, facts: Facts) -> None:
    del facts
    author.frame("cc")


def _hpi(author: Author, facts: Facts) -> None:
    known = [author.name(concept) for concept in facts.chronic[:3]]
    author.frame("open", *known) if author.random() < 0.85 else None
    for concept in facts.acute:
        _sentences_with(author, "say+", author.name(concept))
    groups = ["symptom"] * _some(author, 1, 3) + ["negative"] * _some(author, 0, 2)
    groups += ["event"] * _some(author, 0, 2) + ["filler"] * _some(author, 0, 1)
    author.rng.shuffle(groups)
    _sentences(author, groups)


def _sentences_with(author: Author, group: str, *asked: Phrase) -> None:
    if author.draft.text:
        author.draft.add(" " if author.style.prose else "\n")
    author.frame(group, *asked)


def _pmh(author: Author, facts: Facts) -> None:
    items: list[Item] = [_known(author, concept) for concept in facts.chronic]
    items += [_past(author, concept) for concept in facts.past]
    items += [_chance_history(author) for _ in range(_some(author, 0, 3))]
    author.rng.shuffle(items)
    if author.random() < 0.15 and not author.style.telegraphic:
        author.draft.add(author.pick(("Significant for ", "Notable for ", "Includes ")))
    _lines(author, items)


def _known(author: Author, concept: str) -> Item:
    def item() -> None:
        author.mark(author.name(concept), "present", author.style.items not in ("inline",
                    "sentence") and author.random() < 0.7)  # fmt: skip
        _decorate(author)

    return item


def _decorate(author: Author) -> None:
    """What may follow a problem of the list."""
    chance = author.random()
    if chance < 0.08:
        author.draft.add(author.pick((", on ", " on ", ", treated with ")))
        author.mark(author.phrase("T", "present"), "present")
    elif chance < 0.14:
        author.draft.add(author.pick((" s/p ", ", status post ", " with prior ")))
        author.mark(author.phrase("R", "historical"), "historical")
    elif chance < 0.2:
        author.draft.add(author.pick((", well controlled", " (stable)", ", diet controlled",
                                      " - followed in clinic", ", longstanding")))  # fmt: skip
    elif chance < 0.25:
        author.draft.add(f" (dx {1985 + int(author.random() * 30)})")


def _past(author: Author, concept: str) -> Item:
    def item() -> None:
        year = 1985 + int(author.random() * 33)
        before, after = author.rng.choice(
            (("h/o ", f" {year}"), ("history of ", f" in {year}"), ("prior ", ""), ("remote ", ""),
             ("", f" ({year}, resolved)"), ("s/p ", f" {year}"), ("previous ", f" ({year})"))
        )  # fmt: skip
        author.draft.add(before)
        author.mark(author.name(concept), "historical")
        author.draft.add(after)

    return item


def _chance_history(author: Author) -> Item:
    def item() -> None:
        if author.random() < 0.75:
            author.mark(author.phrase("D", "present"), "present", author.random() < 0.4)
            _decorate(author)
        else:
            author.draft.add(author.pick(("h/o ", "history of ", "prior ", "remote ")))
            author.mark(author.phrase("A", "historical"), "historical")
            author.draft.add(author.pick((" in 2003", ", resolved", " as a child", " (2011)", "")))

    return item


def _psh(author: Author, facts: Facts) -> None:
    del facts
    if author.random() < 0.15:
        author.draft.add(author.pick(("None.", "none", "No prior surgeries.")))
        return
    _lines(author, [lambda: author.frame("psh")] * _some(author, 1, 3))


def _meds(author: Author, facts: Facts) -> None:
    drugs = [author.name(concept) for concept in facts.drugs]
    drugs += [author.phrase("T", "present") for _ in range(_some(author, 1, 4))]
    author.rng.shuffle(drugs)
    _lines(author, [_drug(author, drug) for drug in drugs])


def _drug(author: Author, drug: Phrase) -> Item:
    def item() -> None:
        author.mark(drug, "present", author.style.items not in ("inline", "sentence")
                    and author.random() < 0.6)  # fmt: skip
        chance = author.random()
        if chance < 0.65:
            author.draft.add(f" {author.pick(fillers()['dose'])}")
        if chance < 0.1:
            author.draft.add(" for ")
            author.mark(author.phrase("D", "present"), "present")
        elif chance < 0.16:
            author.draft.add(" prn ")
            author.mark(author.phrase("S", "hypothetical"), "hypothetical")

    return item


def _allergies(author: Author, facts: Facts) -> None:
    del facts
    author.frame("allergy")


def _fh(author: Author, facts: Facts) -> None:
    del facts
    _sentences(author, ["fh"] * _some(author, 1, 3))


def _sh(author: Author, facts: Facts) -> None:
    del facts
    _sentences(author, ["sh"] * _some(author, 2, 4))


def _function(author: Author, facts: Facts) -> None:
    del facts
    _sentences(author, ["sh"])


def _ros(author: Author, facts: Facts) -> None:
    del facts
    if author.random() < 0.25:
        _sentences(author, ["negative"] * _some(author, 1, 2))
        return
    mark = f"{author.style.bullet} " if author.style.items in ("dash", "bullet") else ""
    heads = author.rng.sample(_system_names(), _some(author, 3, 6))
    for number, head in enumerate(heads):
        author.draft.add(f"{chr(10) if number else ''}{mark}{head}: ")
        author.frame("rosbody")


def _system_names() -> list[str]:
    from predictor.synthetic.phrases import read_groups

    if not _SYSTEMS:
        _SYSTEMS.extend(read_groups("frames.txt")["roshead"])
    return _SYSTEMS


_SYSTEMS: list[str] = []


def _vitals(author: Author, facts: Facts) -> None:
    form, draft = author.style.vitals, author.draft
    if form == "sentence":
        if author.random() < 0.3:
            draft.mark("Vital signs", "test", "present", None)
            draft.add(author.pick((" stable.", " reviewed.", " are as recorded.")))
            return
        for number, got in enumerate(facts.vitals):
            draft.add(". " if number else "")
            author.value(_capital(got), link=author.pick((" ", " is ", " of ", ": ")))
        draft.add(".")
        return
    gap = {"line": ", ", "short": " ", "list": "\n"}[form]
    for number, got in enumerate(facts.vitals):
        draft.add(gap if number else "")
        short = Reading(got.names[-1:] if form == "short" else got.names, *_rest(got))
        author.value(short, link=" " if form != "list" else ": ")


def _rest(got: Reading) -> tuple[str | None, str, str]:
    return got.concept, got.value, got.unit


def _capital(got: Reading) -> Reading:
    return Reading(tuple(name[0].upper() + name[1:] for name in got.names), *_rest(got))


def _exam(author: Author, facts: Facts) -> None:
    del facts
    mark = f"{author.style.bullet} " if author.style.items in ("dash", "bullet") else ""
    for number in range(_some(author, 2, 6)):
        author.draft.add(f"{chr(10) if number else ''}{mark}")
        author.frame("exam")


def _labs(author: Author, facts: Facts) -> None:
    if author.style.items in ("dash", "bullet", "lines") and author.random() < 0.6:
        shown = author.rng.sample(facts.readings, min(len(facts.readings), _some(author, 4, 8)))
        _lines(author, [_shown(author, got) for got in shown])
        if author.random() < 0.5:
            author.draft.add("\n")
            author.frame("labs")
        return
    _sentences(author, ["labs"] * _some(author, 1, 3))


def _shown(author: Author, got: Reading) -> Item:
    return lambda: author.value(got, link=author.pick((": ", " ", "-")))


def _imaging(author: Author, facts: Facts) -> None:
    del facts
    _sentences(author, ["imaging"] * _some(author, 1, 2))


def _plan(author: Author, facts: Facts) -> None:
    problems = [author.name(c) for c in (*facts.acute, *facts.chronic)]
    author.rng.shuffle(problems)
    problems = problems[: _some(author, 2, 4)]
    problems += [author.phrase("P", "present") for _ in range(_some(author, 0, 2))]
    form = author.style.plan
    if form in ("prose", "reasoned") and author.random() < 0.5:
        author.frame("open", *[p for p in problems[:2] if p.concept])
        author.draft.add("\n")
    for number, problem in enumerate(problems, 1):
        author.draft.add("\n" if number > 1 else "")
        _PLANS[form](author, problem, number)


def _plan_hash(author: Author, problem: Phrase, number: int) -> None:
    del number
    author.draft.add(author.pick(("# ", "#", "# ")))
    author.mark(problem, "present", large=True)
    author.draft.add(author.pick((": ", "\n", ". ", " - ")))
    _sentences_on(author, "plan", _some(author, 1, 3))


def _plan_number(author: Author, problem: Phrase, number: int) -> None:
    author.draft.add(f"{number}. ")
    if author.random() < 0.5:
        author.mark(problem, "present", large=True)
        author.draft.add(". ")
        _sentences_on(author, "plan", _some(author, 1, 2))
    else:
        author.frame("assess", problem)


def _plan_dash(author: Author, problem: Phrase, number: int) -> None:
    del number
    author.draft.add(f"{author.style.bullet} ")
    author.frame("assess", problem)


def _plan_prose(author: Author, problem: Phrase, number: int) -> None:
    del number
    author.frame("assess", problem)
    author.draft.add(" ")
    _sentences_on(author, "plan", 1)


_REASONED: Final = ("Medical Reasoning", "Additional Testing", "Medical Treatment")


def _plan_reasoned(author: Author, problem: Phrase, number: int) -> None:
    del number
    author.mark(problem, "present", large=True)
    author.draft.add(author.pick((".", "", ":")))
    for label in _REASONED[: _some(author, 1, 3)]:
        author.draft.add(f"\n{author.style.bullet} {label}: ")
        author.frame("symptom" if label == _REASONED[0] else "plan")


def _sentences_on(author: Author, group: str, count: int) -> None:
    for number in range(count):
        author.draft.add(" " if number else "")
        author.frame(group)


_PLANS: Final[Mapping[str, Callable[[Author, Phrase, int], None]]] = {
    "hash": _plan_hash, "number": _plan_number, "dash": _plan_dash, "prose": _plan_prose,
    "reasoned": _plan_reasoned,
}  # fmt: skip


def _interval(author: Author, facts: Facts) -> None:
    _sentences(author, ["interval"] * _some(author, 1, 3) + ["filler"] * _some(author, 0, 1))
    for concept in facts.acute:
        _sentences_with(author, "say+", author.name(concept))


def _course(author: Author, facts: Facts) -> None:
    if author.random() < 0.6:
        author.frame("open", *[author.name(concept) for concept in facts.chronic[:2]])
    for concept in facts.acute:
        _sentences_with(author, "say+", author.name(concept))
    _sentences(author, ["course"] * _some(author, 2, 5))
    if facts.died:
        author.draft.add(author.pick(_DEATHS))


_DEATHS: Final = (
    " Despite maximal support the patient expired.",
    " The family chose comfort measures only, and the patient passed away peacefully.",
    " The patient was pronounced dead; the family was at the bedside.",
    " After a goals of care discussion care was redirected to comfort, and the patient died.",
)


def _procedures(author: Author, facts: Facts) -> None:
    del facts
    if author.random() < 0.4:
        author.draft.add("None")
        return
    _lines(author, [lambda: author.mark(author.phrase("R", "present"), "present")])


def _dx(author: Author, facts: Facts) -> None:
    problems = [author.name(concept) for concept in (*facts.acute, *facts.chronic)]
    problems += [author.phrase("A", "present")]
    _lines(
        author,
        [lambda p=p: author.mark(p, "present", author.random() < 0.6) for p in problems],  # type: ignore[misc]
    )


def _instructions(author: Author, facts: Facts) -> None:
    if facts.died:
        author.draft.add("Expired.")
        return
    _sentences(author, ["instr"] * _some(author, 2, 4) + ["say~"] * _some(author, 0, 1))


SECTIONS: Final[Mapping[str, Callable[[Author, Facts], None]]] = {
    "cc": _cc, "hpi": _hpi, "pmh": _pmh, "psh": _psh, "meds": _meds, "allergies": _allergies,
    "fh": _fh, "sh": _sh, "function": _function, "ros": _ros, "vitals": _vitals, "exam": _exam,
    "labs": _labs, "imaging": _imaging, "plan": _plan, "interval": _interval, "course": _course,
    "procedures": _procedures, "dx": _dx, "dmeds": _meds, "instructions": _instructions,
}  # fmt: skip
"""Section to what writes it; the headings are in `styles.HEADINGS`."""
