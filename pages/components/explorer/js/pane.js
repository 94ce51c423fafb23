// One map: its canvases and camera, its instrument, colours and tip. The screen holds one or two;
// what is pointed at, selected and heard belongs to the explorer, so every map shows it.
//
// The explorer speaks of segments, the stage of dots. They are the same, but where each dot is a
// piece: then `rows` holds the segment to play for it, and all segments of a piece share its dot.

class Pane {
  // place: 0 for the first map, whose instrument ranks the neighbours, 1 for the second.
  constructor(explorer, element, place) {
    Object.assign(this, { explorer, element, place, rows: null, groups: null, heat: null });
    this.find = (name) => element.querySelector(name);
    this.field = this.find(".field");
    this.stage = new Stage(element, {
      scene: () => this.scene(), under: (pen, camera) => this.under(pen, camera),
      drawn: () => this.drawn(), still: () => explorer.cameras.still(),
    });
    this.pointer = new Pointer(this);
    this.tip = new Tip(this);
  }

  destroy() {
    this.gone = true;
    this.pointer.destroy();
    this.stage.destroy();
    this.element.remove();
  }

  get instrument() { return this.explorer.view[this.place ? "second" : "instrument"]; }
  get method() { return this.explorer.view[this.place ? "map2" : "map"]; }
  get wanted() { return [this.instrument, this.method, this.explorer.view.dots].join(); }

  // Load the map that the view asks for and draw it; the dots glide there from where they are.
  async show(glide, library = this.explorer.library) {
    const { instrument, method, wanted, explorer } = this;
    const pieces = explorer.view.dots === "pieces";
    const map = pieces ? await library.middles(instrument, method)
      : { places: await library.map(instrument, method), rows: null };
    if (this.gone || this.wanted !== wanted || explorer.library !== library) return;
    Object.assign(this, { rows: map.rows, groups: null, heat: null });
    this.stage.grown = pieces ? 1.6 : 1;
    this.stage.show(map.places, isSolid(method), glide);
    this.recolour();
    explorer.root.dataset[this.place ? "second" : "map"] = instrument;
    if (explorer.view.names) await this.group();
  }

  // The clusters of this map, once they are wanted.
  async group() {
    const { instrument, method, wanted } = this;
    const groups = await this.explorer.library.clusters(instrument, method);
    if (this.gone || this.wanted !== wanted) return;
    this.groups = groups;
    this.explorer.looks.clusters();
    this.stage.dirty();
  }

  // ---- dots and segments ----------------------------------------------------------------------

  segmentOf(i) { return this.rows ? this.rows[i] : i; }
  dotOf(s) { return this.rows ? this.explorer.library.pieceOf(s) : s; }
  at(s) { return this.stage.at(this.dotOf(s)); }
  reveal(s) { this.stage.reveal(this.dotOf(s)); }

  near(place, reach, most) { return this.stage.near(place, reach, most).map((i) => this.segmentOf(i)); }

  // The next segment in a direction of the screen, or in the middle; -1 where there is none.
  towards(from, dx, dy) {
    const { places, camera } = this.stage;
    const next = from < 0 ? places.middle(camera) : places.towards(camera, this.dotOf(from), dx, dy);
    return next < 0 ? next : this.segmentOf(next);
  }

  // The segments whose dots lie within a lasso.
  inside(corners) {
    const { places, camera } = this.stage;
    return places.inside(camera, corners).map((i) => this.segmentOf(i));
  }

  // Select everything that is seen.
  pickSeen() {
    const { width, height } = this.stage.camera;
    this.explorer.picked.choose(this.inside([[0, 0], [width, 0], [width, height], [0, height]]));
  }

  // Select the cluster k, or the one of a segment.
  async pickCluster(k, s = -1) {
    if (!this.groups) await this.group();
    const { members } = this.groups;
    const cluster = k ?? (s < 0 ? -1 : members[s]);
    if (cluster < 0) this.explorer.tellEar("This dot is in no cluster");
    else this.explorer.picked.choose(members.flatMap((own, row) => (own === cluster ? [row] : [])));
  }

  // For a table: [[name, segment → value], …].
  columns() {
    const { stage, groups } = this;
    const name = [this.instrument, this.method].filter(Boolean).join("_");
    const axes = stage.camera.solid ? ["x", "y", "z"] : ["x", "y"];
    const of = axes.map((axis, k) => (
      [`${name}_${axis}`, (s) => stage.to[3 * this.dotOf(s) + k].toFixed(4)]));
    const label = (s) => groups.clusters[groups.members[s]]?.label;
    return groups ? [...of, [`${name}_cluster`, (s) => (groups.members[s] < 0 ? "" : groups.members[s] + 1)],
      [`${name}_cluster_name`, label]] : of;
  }

  // ---- showing --------------------------------------------------------------------------------

  scene() {
    const { explorer } = this;
    const { library, cursor } = explorer;
    const all = explorer.scene();
    const shown = cursor >= 0 ? cursor : (all.playing?.segment ?? -1);
    const [first, last] = library && shown >= 0 && !this.rows ? library.ranges[library.pieceOf(shown)] : [0, -1];
    return {
      ...all, at: (s) => this.at(s), names: this.#names(),
      path: Array.from({ length: Math.min(last - first + 1, 400) }, (_, k) => first + k),
      away: explorer.active !== this, lasso: this.pointer.lasso,
    };
  }

  #names() {
    if (!this.groups || !this.explorer.view.names || this.stage.gliding) return [];
    const { camera } = this.stage;
    // "Mixed" on a map would tell nobody anything; the list says it.
    return this.groups.clusters.filter(({ tag }) => tag).map(({ at: [x, y, z], label }) => (
      { at: camera.screen(...camera.seen(x, y, z ?? 0)), label }));
  }

  under(pen, camera) {
    if (!this.explorer.view.density || camera.solid) return;
    this.heat ??= makeHeat(this.stage.to, this.rgb);
    paintHeat(pen, this.heat, camera);
  }

  drawn() {
    if (this.place === 0) this.explorer.drawn();
    this.tip.move();
  }

  // Colours and words that depend on the instrument.
  theme(instrument, look) {
    const { colour, label } = instrument;
    const accent = colour || look.text;
    this.element.style.setProperty("--accent", accent);
    this.element.style.setProperty("--on-accent", colour ? inkOn(colour) : look.ground);
    this.rgb = /^#[0-9a-f]{6}$/i.test(accent) ? [1, 3, 5].map((i) => parseInt(accent.slice(i, i + 2), 16)) : GREY;
    if (accent !== this.accent) {
      Object.assign(this, { accent, heat: null }); // density has the instrument's colour
      this.stage.repaint();
    }
    this.find(".who").replaceChildren(icon(instrument.name), element("span", "", label));
    const what = instrument.name === "whole" ? "all instruments together" : instrument.name;
    const { data, view } = this.explorer;
    const { segments, pieces } = data.library;
    const dots = view.dots === "pieces" ? `${pieces} pieces` : `${segments} short clips`;
    this.field.setAttribute("aria-label", `Map of ${dots} by ${what}`);
    markPick(this.find(".picks"), instrument.name);
    this.stage.dirty();
  }

  recolour() {
    const { library, view: { colour } } = this.explorer;
    const { instrument } = this;
    const field = library.fields.find(({ key, instrument: own }) =>
      key === colour && (!own || own === instrument));
    const activity = colour === "activity" && instrument !== "whole";
    this.colouring = new Colouring(
      field ?? { key: activity ? "activity" : "piece" }, library, instrument);
    // The second map's legend says the same, unless the colours are about its instrument.
    const own = this.place === 0 || Boolean(field?.instrument) || activity;
    legend(this.find(".legend"), this.colouring, own, (code) => this.explorer.paint(code));
    this.paint();
  }

  // A dot in whose seconds the instrument is silent is drawn faintly; so is all but `only`,
  // and all that a lasso left out.
  paint(only = null) {
    const { colouring, instrument, stage, explorer } = this;
    const { library, picked } = explorer;
    if (!colouring) return;
    const mask = this.rows ? picked.pieces : picked.mask;
    const colours = new Uint8Array(4 * stage.size);
    for (let i = 0; i < stage.size; i++) {
      const s = this.segmentOf(i);
      colours.set(colouring.of(s), 4 * i);
      const out = (only !== null && colouring.code(s) !== only) || (mask && !mask[i]);
      colours[4 * i + 3] = out ? 20 : library.lacks(s, instrument) ? 60 : 225;
    }
    stage.dots.paint(colours);
    stage.repaint();
  }
}
