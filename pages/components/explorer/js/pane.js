// One map: its canvases and camera, its instrument, colours and tip. The screen holds one or two;
// what is pointed at, selected and heard belongs to the explorer, so every map shows it.

class Pane {
  // place: 0 for the first map, whose instrument ranks the neighbours, 1 for the second.
  constructor(explorer, element, place) {
    Object.assign(this, { explorer, element, place, map: null });
    this.find = (name) => element.querySelector(name);
    this.field = this.find(".field");
    this.stage = new Stage(element, {
      scene: () => this.scene(), drawn: () => this.drawn(), still: () => explorer.still(),
    });
    this.pointer = new Pointer(this);
    this.tip = new Tip(this);
  }

  destroy() {
    this.pointer.destroy();
    this.stage.destroy();
    this.element.remove();
  }

  get instrument() { return this.explorer.view[this.place ? "second" : "instrument"]; }

  // Load the map that the view asks for and draw it; the dots glide there from where they are.
  async show(glide, library = this.explorer.library) {
    const { instrument } = this;
    const map = await library.map(instrument);
    if (this.gone || this.instrument !== instrument) return;
    this.recolour(library);
    this.stage.show(map, glide);
    this.explorer.root.dataset[this.place ? "second" : "map"] = instrument;
  }

  // The segments whose dots lie within a lasso.
  inside(corners) { return this.stage.places.inside(this.stage.camera, corners); }

  // Select everything that is seen.
  pickSeen() {
    const { width, height } = this.stage.camera;
    this.explorer.picked.choose(this.inside([[0, 0], [width, 0], [width, height], [0, height]]));
  }

  // For a table: [[name, segment → value], …].
  columns() {
    const { instrument, stage } = this;
    return ["x", "y"].map((axis, k) => (
      [`${instrument}_${axis}`, (s) => stage.to[2 * s + k].toFixed(4)]));
  }

  near(place, reach, most) { return this.stage.near(place, reach, most); }

  // ---- showing --------------------------------------------------------------------------------

  scene() {
    const { explorer } = this;
    const { library, cursor } = explorer;
    if (!library) return { ...explorer.scene(), path: [] };
    const { playing } = explorer.scene();
    const shown = cursor >= 0 ? cursor : (playing?.segment ?? -1);
    const [first, last] = shown >= 0 ? library.ranges[library.pieceOf(shown)] : [0, -1];
    return {
      ...explorer.scene(),
      path: Array.from({ length: Math.min(last - first + 1, 400) }, (_, k) => first + k),
      away: explorer.active !== this, lasso: this.pointer.lasso,
    };
  }

  drawn() {
    if (this.place === 0) this.explorer.drawn();
    this.tip.move();
  }

  // Colours and words that depend on the instrument.
  theme(instrument, look) {
    const { colour, label } = instrument;
    this.element.style.setProperty("--accent", colour || look.text);
    this.element.style.setProperty("--on-accent", colour ? inkOn(colour) : look.ground);
    this.find(".who").replaceChildren(icon(instrument.name), element("span", "", label));
    const what = instrument.name === "whole" ? "all instruments together" : instrument.name;
    const clips = this.explorer.data.library.segments;
    this.field.setAttribute("aria-label", `Map of ${clips} short clips by ${what}`);
    markPick(this.find(".picks"), instrument.name);
    this.stage.dirty();
  }

  recolour(library = this.explorer.library) {
    const { colour } = this.explorer.view;
    const { instrument } = this;
    const field = library.fields.find(({ key, instrument: own }) =>
      key === colour && (!own || own === instrument));
    const activity = colour === "activity" && instrument !== "whole";
    this.colouring = new Colouring(
      field ?? { key: activity ? "activity" : "piece" }, library, instrument);
    // The second map's legend says the same, unless the colours are about its instrument.
    const own = this.place === 0 || Boolean(field?.instrument) || activity;
    legend(this.find(".legend"), this.colouring, own, (code) => this.explorer.paint(code));
    this.paint(null, library);
  }

  // A dot in whose seconds the instrument is silent is drawn faintly; so is all but `only`,
  // and all that a lasso left out.
  paint(only = null, library = this.explorer.library) {
    const { colouring, instrument } = this;
    const { mask } = this.explorer.picked;
    const colours = new Uint8Array(4 * library.size);
    for (let s = 0; s < library.size; s++) {
      colours.set(colouring.of(s), 4 * s);
      const out = (only !== null && colouring.code(s) !== only) || (mask && !mask[s]);
      colours[4 * s + 3] = out ? 20 : library.lacks(s, instrument) ? 60 : 225;
    }
    this.stage.dots.paint(colours);
    this.stage.dirty();
  }
}

// What is said about the dot under the pointer, beside it.
class Tip {
  constructor(pane) {
    this.pane = pane;
    this.box = pane.find(".tip");
    this.segment = -1;
  }

  show(s) {
    const { pane, box } = this;
    const { library } = pane.explorer;
    this.segment = s;
    box.hidden = s < 0;
    if (s < 0) return;
    const { title, tempo } = library.piece(s);
    const time = `${clock(library.start(s))} – ${clock(library.start(s) + library.length)}`;
    const find = (name) => box.querySelector(name);
    find(".tip-title").textContent = title;
    find(".tip-line").textContent =
      tempo === null || title.includes("BPM") ? time : `${time} · ${Math.round(tempo)} BPM`;
    const value = pane.colouring.say(s);
    find(".tip-value").hidden = !value || title.includes(value);
    find(".tip-value .swatch").style.background = css(pane.colouring.of(s));
    find(".tip-value span").textContent = value;
    this.size = null;
  }

  // Keep it at its dot while the map moves.
  move() {
    if (this.segment < 0) return;
    const { camera, radius } = this.pane.stage;
    this.size ??= [this.box.offsetWidth, this.box.offsetHeight];
    const [width, height] = this.size;
    const [x, y] = this.pane.stage.at(this.segment);
    const left = Math.min(Math.max(x - width / 2, 6), camera.width - width - 6);
    const above = y - height - radius - 16;
    const top = above < 48 ? y + radius + 16 : above;
    this.box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}
