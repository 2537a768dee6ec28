# One word for each job; .ci/run calls `make test` and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.lepton-setup
EXTRAS := dev,embedded,compiled,dashboards
PYTEST_ARGS ?=
SEEDS ?= 1000
FIRST ?= 0
SECONDS ?= 60
ROW ?=
MINUTES ?= 60
SEED ?= 1
ONLY ?=
BASE ?= HEAD~1
NAME ?= iot/air_quality
FIGURES := docs/performance.json

# The first interpreter that is new enough and can make a virtual environment; PYTHON=/path/to/python overrides.
CAPABLE := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c '$(CAPABLE)' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: help setup check quick test simulate mutants demo bench bench-autopilot bench-domains performance guard guard-record throttle peers slow faults \
	soak fuzz docs docs-check clean

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Create .venv and install the pinned packages (again only when they changed)

$(STAMP): pyproject.toml constraints.txt
	@if $(BIN)/python -c '$(CAPABLE)' 2>/dev/null; then exit 0; fi; \
	if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(CAPABLE)' 2>/dev/null; then \
		echo "setup: needs Python 3.11 or newer with the venv module (Debian: apt install python3.11-venv)." >&2; \
		echo "setup: found $$(python3 --version 2>&1 || true); name another one with: make setup PYTHON=/path/to/python3.11" >&2; \
		exit 1; fi; \
	echo "setup: 1/2 creating $(VENV) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear $(VENV)
	@echo "setup: 2/2 installing the packages of constraints.txt (a minute or two the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]' \
		| { grep -v '^Requirement already satisfied' || true; }
	@scripts/prometheus.sh
	@echo "setup: compiling the fast path into the user's cache folder (half a minute the first time)"
	@$(BIN)/python -m lepton_stream.compiled.warm
	@touch $@

check: setup  ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

quick: setup  ## Fast tests only: no Kafka, nothing slow
	$(BIN)/python -m pytest -q -m "not kafka and not slow" $(PYTEST_ARGS)

test: setup check docs-check guard  ## Setup, check, docs, guard, all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow and not kafka" -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m "not slow and kafka" -n 2 --dist loadfile $(PYTEST_ARGS)

slow: setup  ## The tests that take minutes: large inputs, ten kills in a row
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

faults: setup  ## Break brokers, workers and networks on purpose: make faults [ROW=F4] [SEED=1]; writes docs/promises.md
	FAULTS_ROW=$(ROW) FAULTS_SEED=$(SEED) FAULTS_PAGE=docs/promises.md \
		$(BIN)/python -m pytest tests/faults --show-capture=no $(PYTEST_ARGS)

fuzz: setup  ## Fuzz all that reads bytes of others, with atheris: make fuzz [SECONDS=60] [SEED=1]
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[fuzz]' \
		|| echo "fuzz: atheris cannot be had here"
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) --seed $(SEED)

soak: setup  ## Random faults for long, and no growth: make soak MINUTES=60 [SEED=1]
	FAULTS_ROW=F27 FAULTS_SEED=$(SEED) FAULTS_PAGE=docs/promises.md SOAK_MINUTES=$(MINUTES) \
		$(BIN)/python -m pytest tests/faults/test_soak.py -s --show-capture=no -p no:cacheprovider $(PYTEST_ARGS)

simulate: setup  ## The counting protocol under faults: make simulate SEEDS=100000 [FIRST=0]
	$(BIN)/python -m tests.protocol.simulate --seeds $(SEEDS) --first $(FIRST)

mutants: setup  ## The planted defects of the protocol: at which seed each is found
	$(BIN)/python -m tests.protocol.simulate --seeds $(SEEDS) --mutants

demo: setup  ## A shipped pipeline, live on a broker in memory, half a minute: make demo [NAME=iot/air_quality]
	$(BIN)/lepton-stream demo $(NAME)

bench: setup  ## Measure the engine on this machine, over files and through Apache Kafka: a few minutes
	$(BIN)/lepton-stream bench engine
	$(BIN)/lepton-stream bench end-to-end --part throughput

bench-domains: setup  ## Every shipped pipeline over its sample, repeated, on one core: events a second
	$(BIN)/lepton-stream bench domains

bench-autopilot: setup  ## The autopilot against static settings on Apache Kafka, two hours: make bench-autopilot [MINUTES=10]
	$(BIN)/lepton-stream bench autopilot $(if $(MINUTES),--minutes $(MINUTES))

performance: setup  ## Measure all of docs/performance.md and write it anew: make performance [BASE=HEAD~1], three hours
	$(BIN)/lepton-stream bench engine --record $(FIGURES)
	$(BIN)/lepton-stream bench engine --wide --record $(FIGURES)
	$(BIN)/lepton-stream bench engine --bad 0.2 --record $(FIGURES)
	$(BIN)/lepton-stream bench long --record $(FIGURES)
	$(BIN)/lepton-stream bench domains --record $(FIGURES)
	$(BIN)/lepton-stream bench end-to-end --record $(FIGURES)
	$(BIN)/lepton-stream bench end-to-end --part throughput --wide --record $(FIGURES)
	$(BIN)/lepton-stream bench end-to-end --part throughput --bad 0.2 --record $(FIGURES)
	$(BIN)/lepton-stream bench end-to-end --part throughput --route rows --record $(FIGURES)
	$(BIN)/lepton-stream bench scale --record $(FIGURES)
	$(BIN)/lepton-stream bench autopilot --record $(FIGURES)
	$(BIN)/lepton-stream bench compare $(BASE) --kafka --record $(FIGURES)
	$(BIN)/python -m scripts.generate_docs

guard: setup  ## Hold the hot kernels against what they cost when last recorded
	$(BIN)/python -m tests.bench.guard
	$(BIN)/python -m pytest -q tests/bench/test_guard.py -k dearer

guard-record: setup  ## Take what the hot kernels cost now, on this processor, as what they may cost
	$(BIN)/python -m tests.bench.guard --record

throttle: setup  ## Hold one of two workers to a quarter of a core: when does lag stop growing? Three minutes, Kafka
	$(BIN)/python -m tests.bench.throttle

peers: setup  ## The same workload through Flink, Kafka Streams, Bytewax and others: make peers [ONLY=lepton,flink]
	$(BIN)/python -m tests.bench.peers $(if $(ONLY),--only $(ONLY))

docs: setup  ## Regenerate the generated pages of docs/
	$(BIN)/python -m scripts.generate_docs

docs-check: setup  ## Fail when a generated page is stale
	$(BIN)/python -m scripts.generate_docs --check

clean:  ## Remove what was built (not .venv: delete that by hand)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -print0 | xargs -0 rm -rf
