"""What a note states beside a finding: a value with its unit, and a time."""

from __future__ import annotations

import re
from dataclasses import replace

from extractor.schema import Finding, Kind

_VALUE = re.compile(
    r"(?:\s*(?:of|at|is|was|:|=|,|to|level|elevated|low|high|were|has been)){0,3}\s*"
    r"(?P<value>[<>~]?\d+(?:[.,/]\d+)*(?:\s?(?:-|to)\s?\d+(?:\.\d+)?)?)"
    r"\s?(?P<unit>%|[a-zA-Zµ°]+(?:/[a-zA-Z0-9]+)?)?",
)
_UNITS = re.compile(
    r"%|mg|mcg|µg|g|kg|ml|l|dl|mmol|meq|units?|iu|mmhg|bpm|cm|mm|mg/dl|g/dl|mmol/l|meq/l|mcg/kg|u/l|ng/ml"
    r"|ng/l|pg/ml|k/ul|°?[cf]|degrees?|tabs?|puffs?|iu/l|mg/l|ml/min|umol/l|mosm/kg|mm/hr|x10|lpm|fl|cells/ul",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?:for|x|over|since|in|on|about|approximately|\b)\s?(?:the\s)?(?:past\s|last\s)?"
    r"(?P<time>(?:\d+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|several|few|couple of)"
    r"[\s-](?:minutes?|hours?|days?|weeks?|months?|years?)(?:\sago)?"
    r"|yesterday|today|this morning|last (?:night|week|month|year|monday|tuesday|wednesday|thursday"
    r"|friday|saturday|sunday)|(?:since|in)\s(?:19|20)\d\d|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}/(?:19|20)\d\d)",
    re.IGNORECASE,
)
_NEAR = 60


def with_details(text: str, end: int, finding: Finding) -> Finding:
    """The finding with the value, unit and time that stand behind it before `end`, if any.

    >>> found = Finding(0, 9, "Potassium", Kind.TEST, status="present")
    >>> detailed = with_details("Potassium of 3.1 mEq/L yesterday.", 33, found)
    >>> detailed.value, detailed.unit, detailed.time
    ('3.1', 'mEq/L', 'yesterday')
    """
    reach = min(end, finding.end + _NEAR)
    value = unit = None
    if finding.kind is not Kind.PROBLEM:
        match = _VALUE.match(text, finding.end, reach)
        if match is not None:
            value = match["value"]
            named = match["unit"]
            unit = named if named and _UNITS.fullmatch(named) else None
    time = _TIME.search(text, finding.end, reach)
    return replace(finding, value=value, unit=unit, time=time["time"] if time else None)
