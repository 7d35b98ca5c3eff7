# Two commands do everything on a machine with python3: `make demo` and `make test`.
PYTHON ?= python3
# Another Python has an environment of its own: `make PYTHON=python3.12 test` makes .venv-3.12.
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BIN := $(VENV)/bin
OUT ?= out
# The tests share the cores among processes; threads of the matrix library would only get in their way.
docs test check audit corpus deep outside promises: export OPENBLAS_NUM_THREADS := 1

.PHONY: help demo docs test check lint types reports audit corpus deep outside promises bench format dist wheel-test sdist-test clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/activate:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "minidl needs Python 3.11 or later; $(PYTHON) is older or cannot be run: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp a set of packages, so that each command installs only what it needs.
$(VENV)/core.stamp: $(BIN)/activate pyproject.toml setup.py minidl/version.py README.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/%.stamp: $(BIN)/activate pyproject.toml setup.py minidl/version.py README.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/core.stamp ## train a network on the embedded digits; figures go to out/ (a few seconds)
	@echo 'demo: a network learns to read 1 797 small digits; it takes seconds'
	@start=$$(date +%s); $(BIN)/python examples/quickstart.py --out $(OUT) && echo "demo: $$(($$(date +%s) - start)) seconds"

docs: $(VENV)/docs.stamp ## the site of docs/, with the reference and the gallery, in out/site/html; needs no network to be read (about 2 minutes)
	@echo 'docs: about 2 minutes; examples are run for their figures'
	@$(BIN)/python -m docs.site $(OUT)/site

test: $(VENV)/test.stamp ## every test: derivatives hunted by hypothesis, docstrings, examples in quick mode (about 5 minutes)
	@echo 'all tests: about 5 minutes on 2 idle cores'
	@start=$$(date +%s); $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal; status=$$?; \
		echo "all tests: $$(($$(date +%s) - start)) seconds"; exit $$status

check: lint types ## all that must hold before a change lands: format, lint, types, tests with coverage
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --cov --cov-report=term

lint: $(VENV)/dev.stamp ## the part of `check` that ruff does
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp ## the part of `check` that mypy does
	$(BIN)/mypy

reports: $(VENV)/core.stamp ## reproduce the five course reports on MNIST and CIFAR-10 and write docs/results.md; about 75 minutes on 2 cores
	$(BIN)/python examples/reports/all.py --out $(OUT)/reports --docs docs

audit: $(VENV)/dev.stamp ## check every public class, in both forms of the kernels, and write docs/audit.md
	$(BIN)/python -m tests.tools.audit

corpus: $(VENV)/test.stamp ## count the wrong components the checks catch and the right ones they leave alone
	$(BIN)/python -m tests.tools.count_corpus

deep: $(VENV)/test.stamp ## the nastiest right components, 10 000 examples each; over an hour
	$(BIN)/python -m tests.tools.count_corpus --deep 10000

outside: $(VENV)/dev.stamp ## the checks on functions of PyTorch beside gradcheck: the tables of docs/custom_gradients.md
	$(BIN)/python -m tests.tools.outside_checks --write

promises: $(VENV)/test.stamp ## kill runs, damage files, pass nonsense, and count: the figures of docs/promises.md (about 5 minutes)
	$(BIN)/python -m tests.tools.count_promises

bench: $(VENV)/bench.stamp ## side-by-side timings, written to docs/performance/ for this processor; installs PyTorch (CPU), JAX and scikit-learn
	$(BIN)/python benchmarks/all.py

format: $(VENV)/dev.stamp ## rewrite the files as `check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dist: $(VENV)/release.stamp ## build the sdist and the wheel into dist/, and see that they hold all they should
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python .ci/contents.py

wheel-test: dist ## the tests against the wheel, without the sources and with the lowest versions that pyproject.toml allows
	.ci/wheel $(PYTHON)

sdist-test: dist ## the tests in the unpacked sdist
	.ci/sdist $(PYTHON)

clean: ## remove the environments and what the commands wrote
	rm -rf $(VENV) .venv .venv-* $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
