"""A small causal language model, trained by this project; see CARD.md."""
