"""Notes and passages about a patient → findings with spans, and an outcome probability."""
