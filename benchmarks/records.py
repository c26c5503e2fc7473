"""Memory and time of features from a large table of laboratory values.

    python benchmarks/records.py --rows 10000000

makes up a hospital in MIMIC-IV's layout with that many laboratory values, reads them into features
in a process of its own and prints its peak memory, beside that of a process that only loads
the same columns into one Arrow table: the comparator of the same run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ITEMS = (50983, 50971, 50902, 50882, 51006, 50912, 50931, 51221, 51222, 51265, 51301, 50868)
OTHERS = (50930, 51146, 51254, 51200, 51256, 51003, 51464, 51498)
PER_STAY = 250


def make(folder: Path, rows: int) -> None:
    """Stays of ten days, two for a patient, with `PER_STAY` values each in the order of time."""
    import duckdb

    stays = max(1, rows // PER_STAY)
    items = ", ".join(str(item) for item in (*ITEMS, *OTHERS))
    con = duckdb.connect()
    con.execute("SET memory_limit = '2GB'")
    (folder / "hosp").mkdir(parents=True)
    tables = {
        "patients": f"""SELECT s AS subject_id, 'F' AS gender, 60 AS anchor_age, 2150 AS
            anchor_year, '2011 - 2013' AS anchor_year_group FROM range({stays // 2 + 1}) t(s)""",
        "admissions": f"""SELECT s // 2 AS subject_id, 1000000 + s AS hadm_id, {begins("s")} AS
            admittime, {begins("s")} + INTERVAL 10 DAY AS dischtime, 'EW EMER.' AS
            admission_type, (hash(s) % 10 = 0)::INTEGER AS hospital_expire_flag
            FROM range({stays}) t(s)""",
        "labevents": f"""SELECT n AS labevent_id, s // 2 AS subject_id, 1000000 + s AS hadm_id,
            n AS specimen_id, ([{items}])[(1 + hash(n) % 20)::INTEGER] AS itemid, NULL AS
            order_provider_id, taken AS charttime, taken + INTERVAL 90 MINUTE AS storetime,
            value, value AS valuenum, NULL AS valueuom, 10 AS ref_range_lower,
            150 AS ref_range_upper, NULL AS flag, 'ROUTINE' AS priority, NULL AS comments
            FROM (SELECT n, n // {PER_STAY} AS s, {begins(f"(n // {PER_STAY})")} +
                INTERVAL (n % {PER_STAY}) HOUR AS taken, round(20 + hash(n) % 1000 / 10.0, 1) AS
                value FROM range({rows}) t(n))""",
    }
    for name, sql in tables.items():
        con.execute(f"COPY ({sql}) TO '{folder}/hosp/{name}.csv' (HEADER, DELIMITER ',')")


def begins(stay: str) -> str:
    """When a stay begins, in SQL: the second of a patient a hundred days after the first."""
    return f"(TIMESTAMP '2150-01-01' + INTERVAL ({stay} // 2 % 3000 + {stay} % 2 * 100) DAY)"


def features(folder: Path) -> dict[str, float]:
    """Read the hospital into features; figures of this process."""
    from predictor.cohort import load_task, make_cohort
    from predictor.ehr_features import ehr_features
    from predictor.sources import open_records

    with open_records(folder) as records:
        task = load_task("readmission_30d")
        cohort = make_cohort(records, task)
        table = ehr_features(records, cohort, task)
    return {"rows": len(table), "features": len(table.columns)}


def loaded(folder: Path) -> dict[str, float]:
    """Load the needed columns of all values into one table."""
    from pyarrow import csv

    columns = ["subject_id", "itemid", "charttime", "storetime", "valuenum"]
    options = csv.ConvertOptions(include_columns=columns)
    table = csv.read_csv(folder / "hosp" / "labevents.csv", convert_options=options)
    return {"rows": table.num_rows}


def measured(what: str, folder: Path) -> dict[str, float]:
    """One of the two in a process of its own."""
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


def child(what: str, folder: Path) -> None:
    started = time.process_time()
    told = features(folder) if what == "features" else loaded(folder)
    told["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    told["cpu_seconds"] = time.process_time() - started
    print(json.dumps(told))


def main() -> None:
    """Make, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="Keep the made-up hospital here.")
    parser.add_argument("--child", choices=("features", "loaded"))
    parser.add_argument("--no-comparator", action="store_true")
    given = parser.parse_args()
    if given.child:
        child(given.child, given.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "hospital"
        if not (folder / "hosp").exists():
            make(folder, given.rows)
        size = (folder / "hosp" / "labevents.csv").stat().st_size / 1e9
        print(f"{given.rows:,} laboratory values, {size:.2f} GB of CSV")
        for what in ("features",) if given.no_comparator else ("features", "loaded"):
            told = measured(what, folder)
            shown = ", ".join(f"{key} {value:,.2f}" for key, value in told.items())
            print(f"{what}: {shown}", flush=True)


if __name__ == "__main__":
    main()
