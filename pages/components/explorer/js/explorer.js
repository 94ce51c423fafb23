// The screen: holds the view, puts the parts together, speaks with Python.
//
// The view (library, instruments, colours, selected segment, options) is decided here and told to
// Python, which keeps it in the page's address.

const SOON = 300; // milliseconds: the address can wait until the neighbours are there

class Explorer {
  constructor(root, data, tell) {
    Object.assign(this, { root, cursor: -1, pointed: -1, hovering: true });
    this.find = (name) => root.querySelector(name);
    this.view = { ...data.view };
    this.cameras = new Cameras(this);
    this.panes = [new Pane(this, this.find(".map"), 0)];
    this.second = new Second(this);
    this.active = this.panes[0]; // the map that was pointed at last
    this.playing = new Playing({
      library: () => this.library, data: () => this.data,
      instrument: () => this.active.instrument, changed: () => this.heard(),
    });
    this.sound = this.playing.sound;
    this.side = new Side(root, {
      play: (s, part) => this.playing.toggle(s, part),
      again: () => this.playing.again(),
      part: (name) => this.playing.choose(name),
      select: (s) => { this.select(s); this.reveal(s); },
      row: () => {
        const row = [this.view.segment, ...this.near.found().map(({ segment }) => segment)];
        if (this.playing.rowOf === "near") this.playing.stop();
        else this.playing.inTurn("near", row);
      },
      point: (s) => { this.pointed = s; this.redraw(); },
      option: (name, value) => this.option(name, value),
    });
    this.controls = new Controls(this);
    this.labels = new Labels(this);
    this.near = new Near(this);
    this.picked = new Picked(this);
    this.looks = new Looks(this);
    root.stemwise = this; // for tests and curious people
    this.receive(data, tell);
    setTimeout(() => this.heard(), 400); // by then an AudioContext that may run does
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.saying);
    for (const pane of this.panes) pane.destroy();
    this.controls.destroy();
    this.sound.close();
  }

  // The first map's.
  get stage() { return this.panes[0].stage; }
  get field() { return this.panes[0].field; }

  // Python has spoken: at first, after every choice, and when the theme changes.
  receive(data, tell) {
    const fresh = data.library.version !== this.data?.library.version;
    Object.assign(this, { data, tell });
    if (fresh) {
      this.view = { ...data.view };
      this.second.arrange();
      this.open();
    }
    this.side.options(this.view, data.libraries, data.focuses);
    this.labels.notice(data.notice);
    this.theme();
    if (this.library) this.near.show();
  }

  async open() {
    this.root.dataset.state = "loading";
    Object.assign(this, { library: null, cursor: -1 });
    this.near.answer = null;
    this.picked.forget();
    const { base, library, instruments } = this.data;
    const names = instruments.map(({ name }) => name).filter((name) => name !== "whole");
    const opening = new LibraryData(base, library.name, library.version, names);
    try {
      await Promise.all([opening.open(), ...this.panes.map((pane) => opening.map(pane.instrument, pane.method))]);
      if (this.gone || this.data.library.version !== opening.version) return;
      this.library = opening;
      await Promise.all(this.panes.map((pane) => pane.show(false)));
    } catch (error) {
      this.failed(error);
      return;
    }
    this.find(".problem").hidden = true;
    this.labels.fields(this.library.fields, this.view);
    this.root.dataset.state = "ready";
    this.near.show();
    this.looks.show();
    this.picked.heed(this.view.lasso);
    if (this.view.segment !== null && !this.view.camera) this.reveal(this.view.segment);
    this.cameras.heed();
    for (const { name } of instruments) { // ready for a switch
      for (const { method } of this.panes) opening.map(name, method).catch(() => {});
    }
  }

  failed(error) {
    this.root.dataset.state = "failed";
    this.find(".problem").hidden = false;
    this.find(".problem span").textContent = `The map could not be loaded: ${error.message}`;
    this.find(".problem button").onclick = () => this.open();
  }

  // ---- choosing -------------------------------------------------------------------------------

  async choose(instrument, pane = this.panes[0]) {
    const { library } = this;
    if (instrument === pane.instrument || !library) return;
    if (this.playing.heard !== "mix" || this.playing.inRow) this.playing.stop();
    this.view[pane.place ? "second" : "instrument"] = instrument;
    this.say();
    if (pane.place === 0) this.side.step("switch");
    this.theme();
    this.labels.fields(library.fields, this.view);
    this.near.show();
    this.point(-1, false);
    try {
      await pane.show(true);
    } catch (error) {
      this.failed(error);
    }
  }

  // The map that is pointed at: its instrument is the one to be heard alone.
  activate(pane) {
    if (pane === this.active) return;
    this.active.tip.show(-1);
    this.active = pane;
    this.side.hears(pane.instrument);
    this.looks?.clusters();
    this.redraw();
  }

  // The dot under the pointer, or the one that the arrow keys have reached; -1 for none.
  point(s, play = this.hovering) {
    if (s === this.cursor) return;
    this.cursor = s;
    this.active.tip.show(s);
    if (play && s >= 0) {
      this.playing.play(s);
      const around = this.active.near(this.active.at(s), 60, 4).filter((i) => i !== s);
      this.sound.prepare(around.map((i) => [i, this.playing.heard]));
    } else if (play && !this.playing.inRow) {
      this.playing.stop(0.12);
    }
    this.redraw();
  }

  select(s) {
    this.side.step("select");
    const coming = this.sound.wish?.segment === s;
    if (coming || this.sound.is(s, this.playing.heard)) this.playing.row = null;
    else this.playing.play(s);
    if (this.view.segment === s) return;
    this.view.segment = s;
    this.near.show();
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.say(), SOON);
    for (const pane of this.panes) if (pane !== this.active) pane.reveal(s);
  }

  surprise() {
    if (!this.library) return;
    const s = Math.floor(Math.random() * this.library.size);
    this.reveal(s);
    this.select(s);
  }

  option(name, value) {
    this.view[name] = value;
    if (name === "library") Object.assign(this.view, { segment: null, lasso: "", camera: "", camera2: "" });
    this.say();
    if (name === "colour") for (const pane of this.panes) pane.recolour();
    else this.near.show();
  }

  say() {
    clearTimeout(this.saying);
    this.tell("view", { ...this.view });
  }

  // ---- showing --------------------------------------------------------------------------------

  redraw() { for (const { stage } of this.panes) stage.dirty(); }
  reveal(s) { for (const pane of this.panes) pane.reveal(s); }
  paint(only) { for (const pane of this.panes) pane.paint(only); }
  pickCluster() {
    const s = this.cursor >= 0 ? this.cursor : (this.view.segment ?? -1);
    this.active.pickCluster(null, s).catch((error) => this.failed(error));
  }

  showAll() {
    for (const { stage, field } of this.panes) {
      stage.reset();
      field.style.touchAction = "pan-y";
    }
  }

  // What is heard has changed.
  heard() {
    if (this.gone) return;
    const { sound, playing } = this;
    const { now } = sound;
    Object.assign(this.root.dataset, {
      audio: sound.context.state, plays: sound.counts.plays,
      playing: now ? now.segment : "", part: now ? now.part : "",
    });
    this.find(".unlock").hidden = !sound.locked || this.root.dataset.state !== "ready";
    if (now) this.side.step("hover");
    if (this.library) this.side.now(playing.describe(), Boolean(now), Boolean(sound.wish));
    this.side.part(playing.part);
    this.side.sounding(now);
    this.side.rowButton(playing.rowOf === "near");
    this.picked?.show();
    this.controls.sound(sound.muted, this.hovering);
    this.redraw();
  }

  // What every map shows.
  scene() {
    const { library, sound, cursor, view, pointed } = this;
    const now = library ? sound.now : null;
    return {
      theme: this.look, cursor, selected: library ? (view.segment ?? -1) : -1,
      neighbours: this.near.found().map(({ segment }, k) => (
        { segment, rank: k + 1, pointed: segment === pointed || segment === now?.segment })),
      playing: now && {
        segment: now.segment, progress: sound.progress, level: STILL.matches ? 0 : sound.level,
      },
    };
  }

  drawn() {
    const { last } = this.playing;
    const clip = last && this.library ? this.sound.held(last.segment, last.part) : null;
    this.side.wave(clip, this.sound.progress, this.stage.ratio);
  }

  announce(s) {
    const what = this.playing.heard === "mix" ? "the mix" : this.playing.heard;
    const { title } = this.library.piece(s);
    this.tellEar(`${title}, ${Math.floor(this.library.start(s))} s, ${what}`);
  }

  // Said by a screen reader.
  tellEar(text) { this.find(".live").textContent = text; }

  theme() {
    const of = (name) => this.data.instruments.find((one) => one.name === name);
    const chosen = of(this.view.instrument);
    this.look = lookOf(this.root, chosen.colour);
    this.root.style.setProperty("--accent", this.look.accent);
    this.root.style.setProperty("--on-accent", this.look.onAccent);
    this.side.instrument(chosen.name === "whole" ? null : chosen, this.look.accent);
    this.side.hears(this.active.instrument);
    markPick(this.find(".picker"), chosen.name);
    for (const pane of this.panes) pane.theme(of(pane.instrument), this.look);
    const way = window.matchMedia("(hover: none)").matches ? "touch" : "hover";
    this.find(".words").textContent = this.data.words[this.view.dots][way][chosen.name];
  }
}

const mounted = new WeakMap();

export default function explore({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".stemwise");
  const explorer = mounted.get(root);
  if (explorer) explorer.receive(data, setStateValue);
  else mounted.set(root, new Explorer(root, data, setStateValue));
  return () => mounted.get(root)?.destroy();
}
