// Who plays what: the part that is heard, clips by hand or by hovering, clips in a row.

class Playing {
  // of: { library(), data(), instrument(), changed() }
  constructor(of) {
    this.of = of;
    this.part = "mix"; // or "stem": the instrument that is compared, alone
    this.last = null; // { segment, part } heard now or before
    this.row = null; // { of, segments, at, each }: clips in a row
    this.sound = new Sound((s, part) => this.address(s, part), () => of.changed());
  }

  address(s, part) {
    const library = this.of.library();
    const { base, library: { name, version } } = this.of.data();
    const ask = new URLSearchParams({
      piece: library.piece(s).id, start: String(Math.round(library.start(s) * 1000) / 1000),
      length: String(library.length), v: version,
    });
    return `${base}/audio/${encodeURIComponent(name)}/${part}?${ask}`;
  }

  // What hovering plays: the mix, or the instrument that is compared.
  get heard() {
    const instrument = this.of.instrument();
    return this.part === "stem" && instrument !== "whole" ? instrument : "mix";
  }

  get inRow() { return this.row !== null; }

  // Whose row it is: "near", "picked", or "" while there is none.
  get rowOf() { return this.row?.of ?? ""; }

  play(s, part = this.heard) {
    this.row = null;
    this.#start(s, part, null);
  }

  #start(s, part, then) {
    this.last = { segment: s, part };
    this.sound.play(s, part, then);
  }

  stop(seconds) {
    this.row = null;
    this.sound.stop(seconds);
  }

  toggle(s, part) {
    if (this.sound.is(s, part)) this.stop();
    else this.play(s, part);
  }

  // Play what was heard last once more, or stop it.
  again() {
    if (this.sound.now || this.sound.wish || this.inRow) this.stop();
    else if (this.last) this.play(this.last.segment, this.last.part);
  }

  choose(part) {
    this.part = part;
    if (this.last) this.play(this.last.segment);
    else this.of.changed();
  }

  // One after the other from a place on; those in which the instrument is silent are left out.
  // each(place) is called when one begins.
  inTurn(of, segments, from = 0, each = () => {}) {
    const part = this.heard;
    const row = { of, segments };
    const next = (k) => {
      if (this.row !== row) return;
      while (k < segments.length && part !== "mix" && this.of.library().lacks(segments[k], part)) k++;
      if (k >= segments.length) {
        this.row = null;
        this.of.changed();
        return;
      }
      each(k);
      this.#start(segments[k], part, () => next(k + 1));
    };
    this.row = row;
    next(from);
  }

  // The clip in words: { title, line, warn }.
  describe() {
    if (!this.last) return null;
    const { segment, part } = this.last;
    const library = this.of.library();
    const { title, tempo } = library.piece(segment);
    const missing = part !== "mix" && library.lacks(segment, part);
    const words = [clock(library.start(segment)), part === "mix" ? "the mix" : `only the ${part}`];
    if (tempo !== null && !title.includes("BPM")) words.push(`${Math.round(tempo)} BPM`);
    const line = this.sound.problem || (missing ? `There is no ${part} in these seconds.` : words.join(" · "));
    return { title, line, warn: Boolean(this.sound.problem) || missing };
  }
}
