"""The outcome model that fine-tuning left: an adapter for each fold, and their calibration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from extractor.calibration import Platt, logit
from extractor.llm import LLM, ModelError, open_llm
from extractor.outcome import (
    OUTCOME_PROMPT,
    Evidence,
    citations,
    outcome_chances,
    rationale,
)
from extractor.schema import State, SubjectOutcome


class OutcomeModel:
    """Gives patients whom no fold knows the mean log odds of all adapters, calibrated."""

    def __init__(self, adapters: Sequence[LLM], platt: Platt) -> None:
        self._adapters = tuple(adapters)
        self._platt = platt

    @classmethod
    def open(cls, folder: Path) -> OutcomeModel:
        """The model of a folder that `medweave extractor finetune --labels` wrote.

        Raises `ModelError` where an adapter, the calibration, or the version of the prompt that
        the adapters were fitted on is not there.
        """
        file = folder / "calibration.json"
        adapters = sorted(path.parent for path in folder.glob("fold-*/adapter_config.json"))
        if not file.exists() or not adapters:
            raise ModelError(
                f"{folder}: no outcome model; expected fold-*/ and calibration.json, as "
                "`medweave extractor finetune --labels` writes them"
            )
        for adapter in adapters:
            _check_prompt(adapter)
        platt = Platt(**json.loads(file.read_text(encoding="utf-8")))
        return cls([open_llm(adapter) for adapter in adapters], platt)

    @property
    def version(self) -> str:
        """Names the adapters."""
        return "+".join(llm.version for llm in self._adapters)

    def chances(self, evidence: Sequence[Evidence]) -> list[float]:
        """Calibrated probabilities."""
        asked = [outcome_chances(llm, evidence) for llm in self._adapters]
        means = (sum(map(logit, row)) / len(row) for row in zip(*asked, strict=True))
        return [self._platt(mean) for mean in means]

    def told(self, row: SubjectOutcome, evidence: Evidence) -> SubjectOutcome:
        """The row with its probability and what this rests on, as it is where nothing was read."""
        if row.state not in (State.OK, State.TRUNCATED):
            return row
        findings, passages = citations(self.chances, evidence)
        return replace(
            row,
            model=self.version,
            probability=round(self.chances([evidence])[0], 6),
            cited_findings=findings,
            cited_passages=passages,
            rationale=rationale(evidence, findings, passages),
        )


def _check_prompt(adapter: Path) -> None:
    from extractor.local_llm import read_about

    fitted = read_about(adapter).get("outcome_prompt", "outcome-1")
    if fitted != OUTCOME_PROMPT:
        raise ModelError(
            f"{adapter}: fitted on prompts of version {fitted}, and this release asks by "
            f"{OUTCOME_PROMPT}; fine-tune it anew"
        )
