"""Reading synthetic notes of held-out styles: the shipped model beside the rules, F1 and speed.

python benchmarks/extraction.py [NOTES]
"""

from __future__ import annotations

import sys
import time

from extractor.evaluate import score
from extractor.reader import open_reader
from extractor.schema import Finding, Kind, Note, Status
from ontologies.starter_vocabulary import starter_vocabulary
from predictor.synthetic.practice import practice_notes
from predictor.synthetic.styles import BY_NAME, HELD_OUT


def main() -> None:
    """Print F1 of the readers on the same notes, and their CPU time beside the rules'."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    notes, marked = [], {}
    for made in practice_notes(count, 77, [BY_NAME[name] for name in HELD_OUT]):
        notes.append(Note(made.note_id, made.note.text))
        marked[made.note_id] = [
            Finding(g.start, g.end, g.quote, Kind(g.kind), Status(g.status), g.concept)
            for g in made.note.golds
        ]
    rules = None
    for name in ("rules", "small", "both"):
        reader = open_reader(name, starter_vocabulary())
        started = time.process_time()
        read = reader.read(notes)
        spent = time.process_time() - started
        rules = rules or spent
        scores = score(marked, {r.note_id: r.findings for r in read})
        told = ", ".join(
            f"{level} {scores[level].f1:.3f}" for level in ("span", "status", "finding")
        )
        speed = 60 * count / spent
        print(f"{name}: F1 {told}; {speed:.0f} notes a minute of CPU, {spent / rules:.1f} x rules")


if __name__ == "__main__":
    main()
