# Everything goes through one virtual environment, made on first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo-out

.PHONY: demo test lint types layers docs-check docs bench faults damage sample-data clean

demo: $(VENV)/installed
	@rm -rf $(DEMO_OUT)
	@$(BIN)/aggregator run sample_data/exports/shop-a-gb18030.csv sample_data/exports/shop-b.csv \
	  --receipts sample_data/exports/receipts.csv --period 2026-10 --first-period 2026-09 --out $(DEMO_OUT); \
	  code=$$?; if [ $$code -ne 0 ] && [ $$code -ne 3 ]; then exit $$code; fi
	@echo
	@echo "Made in $(DEMO_OUT)/2026-10/202610-01:"
	@echo "  declarations.csv, declaration_items.csv   the summary declarations and their items"
	@echo "  audit_map.parquet                         each declared line and the item it went into"
	@echo "  report.html                               the run for people"
	@echo "  findings.csv, rejected/                   what is wrong, and the lines to mend"
	@echo "  excluded.csv                              what is right but not to be declared now, and why"
	@echo "  control_totals.csv, manifest.json         proof that nothing was lost, and what the run was made of"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

layers: $(VENV)/installed-dev
	$(BIN)/lint-imports

docs: $(VENV)/installed-dev
	$(BIN)/python docs/generate.py

docs-check: $(VENV)/installed-dev
	$(BIN)/python docs/generate.py --check

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/formats.py
	$(BIN)/python benchmarks/answers.py

faults: $(VENV)/installed-dev
	$(BIN)/python -m tests.faults
	HYPOTHESIS_PROFILE=long ROUND_TRIP=100000 $(BIN)/python -m pytest -n 2 tests/test_history.py tests/test_receive.py
	DAMAGE_TRIALS=40000 $(BIN)/python -m pytest -n 2 tests/test_damage.py
	BIT_FLIPS=20000 $(BIN)/python -m pytest -n 2 tests/test_bit_flips.py

# A sound export polluted in every way at every place in every dialect: counts by kind and class. Twenty minutes of one core.
damage: $(VENV)/installed-dev
	$(BIN)/python -m tests.pollution

sample-data: $(VENV)/installed-dev
	$(BIN)/python sample_data/make.py

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO_OUT) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
