# The same commands everywhere. PYTHON chooses the interpreter that the virtual environment is made of.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
REPOS  ?=
PORT   ?= 3000

# Some machines forbid it: then each process that the tests start compiles all of Dagster anew.
unexport PYTHONDONTWRITEBYTECODE

# What tests write lives for seconds and needs no disk: commits that wait for one take a fifth of their time.
TEST_FILES := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null && echo /dev/shm)
PYTEST     := PYTEST_DEBUG_TEMPROOT=$(TEST_FILES) $(BIN)/python -m pytest --dist loadgroup

.PHONY: run dev test test-slow lint format bench bench-quick lock clean

run: $(VENV)/.installed            ## sample repositories, or with REPOS="owner/name …" real ones
	$(BIN)/prpipeline demo $(REPOS)

dev: $(VENV)/.installed            ## Dagster's UI on http://127.0.0.1:3000
	DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)}" $(BIN)/prpipeline dev --port $(PORT)

# More workers than processors, for some tests wait: for timeouts, for processes.
test: $(VENV)/.installed-dev
	$(PYTEST) -n $$($(BIN)/python -c 'import os; print(os.cpu_count() * 3 // 2)') -m "not slow"

test-slow: $(VENV)/.installed-dev  ## the soak, the kills, the daemon, the browser, the BI clients
	$(PYTEST) -n auto -m "slow or examples"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev        ## against other ways to do it, and against its aims; tables, no verdict
	$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.installed-dev  ## the same with less of everything, under three minutes
	$(BIN)/python -m benchmarks --quick

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.installed-dev       ## pin anew what pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-header --no-annotate \
		--upgrade pyproject.toml -o constraints.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.installed
