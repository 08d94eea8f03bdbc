# Everything happens in .venv, made from the versions in constraints.txt.
#
#   make reproduce   run the experiments and write the report
#   make test        run the whole test suite
#   make lint        run the linters and type checks
#   make install     only make or update .venv
#   make clean       remove .venv
#
# PYTHON=python3.12 chooses the Python that .venv is made of, PRESET=full another preset of experiments.

PYTHON ?= python3
PRESET ?= quick
WORKERS ?= 2

# Parallelism is over processes; threads of the numerical libraries would only get in each other's way.
THREADS = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
STAMP = .venv/installed

.PHONY: help install reproduce test lint clean

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
	$(THREADS) .venv/bin/python -m pytest -n $(WORKERS)

lint: $(STAMP)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv
