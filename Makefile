# `make run` and `make test` do all their own set-up: they need Python 3.11 or later, make and a package index.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2
DEMO_AS_OF := 2024-07-01
MILLIONS ?= 1 10
POINTS ?= 60

.PHONY: help setup run test test-long test-fast drill lint format docs ui status bench

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## .venv with pinned versions and the command account360

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "account360 needs Python 3.11 or later; set PYTHON=/path/to/python"; exit 1; }
	@echo "setting up .venv (one to three minutes, once)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## the demo company, from an empty landing folder to a published warehouse
	@test -d data/landing || $(BIN)/account360 demo
	@$(BIN)/account360 run --as-of $(DEMO_AS_OF)

test: $(STAMP) ## the tests, whole nights and the drill in a small size included
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not long"

test-long: $(STAMP) ## the stories of many nights that `make test` leaves out
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m long

test-fast: $(STAMP) ## all tests but the drills of whole nights
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow"

drill: $(STAMP) ## kill nights at POINTS=60 points and compare with undisturbed ones (an hour and more)
	@$(BIN)/python -m tests.drill --points $(POINTS)

lint: $(STAMP) ## ruff, import-linter, sqlfluff, and the rules that the dbt manifest has to keep
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project
	@cd dbt_project && ../$(BIN)/dbt parse --quiet --profiles-dir .
	@$(BIN)/dbt-bouncer --config-file dbt_project/dbt-bouncer.yml

format: $(STAMP) ## let ruff and sqlfluff mend what they can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --processes 2 --disable-progress-bar dbt_project

docs: $(STAMP) ## docs/marts.md and docs/lineage.html from the models and contracts of the dbt project
	@cd dbt_project && ../$(BIN)/dbt parse --quiet --profiles-dir .
	@$(BIN)/python -m tests.marts_page
	@$(BIN)/python -m orchestration.column_lineage

ui: $(STAMP) ## Dagster's pages over the runs, on this machine only
	@$(BIN)/account360 ui

status: $(STAMP) ## the last publish and the last run
	@$(BIN)/account360 status

bench: $(STAMP) ## what landing and nights cost; MILLIONS="1 10 100" for other sizes (minutes, an hour)
	@$(BIN)/python -m benchmarks.bench --millions $(MILLIONS)
