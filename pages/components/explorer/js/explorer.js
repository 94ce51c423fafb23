// The screen: holds the view, puts the parts together, speaks with Python.
//
// The view (library, instrument, colours, selected segment, options) is decided here and told to
// Python, which answers with neighbours; an answer to an older view is ignored.

class Explorer {
  constructor(root, data, tell) {
    Object.assign(this, { root, cursor: -1, pointed: -1, hovering: true, answer: null });
    this.find = (name) => root.querySelector(name);
    this.field = this.find(".field");
    this.stage = new Stage(root, () => this.scene(), () => this.drawn());
    this.playing = new Playing({
      library: () => this.library, data: () => this.data,
      instrument: () => this.view.instrument, changed: () => this.heard(),
    });
    this.sound = this.playing.sound;
    this.side = new Side(root, {
      play: (s, part) => this.playing.toggle(s, part),
      again: () => this.playing.again(),
      part: (name) => this.playing.choose(name),
      select: (s) => { this.select(s); this.stage.reveal(s); },
      row: () => this.playing.inTurn([this.view.segment, ...this.found().map(({ segment }) => segment)]),
      point: (s) => { this.pointed = s; this.stage.dirty(); },
      option: (name, value) => this.option(name, value),
    });
    this.controls = new Controls(this);
    this.labels = new Labels(this);
    root.stemwise = this; // for tests and curious people
    this.receive(data, tell);
    setTimeout(() => this.heard(), 400); // by then an AudioContext that may run does
  }

  destroy() {
    this.gone = true;
    this.stage.destroy();
    this.controls.destroy();
    this.sound.close();
  }

  // Python has spoken: at first, after every choice, and when the theme changes.
  receive(data, tell) {
    const fresh = data.library.version !== this.data?.library.version;
    Object.assign(this, { data, tell });
    if (fresh) {
      this.view = { ...data.view };
      this.open();
    }
    if (this.answers(data.answer)) this.answer = data.answer;
    this.side.options(this.view, data.libraries, data.focuses);
    this.controls.instruments(data.instruments);
    this.labels.notice(data.notice);
    this.theme();
    this.words();
    if (this.library) this.neighbours();
  }

  async open() {
    this.root.dataset.state = "loading";
    Object.assign(this, { library: null, answer: null, cursor: -1 });
    const { base, library, instruments } = this.data;
    const names = instruments.map(({ name }) => name).filter((name) => name !== "whole");
    const opening = new LibraryData(base, library.name, library.version, names);
    try {
      const [map] = await Promise.all([opening.map(this.view.instrument), opening.open()]);
      if (this.gone || this.data.library.version !== opening.version) return;
      this.library = opening;
      this.stage.show(map, false);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.find(".problem").hidden = true;
    this.root.dataset.map = this.view.instrument;
    this.recolour();
    this.root.dataset.state = "ready";
    this.neighbours();
    if (this.view.segment !== null) this.stage.reveal(this.view.segment);
    for (const { name } of instruments) opening.map(name).catch(() => {}); // ready for a switch
  }

  failed(error) {
    this.root.dataset.state = "failed";
    this.find(".problem").hidden = false;
    this.find(".problem span").textContent = `The map could not be loaded: ${error.message}`;
    this.find(".problem button").onclick = () => this.open();
  }

  // ---- choosing -------------------------------------------------------------------------------

  async choose(instrument) {
    const { library } = this;
    if (instrument === this.view.instrument || !library) return;
    if (this.playing.heard !== "mix" || this.playing.inRow) this.playing.stop();
    this.view.instrument = instrument;
    this.say();
    this.side.step("switch");
    this.theme();
    this.words();
    this.recolour();
    this.neighbours();
    try {
      const map = await library.map(instrument);
      if (this.view.instrument !== instrument || this.library !== library) return;
      this.point(-1, false);
      this.stage.show(map, true);
      this.root.dataset.map = instrument;
    } catch (error) {
      this.failed(error);
    }
  }

  // The dot under the pointer, or the one that the arrow keys have reached; -1 for none.
  point(s, play = this.hovering) {
    if (s === this.cursor) return;
    this.cursor = s;
    this.labels.tip(s);
    if (play && s >= 0) {
      this.playing.play(s);
      const around = this.stage.near(this.stage.at(s), 60, 4).filter((i) => i !== s);
      this.sound.prepare(around.map((i) => [i, this.playing.heard]));
    } else if (play && !this.playing.inRow) {
      this.playing.stop(0.12);
    }
    this.stage.dirty();
  }

  select(s) {
    this.side.step("select");
    const coming = this.sound.wish?.segment === s;
    if (coming || this.sound.is(s, this.playing.heard)) this.playing.row = [];
    else this.playing.play(s);
    if (this.view.segment === s) return;
    this.view.segment = s;
    this.say();
    this.neighbours();
  }

  surprise() {
    if (!this.library) return;
    const s = Math.floor(Math.random() * this.library.size);
    this.stage.reveal(s);
    this.select(s);
  }

  option(name, value) {
    this.view[name] = value;
    if (name === "library") this.view.segment = null;
    this.say();
    if (name === "colour") this.recolour();
    else this.neighbours();
  }

  say() { this.tell("view", { ...this.view }); }

  // Whether an answer belongs to the view.
  answers(answer) {
    return Boolean(answer) && ["library", "instrument", "segment", "count", "among", "by"]
      .every((name) => answer[name] === this.view[name]);
  }

  found() { return this.answers(this.answer) ? this.answer.neighbours : []; }

  neighbours() {
    const { library, view } = this;
    const part = view.instrument;
    const name = (segment) => (
      { segment, title: library.piece(segment).title, time: clock(library.start(segment)) });
    const rows = this.found().map(({ segment, distance }, k) => (
      { ...name(segment), distance, rank: k + 1, lacks: library.lacks(segment, part) }));
    const selected = view.segment === null ? null : name(view.segment);
    if (selected) {
      const { id } = library.piece(view.segment);
      const asked = { piece: id, at: library.start(view.segment), library: this.data.library.name };
      this.find(".ask").href = `${this.data.base}/search?${new URLSearchParams(asked)}`;
    }
    this.side.near(selected, rows, this.answer?.scale ?? 1, !this.answers(this.answer), view.by);
    Object.assign(this.root.dataset, { selected: view.segment ?? "", neighbours: rows.length });
    this.sound.prepare(rows.flatMap(({ segment, lacks }) =>
      (lacks || part === "whole" ? ["mix"] : ["mix", part]).map((name) => [segment, name])));
    this.heard();
  }

  // ---- showing --------------------------------------------------------------------------------

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
    this.side.rowButton(playing.inRow);
    this.controls.sound(sound.muted, this.hovering);
    this.stage.dirty();
  }

  scene() {
    const { library, sound, cursor, view, pointed } = this;
    const now = library ? sound.now : null;
    const shown = cursor >= 0 ? cursor : (now?.segment ?? -1);
    const [first, last] = library && shown >= 0 ? library.ranges[library.pieceOf(shown)] : [0, -1];
    return {
      theme: this.look, cursor, selected: library ? (view.segment ?? -1) : -1,
      path: Array.from({ length: Math.min(last - first + 1, 400) }, (_, k) => first + k),
      neighbours: this.found().map(({ segment }, k) => (
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
    if (this.cursor >= 0) this.labels.moveTip(this.cursor);
  }

  announce(s) {
    const what = this.playing.heard === "mix" ? "the mix" : this.playing.heard;
    const { title } = this.library.piece(s);
    this.find(".live").textContent = `${title}, ${Math.floor(this.library.start(s))} s, ${what}`;
  }

  theme() {
    const chosen = this.data.instruments.find(({ name }) => name === this.view.instrument);
    const style = getComputedStyle(this.root);
    const token = (name, other) => style.getPropertyValue(name).trim() || other;
    const text = token("--st-text-color", "#1d1f24");
    const ground = token("--st-background-color", "#ffffff");
    const accent = chosen.colour || text;
    const onAccent = chosen.colour ? inkOn(chosen.colour) : ground;
    this.root.style.setProperty("--accent", accent);
    this.root.style.setProperty("--on-accent", onAccent);
    this.look = { text, ground, accent, onAccent, font: token("--st-font", "sans-serif") };
    this.side.instrument(chosen.name === "whole" ? null : chosen, accent);
    this.controls.chosen(this.view.instrument);
    this.stage.dirty();
  }

  words() {
    const way = window.matchMedia("(hover: none)").matches ? "touch" : "hover";
    this.find(".words").textContent = this.data.words[way][this.view.instrument];
    const what = this.view.instrument === "whole" ? "all instruments together" : this.view.instrument;
    this.field.setAttribute("aria-label", `Map of ${this.data.library.segments} short clips by ${what}`);
  }

  recolour() {
    const { library, view } = this;
    const field = library.fields.find(({ key, instrument }) =>
      key === view.colour && (!instrument || instrument === view.instrument));
    const activity = view.colour === "activity" && view.instrument !== "whole";
    this.colouring = new Colouring(
      field ?? { key: activity ? "activity" : "piece" }, library, view.instrument);
    this.labels.fields(library.fields, view);
    this.labels.legend(this.colouring);
    this.paint();
  }

  // A dot in whose seconds the instrument is silent is drawn faintly; so is all but `only`.
  paint(only = null) {
    const { library, colouring, view } = this;
    const colours = new Uint8Array(4 * library.size);
    for (let s = 0; s < library.size; s++) {
      colours.set(colouring.of(s), 4 * s);
      const out = only !== null && colouring.code(s) !== only;
      colours[4 * s + 3] = out ? 20 : library.lacks(s, view.instrument) ? 60 : 225;
    }
    this.stage.dots.paint(colours);
    this.stage.dirty();
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
