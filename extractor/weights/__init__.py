"""The weights of the models that ship with medweave."""
