// The library as the browser knows it: pieces, segments, maps and their clusters, each fetched once.

const COLUMNS = 7; // of the matrix of segments: piece, start, five activities

class LibraryData {
  constructor(base, name, version, instruments) {
    this.root = `${base}/points/${encodeURIComponent(name)}`;
    this.version = version;
    this.instruments = instruments; // names, in the order of the activities
    this.kept = new Map(); // address → promise
  }

  async open() {
    const [about, segments] = await Promise.all([
      this.#get("about?").then((answer) => answer.json()), this.#get("segments?").then((answer) => answer.arrayBuffer()),
    ]);
    this.pieces = about.pieces;
    this.fields = about.fields;
    this.length = about.length;
    this.methods = about.maps; // by which maps were drawn
    this.size = about.segments;
    this.segments = new Float32Array(segments);
    this.ranges = this.pieces.map(() => [Infinity, -1]); // first and last segment of each piece
    for (let s = 0; s < this.size; s++) {
      const range = this.ranges[this.pieceOf(s)];
      range[0] = Math.min(range[0], s);
      range[1] = s;
    }
    return this;
  }

  // The map of a subspace by a method ("" for the usual one): Float32Array [3 × segments].
  map(subspace, method = "") {
    return this.#once(subspace, method, async (answer) => {
      const flat = new Float32Array(await answer.arrayBuffer());
      return inSpace(flat, isSolid(method) ? 3 : 2).places;
    });
  }

  // The same of its pieces: { places, rows: the segment to play for each }.
  middles(subspace, method) {
    return this.#once(`pieces-${subspace}`, method, async (answer) =>
      inSpace(new Float32Array(await answer.arrayBuffer()), isSolid(method) ? 4 : 3, 1));
  }

  // { clusters, members: of each segment, its cluster or -1 }.
  clusters(subspace, method) {
    return this.#once(`clusters-${subspace}`, method, (answer) => answer.json());
  }

  #once(what, method, read) {
    const address = method ? `${what}?method=${method}&` : `${what}?`;
    if (!this.kept.has(address)) {
      const promise = this.#get(address).then(read);
      promise.catch(() => this.kept.delete(address)); // so that it can be tried again
      this.kept.set(address, promise);
    }
    return this.kept.get(address);
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

  async #get(address) {
    const answer = await fetch(`${this.root}/${address}v=${this.version}`);
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 200) || `error ${answer.status}`);
    return answer;
  }
}

function isSolid(method) { return method.endsWith("3"); }

// Rows of two or three coordinates and perhaps a segment → x, y and z of each, and the segments.
function inSpace(matrix, width, more = 0) {
  const size = matrix.length / width;
  const places = new Float32Array(3 * size);
  const rows = new Uint32Array(more ? size : 0);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < width - more; k++) places[3 * i + k] = matrix[width * i + k];
    if (more) rows[i] = matrix[width * i + width - 1];
  }
  return { places, rows };
}
