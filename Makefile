# Everything happens in .venv, made from the versions in constraints.txt.
#
#   make reproduce   run the experiments and write the report
#   make test        run the whole test suite
#   make fuzz        give mutated files to all readers, for FUZZ_SECONDS=120 and as many examples as FUZZ_EXAMPLES=200
#                    (with atheris installed, FUZZ_GUIDED="graphs.read" goes on with that reader, guided by coverage)
#   make faults      strike all long jobs with FAULTS=60 faults, and compare what they make after going on
#   make images      draw the images of the docs, from real draws and from results/
#   make docs        build the site into build/site, strictly
#   make bench       measure beside the best peers, and name what has become slower; QUICK=--quick takes smaller inputs
#   make lint        run the linters and type checks
#   make install     only make or update .venv
#   make clean       remove .venv
#
# PYTHON=python3.12 chooses the Python that .venv is made of, PRESET=full another preset of experiments.

PYTHON ?= python3
PRESET ?= quick
WORKERS ?= 2
FUZZ_SECONDS ?= 120
FUZZ_EXAMPLES ?= 200
FUZZ_GUIDED ?=
FAULTS ?= 60
FAULT_JOBS ?=
QUICK ?=
RELIABILITY ?= runs/reliability

# Parallelism is over processes; threads of the numerical libraries would only get in each other's way.
THREADS = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
STAMP = .venv/installed

.PHONY: help install reproduce test fuzz faults images docs bench lint clean

help:
	@sed -n 's/^#   //p' Makefile

install: $(STAMP)

# The stamp comes last: an install that was interrupted is taken up again.
$(STAMP): pyproject.toml experiments/pyproject.toml constraints.txt
	@rm -f $@
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'sympe needs Python 3.11 or newer: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]' -e './experiments[all]'
	@touch $@

reproduce: $(STAMP)
	.venv/bin/sympe reproduce --preset $(PRESET)

test: $(STAMP)
	$(THREADS) .venv/bin/python -m pytest -n $(WORKERS) --dist worksteal

# Both go on where their record stops; docs/reliability.md is made from the records in results/reliability.
fuzz: $(STAMP)
	$(THREADS) PYTHONPATH=experiments/tests .venv/bin/python -m fuzz.run --seconds $(FUZZ_SECONDS) \
		--out $(RELIABILITY)/fuzz.json
	$(if $(FUZZ_GUIDED),PYTHONPATH=experiments/tests .venv/bin/python -m fuzz.guided "$(FUZZ_GUIDED)" \
		--seconds $(FUZZ_SECONDS) --kept "$(RELIABILITY)/guided/$(FUZZ_GUIDED)")
	$(THREADS) FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) .venv/bin/python -m pytest -q experiments/tests/fuzz/test_strategies.py

faults: $(STAMP)
	$(THREADS) PYTHONPATH=tests:experiments/tests .venv/bin/python -m faults.run --faults $(FAULTS) \
		$(if $(FAULT_JOBS),--jobs $(FAULT_JOBS)) --out $(RELIABILITY)/faults.json

images: $(STAMP)
	$(THREADS) .venv/bin/python docs/images/draw.py

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

bench: $(STAMP)
	$(THREADS) .venv/bin/python benchmarks/bench.py $(QUICK)

lint: $(STAMP)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv
