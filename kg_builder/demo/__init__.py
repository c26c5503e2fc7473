"""The demo corpus: abstracts invented for this project, no medical evidence (see README.md)."""
