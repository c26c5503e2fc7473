"""A synthetic hospital with planted truth."""
