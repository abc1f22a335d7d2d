.PHONY: demo test test-long lint types format bench clean

demo:
	@scripts/setup.sh runtime
	@.venv/bin/sozialraumkarte demo

test:
	@scripts/setup.sh dev
	@.venv/bin/python -m pytest -n 2 --dist loadfile -m "not long"

test-long:
	@scripts/setup.sh dev
	@.venv/bin/python -m pytest -n 2 --dist loadfile

lint:
	@scripts/setup.sh dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types:
	@scripts/setup.sh dev
	@.venv/bin/mypy

bench:
	@scripts/setup.sh dev
	@.venv/bin/python -m bench

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build layers/assets/node_modules
