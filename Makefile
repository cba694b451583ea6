# Everything goes through one virtual environment, made on first use with the versions of constraints.txt.
# Another Python beside it: make test PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo-out
LOWEST := .venv-lowest
SPARK := tests/contracts/test_engines.py tests/contracts/test_engines_and_ledger.py tests/jobs/test_hadoop.py tests/jobs/test_spark.py
QUICK := tests/cli/test_cli.py tests/jobs/test_golden.py tests/inputs/test_formats.py
export UV_PYTHON_DOWNLOADS := never
# Modules are kept compiled, whatever the caller's environment says: compiling them anew takes a sixth of a small run.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-spark long quick lowest constraints lint types layers docs-check docs sbom licences reproducible bench bench-check faults damage attack sample-data clean

demo: $(VENV)/installed
	@rm -rf $(DEMO_OUT)
	@$(BIN)/aggregator run sample_data/exports/shop-a-gb18030.csv sample_data/exports/shop-b.csv \
	  --receipts sample_data/exports/receipts.csv --period 2026-10 --first-period 2026-09 --out $(DEMO_OUT); \
	  code=$$?; if [ $$code -ne 0 ] && [ $$code -ne 3 ]; then exit $$code; fi
	@echo
	@echo "Made in / 结果位于 $(DEMO_OUT)/2026-10/202610-01:"
	@echo "  report.html                               the run for people: open it first / 批次报告，请先打开"
	@echo "  declarations.csv, declaration_items.csv   the summary declarations and their items / 报关单及商品项"
	@echo "  audit_map.parquet                         each declared line and the item it went into / 归并对应关系"
	@echo "  findings.csv, rejected/                   what is wrong, and the lines to correct / 问题，及待更正的行"
	@echo "  excluded.csv                              what is right but not to be declared now, and why / 被排除的清单及原因"
	@echo "  control_totals.csv, manifest.json         proof that nothing was lost / 控制合计，证明没有遗漏"
	@echo
	@echo "Business to business (9710), a month of orders / 一个月的 B2B 订单:"
	@echo "  $(BIN)/aggregator run sample_data/orders/orders.csv --config sample_data/orders/aggregator.toml --period 2026-10 --out orders-out"
	@echo
	@echo "Market procurement (1039), a month of trade slips / 一个月的市场采购交易单:"
	@echo "  $(BIN)/aggregator run sample_data/market/slips.csv --config sample_data/market/aggregator.toml --period 2026-10 --out market-out"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 -m "not long and not spark"

# What runs on Spark, on executors of its own: the same bytes as here. A minute and a half; needs Java 17.
test-spark: $(VENV)/installed-spark
	$(BIN)/python -m pytest -m spark $(SPARK)

# Everything: also servers, browsers, Spark and long searches, and properties with all their examples. About an hour.
long: $(VENV)/installed-spark
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2

# Two minutes: what shows that a Python, or a set of versions, carries the program.
quick: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 $(QUICK)

# The oldest version that pyproject.toml allows of everything it names.
lowest: $(VENV)/installed-uv
	$(BIN)/uv venv --quiet --clear --python $(PYTHON) $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --only-binary :all: \
	  -r pyproject.toml --extra dev
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps -e .
	$(LOWEST)/bin/python -m pytest -n 2 -p no:cacheprovider $(QUICK)

# Renews constraints.txt: the newest versions that pyproject.toml allows, for every Python from 3.11.
constraints: $(VENV)/installed-uv
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --extra dev --extra spark \
	  --no-annotate --custom-compile-command 'make constraints' --output-file constraints.txt

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

# What it is made of: dist/sbom.cdx.json (CycloneDX), from constraints.txt.
sbom: $(VENV)/installed-dev
	$(BIN)/python -m supply.bom

# Fails where the licence of a package is not known, or not allowed.
licences: $(VENV)/installed-dev
	$(BIN)/python -m supply.licences

# Wheel and sources, built twice in different places, must be the same bytes; they are left in dist/.
reproducible: $(VENV)/installed-dev $(VENV)/installed-uv
	$(BIN)/python -m supply.reproducible

bench: $(VENV)/installed-spark
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.steps
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python -m benchmarks.ledger_postgres
	$(BIN)/python benchmarks/formats.py
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python -m benchmarks.spark

# Fails when a ratio is over 25 % worse than the committed one.
bench-check: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.bench --check

faults: $(VENV)/installed-dev
	$(BIN)/python -m tests.faults
	POSTGRES_FAULTS=0 $(BIN)/python -m pytest -n 2 tests/faults/test_postgres_faults.py
	HISTORIES=200 HYPOTHESIS_PROFILE=long ROUND_TRIP=100000 $(BIN)/python -m pytest -n 2 tests/jobs/test_history.py tests/jobs/test_receive.py
	DAMAGE_TRIALS=40000 $(BIN)/python -m pytest -n 2 tests/ledger/test_damage.py
	BIT_FLIPS=20000 $(BIN)/python -m pytest -n 2 tests/ledger/test_bit_flips.py

# The red team: thousands of hostile inputs, names, settings and files; docs/security.md says what each must never do. Minutes of two cores.
attack: $(VENV)/installed-dev
	$(BIN)/python -m tests.attack

# A sound export polluted in every way at every place in every dialect: counts by kind and class. Twenty minutes of one core.
damage: $(VENV)/installed-dev
	$(BIN)/python -m tests.pollution

sample-data: $(VENV)/installed-dev
	$(BIN)/python sample_data/make.py

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --constraint constraints.txt -e .
	@$(BIN)/python -m compileall -q aggregator schemas
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --constraint constraints.txt -e '.[dev]'
	@touch $@

# Some 450 MB: only what runs on Spark needs it.
$(VENV)/installed-spark: $(VENV)/installed-dev
	$(INSTALL) --constraint constraints.txt -e '.[spark]'
	@touch $@

$(VENV)/installed-uv:
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) 'uv>=0.9,<1'
	@touch $@

clean:
	rm -rf $(VENV) .venv-* $(DEMO_OUT) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
