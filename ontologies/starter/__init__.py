"""The starter vocabulary's tables; `ontologies.starter_vocabulary` reads them."""
