# make app    the app, on this machine only          make corpus  the training corpus, from nothing
# make test   every test                             make train   train on that corpus
# make lint   ruff, mypy, import-linter              make bench   speeds, as ratios in one run
PYTHON ?= python3
BIN := .venv/bin
CORPUS ?= corpus
OUT ?= runs/stemwise

.PHONY: app setup dev test lint bench corpus train demo
.DEFAULT_GOAL := app

.venv/app: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev: .venv/app
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

setup: .venv/app
dev: .venv/dev

app: .venv/app
	$(BIN)/streamlit run app.py

test: .venv/dev
	$(BIN)/pytest -n 2 --dist loadfile

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

bench: .venv/dev
	$(BIN)/python -m bench

corpus: .venv/app
	$(BIN)/csn compose --out $(CORPUS)/midi
	$(BIN)/csn render --midi $(CORPUS)/midi --out $(CORPUS)/audio --sample-rate 22050

train: .venv/app
	$(BIN)/csn train --recipe stemwise --corpus slakh:$(CORPUS)/audio --out $(OUT)
