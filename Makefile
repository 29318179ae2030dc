# Works on a fresh machine with Python 3.11 or newer, pip and make.
PYTHON ?= python3
ifeq ($(PYTHON),python3)
VENV ?= .venv
else
VENV ?= .venv-$(notdir $(PYTHON))
endif
DOCTORS ?= $(VENV)-doctors
INPUTS ?= 10000
BIN := $(VENV)/bin
READY := $(VENV)/.ready

NPM := cd page && npm

.PHONY: demo test chaos check docs page page-check page-types bench bench-doctor fuzz clean

demo: $(READY)  ## generate photos, train, evaluate, predict: about five minutes
	$(BIN)/boxmask demo

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -q

chaos: $(READY)  ## kill a two-minute training 100 times and resume it each time: about half an hour
	$(BIN)/python -m pytest -q -m chaos tests/chaos tests/comparison/test_interrupted.py

check: $(READY)  ## style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

page: page/node_modules/.ready  ## build the page of boxmask serve into src/boxmask/serving/page/static/
	$(NPM) run --silent build

page-check: page/node_modules/.ready  ## style, types and tests of the page; the built page is that of its source
	$(NPM) run --silent check
	sh page/scripts/compare.sh

page-types: $(READY) page/node_modules/.ready  ## describe the routes of the server to the page, after a change
	$(BIN)/python page/scripts/openapi.py page/src/api/openapi.json
	$(NPM) run --silent types

bench: $(READY)  ## speed beside torchvision; the other scripts in benchmarks/ need labeled photos
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/one_stage_step.py
	$(BIN)/python benchmarks/prediction.py

bench-doctor: $(READY) $(DOCTORS)/.ready  ## what boxmask check and other programs find in damaged data sets
	$(BIN)/python benchmarks/bench_doctor.py --others $(DOCTORS)/bin/python

fuzz: $(READY)  ## damage the inputs of every reader and writer, INPUTS times each: about half an hour
	$(BIN)/python tests/fuzz/run.py --inputs $(INPUTS)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev,docs]"
	touch $(READY)

page/node_modules/.ready: page/package-lock.json
	$(NPM) ci --silent
	touch $@

# An environment of their own: their dependencies must not decide over those of boxmask.
$(DOCTORS)/.ready: pyproject.toml $(READY)
	$(PYTHON) -m venv $(DOCTORS)
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['bench-doctor'], sep='\n')" > $(DOCTORS)/requirements.txt
	$(DOCTORS)/bin/python -m pip install --quiet --requirement $(DOCTORS)/requirements.txt
	touch $@

clean:
	rm -rf .venv .venv-* build dist site
