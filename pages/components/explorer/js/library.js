// The library as the browser knows it: pieces, segments and maps, each fetched once.

const COLUMNS = 7; // of the matrix of segments: piece, start, five activities

class LibraryData {
  constructor(base, name, version, instruments) {
    this.root = `${base}/points/${encodeURIComponent(name)}`;
    this.version = version;
    this.instruments = instruments; // names, in the order of the activities
    this.maps = new Map();
  }

  async open() {
    const [about, segments] = await Promise.all([
      this.#get("about").then((answer) => answer.json()), this.#matrix("segments"),
    ]);
    this.pieces = about.pieces;
    this.fields = about.fields;
    this.length = about.length;
    this.size = about.segments;
    this.segments = segments;
    this.ranges = this.pieces.map(() => [Infinity, -1]); // first and last segment of each piece
    for (let s = 0; s < this.size; s++) {
      const range = this.ranges[this.pieceOf(s)];
      range[0] = Math.min(range[0], s);
      range[1] = s;
    }
    return this;
  }

  // The map of a subspace: Float32Array [2 × segments], in [-1, 1].
  map(subspace) {
    if (!this.maps.has(subspace)) {
      const promise = this.#matrix(subspace);
      promise.catch(() => this.maps.delete(subspace)); // so that it can be tried again
      this.maps.set(subspace, promise);
    }
    return this.maps.get(subspace);
  }

  pieceOf(s) { return this.segments[s * COLUMNS]; }
  start(s) { return this.segments[s * COLUMNS + 1]; }
  piece(s) { return this.pieces[this.pieceOf(s)]; }

  // Fraction of the segment in which the instrument sounds, -1 where nobody knows.
  activity(s, instrument) {
    const c = this.instruments.indexOf(instrument);
    return c < 0 ? -1 : this.segments[s * COLUMNS + 2 + c];
  }

  lacks(s, instrument) {
    const activity = this.activity(s, instrument);
    return activity >= 0 && activity < 0.02;
  }

  async #get(what) {
    const answer = await fetch(`${this.root}/${what}?v=${this.version}`);
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 200) || `error ${answer.status}`);
    return answer;
  }

  async #matrix(what) {
    return new Float32Array(await (await this.#get(what)).arrayBuffer());
  }
}
