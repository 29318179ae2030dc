# Everything on a fresh machine with Python >= 3.11, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench clean

demo: $(READY)  ## make data, train, judge and draw: about five minutes
	$(BIN)/boxmask demo

test: $(READY)  ## the tests
	$(BIN)/python -m pytest -q

check: $(READY)  ## style, types, and who may import whom
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed beside torchvision's; time_to_accuracy.py, lineage.py and selective_search.py want photos
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/one_stage_step.py
	$(BIN)/python benchmarks/prediction.py

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(READY)

clean:
	rm -rf $(VENV) build dist
