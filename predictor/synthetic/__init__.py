"""A synthetic hospital whose outcomes have known causes, in the layout of MIMIC-IV.

`make.make_hospital` simulates patients and writes these files; no patient of it ever lived.

| file | what it is |
|---|---|
| `hosp/*.csv.gz`, `icu/*.csv.gz` | MIMIC-IV's tables, item numbers and columns |
| `ed/edstays.csv.gz` | emergency visits, with and without admission |
| `note/discharge.csv.gz`, `note/progress.csv.gz` | notes: `DS`; `HP`, `PN` (the next day) |
| `notes.jsonl` | the same notes, one JSON object a line, with the author's `style` |
| `labels/TASK.csv.gz` | subject_id, hadm_id, prediction_time, label |
| `splits/TASK.json` | the test part and the development folds, as `extractor.split` reads them |
| `stage1/TASK.csv.gz` | outputs of a note model, with fold, split, state and `label` |
| `truth/` | what no command but evaluation opens |

`truth/findings.jsonl` holds every finding of every note with its place, `truth/risks_TASK.csv.gz`
the probability that each outcome was drawn by and what each source adds to its logit,
`truth/pairs.csv.gz` which concepts a patient has and why, `truth/truth.json` the plan, the leak,
the traits' weights, the best AUROC that can be reached, and what each source adds to it.

All tables are MIMIC-IV's but for one column: `diagnoses_icd` ends with `storetime`, when a code was
known, which is days after discharge. Times are charted before they are stored; what was not stored
by the prediction time changes no risk.

The tasks are `readmission_30d` (predicted at discharge; alive, not transferred, not against advice;
the next admission within 30 days, unless it is planned) and `in_hospital_mortality` (predicted 48
hours after admission, of those still there). `causes` lists what decides each; `pairing` tells how
documented pairs of concepts are hidden among as many that are not; `leaks` which faults can be
planted, and how each shows.
"""
