"""The stays of the patients, in rounds: who comes, what is measured, how it ends, who returns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.synthetic.items import ARTERIAL, LAB_INDEX, LABS, VITALS
from predictor.synthetic.outcome import Bases, Logits, mortality_logits, readmission_logits, sigmoid
from predictor.synthetic.population import Patients
from predictor.synthetic.random_values import Draws, ordered, trajectories

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HOUR: Final = 3600
DAY: Final = 86400
HORIZON: Final = 30 * DAY
DECIDE: Final = 48 * HOUR
"""When death in hospital is predicted, after admission."""
_LATER: Final = 0.2
_PLANNED: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Arrays with a row for each stay, times in seconds; ordered by round, then patient.

    `coma` is the Glasgow Coma Scale that is charted in intensive care. `next_gap` is the time from
    discharge to the next admission, -1 where there is none; `next_planned` tells of that stay.
    `no_note` stays have no note before the outcome. `readmission`, `mortality` are true risks.
    """

    patient: I64
    round: I64
    admit: I64
    discharge: I64
    died: Bools
    unplanned: Bools
    severity: F64
    intensive: Bools
    icu_in: I64
    icu_out: I64
    coma: F64
    ventilated: Bools
    vent_hours: F64
    pressors: Bools
    no_note: Bools
    transferred: Bools
    against_advice: Bools
    earlier_stays: I64
    emergency_visits: I64
    comorbidity: I64
    coded: I64
    next_gap: I64
    next_planned: Bools

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def at_risk_of_death(self) -> Bools:
        """Still in hospital when death is predicted."""
        return self.discharge > self.admit + DECIDE

    @property
    def at_risk_of_return(self) -> Bools:
        """Discharged alive, not to another acute hospital, not against advice."""
        return ~self.died & ~self.transferred & ~self.against_advice

    @property
    def returned(self) -> Bools:
        """The next admission is within 30 days of discharge, and is not planned."""
        return (self.next_gap >= 0) & (self.next_gap <= HORIZON) & ~self.next_planned


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Everything that was simulated: stays, measurements, emergency visits, logits."""

    stays: Stays
    labs: Draws
    gases: Draws
    vitals: Draws
    ed_patient: I64
    ed_time: I64
    readmission: Logits
    mortality: Logits
    bases: Bases


@dataclass(slots=True)
class _History:
    """What is known of patients from earlier rounds; sorted keys of (patient, time)."""

    ed: I64
    admissions: I64
    coded: I64

    def count(self, keys: I64, patient: I64, start: I64, stop: I64) -> I64:
        """Events of each patient in [start, stop)."""
        found: I64 = np.searchsorted(keys, _key(patient, stop)) - np.searchsorted(
            keys, _key(patient, start)
        )
        return found


def _key(patient: I64, time: I64) -> I64:
    return patient * (1 << 36) + time


def simulate(
    patients: Patients, weights: tuple[float, float], rng: np.random.Generator
) -> Course:  # fmt: skip
    """The courses of all patients. `weights` scale what notes and the graph add to the logits."""
    count = len(patients)
    active = np.arange(count)
    admit, planned = patients.first.copy(), rng.random(count) < 0.15
    since = admit - 365 * DAY
    rounds: list[_Round] = []
    history = _History(*(np.zeros(0, np.int64) for _ in range(3)))
    lasting = rng.standard_normal((count, len(LABS) + len(ARTERIAL) + len(VITALS)))
    bases: Bases | None = None
    while len(active):
        _emergency_visits(patients, active, since, admit, history, rng)
        made = _round(patients, active, admit, planned, len(rounds), history, lasting, weights,
                      bases, rng)  # fmt: skip
        bases = made.bases
        rounds.append(made)
        stays = made.stays
        history.admissions = np.sort(np.append(history.admissions, _key(active, admit)))
        history.coded = np.sort(np.append(history.coded, _key(active, stays.coded)))
        arrived = stays.unplanned
        history.ed = np.sort(np.append(history.ed, _key(active[arrived], admit[arrived] - HOUR)))
        back = stays.next_gap >= 0
        since = stays.discharge[back]
        admit = since + stays.next_gap[back]
        planned = stays.next_planned[back]
        active = active[back]
    assert bases is not None
    return _joined(rounds, history, bases)


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    stays: Stays
    labs: Draws
    gases: Draws
    vitals: Draws
    readmission: Logits
    mortality: Logits
    bases: Bases


def _emergency_visits(
    patients: Patients, active: I64, since: I64, admit: I64, history: _History,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Visits without admission between the last discharge, at most a year ago, and admission."""
    start = np.maximum(since, admit - 365 * DAY)
    length = np.maximum(admit - start - DAY, 0)
    visits = rng.poisson(patients.use[active] * length / (180 * DAY))
    owner = np.repeat(np.arange(len(active)), np.minimum(visits, 8))
    time = start[owner] + (rng.random(len(owner)) * length[owner]).astype(np.int64)
    history.ed = np.sort(np.append(history.ed, _key(active[owner], time)))


def _round(
    patients: Patients, active: I64, admit: I64, planned: Bools, number: int, history: _History,
    lasting: F64, weights: tuple[float, float], bases: Bases | None, rng: np.random.Generator,
) -> _Round:  # fmt: skip
    count = len(active)
    older = (patients.age[active] - 64) / 16
    severity = rng.standard_normal(count) + 0.25 * older - 0.5 * planned
    intensive = rng.random(count) < sigmoid(-0.4 + 1.1 * severity)
    coma = np.clip(15 - np.round(1.3 * np.maximum(
        rng.normal(-0.6 + 0.5 * severity, 2.0), 0)), 3, 15)  # fmt: skip
    ventilated = intensive & (rng.random(count) < sigmoid(-1.6 + 0.9 * severity + (coma < 9)))
    pressors = intensive & (rng.random(count) < sigmoid(-1.9 + 0.9 * severity))
    days = np.exp(rng.normal(1.3 + 0.16 * severity + 0.25 * intensive, 0.6))
    days = np.clip(days, 0.6, 60)
    icu_in = admit + (HOUR * np.where(rng.random(count) < 0.75, rng.uniform(1, 4, count),
                                      rng.uniform(5, 24, count))).astype(np.int64)  # fmt: skip
    discharge = _afternoon(admit + (days * DAY).astype(np.int64), rng)
    discharge = np.maximum(discharge, np.where(intensive, icu_in + 10 * HOUR, admit + 6 * HOUR))
    early = intensive & (rng.random(count) < 0.012 * np.exp(0.5 * severity))
    no_note = rng.random(count) < sigmoid(-3.4 - 0.4 * severity)

    labs, gases, vitals = _measure(
        admit, discharge, severity, intensive, ventilated, icu_in, lasting[active], rng
    )
    decide = admit + DECIDE
    zero = np.zeros(count, np.int64)
    earlier = history.count(history.admissions, active, admit - 365 * DAY, admit)
    visits = history.count(history.ed, active, admit - 180 * DAY, admit - 2 * HOUR)
    comorbid = patients.comorbid[active].sum(1)
    trait = patients.traits[active]
    pairs = np.where(no_note, patients.drug_pairs[active], patients.pairs[active])
    told = np.where(no_note[:, None], 0, trait)
    mortality = mortality_logits(
        patients.age[active], labs.last(count, decide), vitals.mean(count, decide),
        np.where(intensive & (icu_in < decide), coma, np.nan), intensive & (icu_in < decide),
        ventilated, ~planned, told, pairs, weights,
    )  # fmt: skip
    staying = discharge > decide
    death_base = bases.mortality if bases else mortality.base_for(staying)
    died = (staying & (rng.random(count) < sigmoid(death_base + mortality.total))) | early
    discharge = np.where(
        died & ~early, decide + 2 * HOUR + (DAY * np.exp(rng.normal(1.0, 0.9, count))).astype(
            np.int64), discharge,
    )  # fmt: skip
    early_end = admit + (HOUR * rng.uniform(8, 46, count)).astype(np.int64)
    discharge = np.where(early, np.maximum(early_end, icu_in + HOUR), discharge)
    labs, gases, vitals = (_until(draws, discharge) for draws in (labs, gases, vitals))

    known_codes = history.count(history.coded, active, zero - (1 << 34), discharge) > 0
    readmission = readmission_logits(
        patients.age[active], labs.last(count, discharge), earlier, visits,
        (discharge - admit) / DAY, ~planned, np.where(known_codes, comorbid, 0), told, pairs,
        weights,
    )  # fmt: skip
    transferred = ~died & (rng.random(count) < 0.012)
    against = ~died & ~transferred & (rng.random(count) < 0.013)
    at_risk = ~died & ~transferred & ~against
    return_base = bases.readmission if bases else readmission.base_for(at_risk)
    gap, next_planned = _returns(
        ~died, sigmoid(return_base + readmission.total), rng
    )  # fmt: skip
    icu_days = np.minimum(np.exp(rng.normal(0.6 + 0.25 * severity, 0.7)), 20)
    icu_out = np.minimum(
        icu_in + np.maximum(icu_days * DAY, 10 * HOUR).astype(np.int64),
        discharge - np.where(died, 0, HOUR // 2),
    )  # fmt: skip
    stays = Stays(
        patient=active, round=np.full(count, number), admit=admit, discharge=discharge, died=died,
        unplanned=~planned, severity=severity, intensive=intensive, icu_in=icu_in,
        icu_out=np.where(died & (rng.random(count) < 0.7), discharge, icu_out), coma=coma,
        ventilated=ventilated, vent_hours=np.exp(rng.normal(3.2, 0.7, count)), pressors=pressors,
        no_note=no_note, transferred=transferred, against_advice=against, earlier_stays=earlier,
        emergency_visits=visits, comorbidity=np.where(known_codes, comorbid, 0),
        coded=discharge + (DAY * rng.uniform(2, 12, count)).astype(np.int64),
        next_gap=gap, next_planned=next_planned,
    )  # fmt: skip
    return _Round(stays, labs, gases, vitals, readmission, mortality,
                  Bases(return_base, death_base))  # fmt: skip


def _afternoon(time: I64, rng: np.random.Generator) -> I64:
    """The same day between ten and nineteen."""
    hour = (rng.triangular(10, 14, 19, len(time)) * HOUR).astype(np.int64)
    moved: I64 = time // DAY * DAY + hour // 60 * 60
    return moved


def _returns(alive: Bools, risk: F64, rng: np.random.Generator) -> tuple[I64, Bools]:
    """Time from discharge to the next admission (-1: none), and whether that is planned."""
    count = len(risk)
    chance = rng.random(count)
    soon = alive & (chance < risk)
    planned = alive & ~soon & (rng.random(count) < _PLANNED)
    later = alive & ~soon & ~planned & (rng.random(count) < _LATER)
    days = np.full(count, -1.0)
    days = np.where(soon, 0.3 + 29.4 * rng.beta(1, 1.5, count), days)
    days = np.where(planned, rng.uniform(4, 28, count), days)
    days = np.where(later, 31 + rng.exponential(160, count), days)
    gap = np.where(days < 0, -1, (days * DAY).astype(np.int64) // 60 * 60)
    return gap, planned | (later & (rng.random(count) < 0.2))


def _measure(
    admit: I64, discharge: I64, severity: F64, intensive: Bools, ventilated: Bools, icu_in: I64,
    lasting: F64, rng: np.random.Generator,
) -> tuple[Draws, Draws, Draws]:  # fmt: skip
    """Laboratory draws, arterial blood gases, vital signs of intensive care."""
    stay, time = _lab_times(admit, discharge, rng)
    day = (time - admit[stay]) / DAY
    values = trajectories(LABS, stay, day, severity, lasting[:, : len(LABS)], rng)
    values[:, LAB_INDEX["hematocrit"]] = np.round(
        values[:, LAB_INDEX["hemoglobin"]] * 3 + rng.normal(0, 0.7, len(stay)), 1
    )
    values[~ordered(LABS, stay, severity, rng)] = np.nan
    labs = Draws(stay, time, time + rng.integers(40, 150, len(stay)) * 60, values)
    gas_stay, gas_time = _gas_times(admit, intensive, ventilated, icu_in, severity, rng)
    end = len(LABS) + len(ARTERIAL)
    gases = Draws(
        gas_stay, gas_time, gas_time + rng.integers(5, 25, len(gas_stay)) * 60,
        trajectories(ARTERIAL, gas_stay, (gas_time - admit[gas_stay]) / DAY, severity,
                     lasting[:, len(LABS) : end], rng),
    )  # fmt: skip
    vital_stay, vital_time = _vital_times(icu_in, intensive, rng)
    seen = trajectories(VITALS, vital_stay, (vital_time - admit[vital_stay]) / DAY, severity,
                        lasting[:, end:], rng)  # fmt: skip
    seen[rng.random(seen.shape) < 0.03] = np.nan
    vitals = Draws(vital_stay, vital_time,
                   vital_time + rng.integers(1, 40, len(vital_stay)) * 60, seen)  # fmt: skip
    return labs, gases, vitals


def _lab_times(admit: I64, discharge: I64, rng: np.random.Generator) -> tuple[I64, I64]:
    """One draw at admission, then one each morning."""
    mornings = np.minimum((discharge // DAY - admit // DAY), 40)
    stay = np.repeat(np.arange(len(admit)), mornings + 1)
    number = np.arange(len(stay)) - np.repeat(
        np.cumsum(mornings + 1) - (mornings + 1), mornings + 1
    )
    morning = admit[stay] // DAY * DAY + number * DAY + 5 * HOUR
    morning = morning + rng.integers(0, 120, len(stay)) * 60
    time = np.where(number == 0, admit[stay] + rng.integers(10, 120, len(stay)) * 60, morning)
    kept = (number == 0) | (time > admit[stay] + 4 * HOUR)
    return stay[kept], time[kept]


def _gas_times(
    admit: I64, intensive: Bools, ventilated: Bools, icu_in: I64, severity: F64,
    rng: np.random.Generator,
) -> tuple[I64, I64]:  # fmt: skip
    wanted = ventilated | (intensive & (rng.random(len(admit)) < sigmoid(severity)))
    count = np.where(wanted, 2 + 3 * ventilated, 0)
    stay = np.repeat(np.arange(len(admit)), count)
    number = np.arange(len(stay)) - np.repeat(np.cumsum(count) - count, count)
    time = icu_in[stay] + (number * 8 + 1) * HOUR + rng.integers(0, 120, len(stay)) * 60
    return stay, time


def _vital_times(
    icu_in: I64, intensive: Bools, rng: np.random.Generator
) -> tuple[I64, I64]:  # fmt: skip
    """Every two hours of two days, then every six hours of two days more."""
    hours = np.concatenate([np.arange(0, 48, 2), np.arange(48, 97, 6)])
    stay = np.repeat(np.flatnonzero(intensive), len(hours))
    time = icu_in[stay] + np.tile(hours, int(intensive.sum())) * HOUR
    return stay, time + rng.integers(0, 30, len(stay)) * 60


def _until(draws: Draws, discharge: I64) -> Draws:
    """Only what was measured and known before the stay ended."""
    kept = draws.known < discharge[draws.stay] - 10 * 60
    return Draws(draws.stay[kept], draws.time[kept], draws.known[kept], draws.values[kept])


def _joined(rounds: list[_Round], history: _History, bases: Bases) -> Course:
    offsets = np.cumsum([0, *(len(made.stays) for made in rounds)])
    stays = Stays(**{
        field.name: np.concatenate([getattr(made.stays, field.name) for made in rounds])
        for field in fields(Stays)
    })  # fmt: skip

    def draws(name: str) -> Draws:
        parts: list[Draws] = [getattr(made, name) for made in rounds]
        return Draws(
            np.concatenate([p.stay + o for p, o in zip(parts, offsets[:-1], strict=True)]),
            np.concatenate([p.time for p in parts]),
            np.concatenate([p.known for p in parts]),
            np.concatenate([p.values for p in parts]),
        )

    return Course(
        stays, draws("labs"), draws("gases"), draws("vitals"), history.ed >> 36,
        history.ed & ((1 << 36) - 1), Logits.joined([made.readmission for made in rounds]),
        Logits.joined([made.mortality for made in rounds]), bases,
    )  # fmt: skip
