# PYTHON is the interpreter that creates the virtual environment.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
REPOS  ?=
PORT   ?= 3000

# Without byte code, each process that the tests start would compile all of Dagster again.
unexport PYTHONDONTWRITEBYTECODE

# The tests' files are kept in memory if it has room: on disk, commits take a fifth of the tests' time.
TEST_FILES := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null && echo /dev/shm)
# Tests of a file share a worker, and with it what is made once for them.
PYTEST     := PYTEST_DEBUG_TEMPROOT=$(TEST_FILES) $(BIN)/python -m pytest --dist loadfile
TIDY       := $(BIN)/python -m prpipeline_tests.support.leftovers $(TEST_FILES)

.PHONY: run dev test test-slow lint format bench bench-quick lock clean

run: $(VENV)/.installed            ## the demo; with REPOS="owner/name …" real repositories
	$(BIN)/prpipeline demo $(REPOS)

dev: $(VENV)/.installed            ## Dagster's UI on http://127.0.0.1:3000/asset-groups
	DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)}" $(BIN)/prpipeline dev --port $(PORT)

# More workers than processors, because some tests wait for timeouts and processes.
test: $(VENV)/.installed-dev
	$(TIDY)
	$(PYTEST) -n $$($(BIN)/python -c 'import os; print(os.cpu_count() * 3 // 2)') -m "not slow"

test-slow: $(VENV)/.installed-dev  ## long random runs, kills, Dagster's daemon, browsers, BI clients
	$(TIDY)
	$(PYTEST) -n auto -m "slow or examples"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev        ## comparisons with other programs and with our aims
	$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.installed-dev  ## the same with less data, under three minutes
	$(BIN)/python -m benchmarks --quick

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.installed-dev       ## update constraints.txt to the newest allowed versions
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra alerts --extra app --extra dev --extra postgres --no-header --no-annotate \
		--upgrade pyproject.toml -o constraints.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.installed
