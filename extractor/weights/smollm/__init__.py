"""A LoRA adapter for SmolLM2-135M-Instruct, fitted by this project; see CARD.md."""
