"""Records of patients, read lazily from the layouts that hospitals and PhysioNet ship."""

from predictor.sources.calendar import Calendar, CalendarError
from predictor.sources.open import open_records
from predictor.sources.records import Records, RecordsError

__all__ = ["Calendar", "CalendarError", "Records", "RecordsError", "open_records"]
