# make app    the app, on this machine only          make corpus  the training corpus, from nothing
# make test   every test                             make train   train on that corpus
# make lint   ruff, mypy, import-linter              make demo    the demo, from the shipped model
# make bench  speeds, as ratios in one run           make setup   install, and nothing else
# make soak   what faults and crowds do to answers   make measures  what the Model page shows
PYTHON ?= python3
BIN := .venv/bin
CORPUS ?= corpus
OUT ?= runs/stemwise

.PHONY: app setup dev test lint bench soak corpus train measures measures-trained demo demo-study
.DEFAULT_GOAL := app

.venv/app: pyproject.toml constraints.txt
	@echo "Installing into .venv, once: some minutes, and on Linux 6 GB (PyTorch with CUDA)."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -c constraints.txt -e .
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

soak: .venv/dev
	$(BIN)/python -m soak

# Seed 11 is the shipped model's training corpus; its test pieces are the demo's.
corpus: .venv/app
	$(BIN)/csn compose --seed 11 --out $(CORPUS)/midi
	$(BIN)/csn render --midi $(CORPUS)/midi --out $(CORPUS)/audio --sample-rate 22050 --no-mix

train: .venv/app
	$(BIN)/csn train --recipe stemwise --corpus slakh:$(CORPUS)/audio --out $(OUT)

# Every file of the Model page, of the shipped model and of `make corpus`; half an hour on two cores.
# heldout: the test pieces in a soundfont that was never trained on (Debian's csound-soundfont).
EVALUATE := $(BIN)/csn evaluate
ALL := --corpus slakh:$(CORPUS)/audio
MMA := $(ALL) --source mma
HUMAN := $(ALL) --source human
measures: .venv/app
	$(EVALUATE) pseudo-mixes $(MMA) --out demo/measures/composed
	$(EVALUATE) identity $(MMA) --length 3 10 --out demo/measures/composed
	$(EVALUATE) leakage $(MMA) --out demo/measures/composed
	$(EVALUATE) pseudo-mixes $(MMA) --draws 5 --backings shared --out demo/measures/shared-backings
	$(EVALUATE) pseudo-mixes $(MMA) --draws 5 --levels 6 --out demo/measures/levels
	$(EVALUATE) pseudo-mixes $(MMA) --draws 3 --hold timbre --out demo/measures/timbre-equal
	$(EVALUATE) pseudo-mixes $(MMA) --draws 3 --hold notes --out demo/measures/notes-equal
	$(EVALUATE) pseudo-mixes $(HUMAN) --out demo/measures/human
	$(EVALUATE) leakage $(HUMAN) --out demo/measures/human
	ls $(CORPUS)/audio/test > $(CORPUS)/test.txt
	$(BIN)/csn render --midi $(CORPUS)/midi --only $(CORPUS)/test.txt --out $(CORPUS)/heldout \
	  --sample-rate 22050 --no-mix --fonts /usr/share/sounds/sf2/sf_GMbank.sf2
	$(EVALUATE) pseudo-mixes --corpus slakh:$(CORPUS)/heldout --source human --draws 5 \
	  --out demo/measures/heldout-font
	$(EVALUATE) probes $(ALL) --split all --out demo/measures/probes

# These train first, four hours on two cores, and go on where they were stopped.
SMALL := --features stemwise --pieces 134 --seeds 3
measures-trained: .venv/app
	$(BIN)/csn train individual $(ALL) $(SMALL) --steps 100 --out runs/individual
	$(EVALUATE) individual $(MMA) --individual runs/individual --model demo \
	  --out demo/measures/individual
	$(EVALUATE) identity $(MMA) --length 3 10 --individual runs/individual \
	  --out demo/measures/composed
	$(BIN)/csn ablate $(MMA) $(SMALL) --mixes 192000 --individual-steps 100 --draws 3 \
	  --out runs/recipes
	mkdir -p demo/measures/recipes
	cp runs/recipes/table.json demo/measures/recipes

demo: .venv/app
	$(BIN)/csn compose --seed 11 --out $(CORPUS)/midi
	$(BIN)/csn render --midi $(CORPUS)/midi --only demo/pieces.txt --out demo/corpus \
	  --codec opus --compression 0.925 --no-mix --seconds 46
	$(BIN)/csn embed --corpus demo --model demo --out demo/library --method all
	$(MAKE) demo-study

# Simulated listeners, marked as such, so that there is something to look at from the start.
demo-study: export STEMWISE_HOME := $(CURDIR)/.demo-home
demo-study: export STEMWISE_DATABASE_URL :=
demo-study: .venv/app
	rm -rf .demo-home demo/study
	$(BIN)/listening-test study new --preset recommended --set title="Demo: simulated listeners"
	$(BIN)/listening-test study prepare 1
	$(BIN)/listening-test study launch 1 --simulated
	$(BIN)/listening-test simulate 1 --listeners 24 --seed 0
	$(BIN)/listening-test export 1 --out demo/study --format parquet
	rm -rf .demo-home
