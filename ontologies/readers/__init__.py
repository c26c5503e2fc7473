"""One module a format: each turns a file into entries, matches and faults."""
