# The commands of this project. `make run` is all a newcomer needs; see README.md.
.DEFAULT_GOAL := help
.PHONY: help run packages test check lint format types layers migrations deployment reset bench bench-packages oracle-packages soak pin
PY := .venv/bin/python
BOOTSTRAP = python=$$(sh bin/find-python) && "$$python" clm/bootstrap.py
STOP_TEST_SERVERS = CLM_DATA_DIR="$${CLM_TEST_DATA_DIR:-.data/test}" $(PY) manage.py embedded stop --force >/dev/null 2>&1
export PYTHONPATH := $(CURDIR)
export PYTHONUNBUFFERED := 1

help:
	@echo "make run      start CLM (PORT=8000), with the demo shop on first run (DEMO=0: without)"
	@echo "make test     all tests; T='path -k words' for some of them"
	@echo "make check    format, lint, types, layers, migrations, deployment settings"
	@echo "make reset    delete this installation's data and start over (YES=1: without asking)"
	@echo "make bench    measure, beside physical limits and peers; B='engine replay' for some (see bench/README.md)"
	@echo "make soak     the long fuzz, kill and load runs; MINUTES=4 for each kind"
	@echo "make packages install what is pinned; make pin resolves the pins anew"

run:
	@began=$$(date +%s) && $(BOOTSTRAP) run && exec $(PY) manage.py up --since $$began $(if $(filter 0,$(DEMO)),,--demo)

packages:
	@$(BOOTSTRAP) test

# The servers that tests use are their own; they are stopped even when a test run is killed half-way. Tests start the
# program some hundred times: it is compiled once, whatever the shell says of keeping compiled files.
test: export PYTHONDONTWRITEBYTECODE :=
test:
	@$(BOOTSTRAP) test
	@trap '$(STOP_TEST_SERVERS)' EXIT; trap 'exit 130' INT TERM; $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(T)

# All checks run, whichever fails first.
check:
	@$(BOOTSTRAP) check
	@$(MAKE) --no-print-directory --keep-going lint format types layers migrations deployment

lint:
	$(PY) -m ruff check .

format:
	$(PY) -m ruff format --check .

types:
	$(PY) -m mypy .

layers:
	.venv/bin/lint-imports

migrations:
	CLM_DATA_DIR="$${CLM_TEST_DATA_DIR:-.data/test}" CLM_EMBEDDED_FAST=1 $(PY) manage.py makemigrations --check --dry-run

deployment:
	SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))') ALLOWED_HOSTS=clm.example.org HTTPS=1 \
		DATABASE_URL=postgres://clm@db/clm REDIS_URL=redis://broker/0 $(PY) manage.py check --deploy --fail-level WARNING

reset:
	@$(BOOTSTRAP) run
	@$(PY) manage.py embedded reset $(if $(filter 1,$(YES)),--yes)

# In this order: what needs no database, then what fills one, then what works on it. Never on the installation's own.
BENCHES := engine value load replay processor_time event_instants advance fills pages reports exports score acquisition experiments what_if ingest imports duplicates
B ?= $(patsubst bench/%.py,%,$(wildcard $(BENCHES:%=bench/%.py)))
bench: bench-packages
	@$(BOOTSTRAP) check
	@for name in $(B); do CLM_DATA_DIR="$${CLM_BENCH_DATA_DIR:-.data/bench}" $(PY) bench/$$name.py || exit 1; done

bench-packages: oracle-packages
	@$(BOOTSTRAP) bench

# The statistical packages that value models are held against, in an environment of their own.
oracle-packages:
	@$(BOOTSTRAP) oracles

# Each kind of test that could go on for ever goes on for so many minutes: fuzzing is three of the kinds.
MINUTES ?= 4
soak: oracle-packages
	@$(BOOTSTRAP) test
	@trap '$(STOP_TEST_SERVERS)' EXIT; trap 'exit 130' INT TERM; CLM_SOAK_MINUTES=$(MINUTES) $(PY) -m pytest -p tests.soak -m "soak or lasting" $(T)

PIN = $(PY) -m uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --universal --upgrade
pin:
	@$(BOOTSTRAP) check
	$(PIN) requirements.in -o requirements.txt
	$(PIN) requirements-dev.in -o requirements-dev.txt
	$(PIN) requirements-bench.in -o requirements-bench.txt
	$(PIN) requirements-oracles.in -o requirements-oracles.txt
	$(PIN) requirements-node.in -o requirements-node.txt
