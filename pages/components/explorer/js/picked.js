// A selection of many dots: lassoed, all that are seen, or a cluster; heard in a row, taken away.

const LASSO_MOST = 1500; // characters of it in the address

class Picked {
  constructor(explorer) {
    Object.assign(this, { explorer, list: [], mask: null, pieces: null, at: -1 });
    this.find = (name) => explorer.root.querySelector(name);
    for (const [name, glyph, act] of [
      ["tray-back", "back", () => this.step(-1)], ["tray-next", "next", () => this.step(1)],
      ["tray-clear", "close", () => this.choose([])],
    ]) {
      this.find(`.${name}`).append(icon(glyph));
      this.find(`.${name}`).onclick = act;
    }
    this.find(".tray-play").onclick = () => this.play();
    this.find(".tray-table").onclick = async () => {
      await Promise.allSettled(explorer.panes.map((pane) => pane.group())); // for the clusters' names
      this.#save("csv", "text/csv", pickedTable(explorer, this.list));
    };
    this.find(".tray-playlist").onclick = () =>
      this.#save("m3u8", "application/vnd.apple.mpegurl", pickedPlaylist(explorer, this.list));
  }

  // Another library has come.
  forget() {
    Object.assign(this, { list: [], mask: null, pieces: null, at: -1 });
    this.show();
  }

  // Select these segments instead of what was selected, or as well.
  choose(segments, add = false) {
    const { explorer } = this;
    if (!explorer.library) return;
    if (explorer.playing.rowOf === "picked") explorer.playing.stop();
    const mask = add && this.mask ? this.mask : new Uint8Array(explorer.library.size);
    for (const s of segments) mask[s] = 1;
    this.list = [];
    for (let s = 0; s < mask.length; s++) if (mask[s]) this.list.push(s);
    this.mask = this.list.length ? mask : null;
    this.pieces = this.mask && new Uint8Array(explorer.library.pieces.length);
    for (const s of this.list) this.pieces[explorer.library.pieceOf(s)] = 1;
    this.at = -1;
    this.words = this.#words();
    this.show();
    explorer.paint();
    explorer.view.lasso = this.#address();
    explorer.say();
    explorer.tellEar(this.list.length ? `${this.words} selected` : "Nothing selected");
  }

  #words() {
    const pieces = this.pieces ? this.pieces.reduce((sum, one) => sum + one, 0) : 0;
    const many = (n, name) => `${n.toLocaleString("en")} ${name}${n === 1 ? "" : "s"}`;
    return `${many(this.list.length, "dot")}, ${many(pieces, "piece")}`;
  }

  // For the page's address: the library's mark and runs of rows, "1a2b3c4d:3-9.14"; empty for
  // none, and for more than an address should carry.
  #address() {
    const runs = [];
    for (const s of this.list) {
      const last = runs[runs.length - 1];
      if (last?.[1] === s - 1) last[1] = s;
      else runs.push([s, s]);
      if (runs.length > LASSO_MOST / 2) break; // too many already
    }
    const text = runs.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(".");
    this.kept = text.length <= LASSO_MOST;
    return this.list.length && this.kept ? `${this.explorer.data.library.mark}:${text}` : "";
  }

  // Select what an address says; Python has made sure that it fits the library.
  heed(said) {
    if (!said) return;
    this.choose(said.split(":")[1].split(".").flatMap((run) => {
      const [a, b = a] = run.split("-").map(Number);
      return Array.from({ length: b - a + 1 }, (_, k) => a + k);
    }));
  }

  // Play them in a row from the first, or stop.
  play() {
    if (this.explorer.playing.rowOf === "picked") this.explorer.playing.stop();
    else this.#from(0);
  }

  // The one before or after.
  step(by) {
    if (this.list.length) this.#from((this.at + by + this.list.length) % this.list.length);
  }

  #from(k) {
    if (!this.list.length) return;
    this.explorer.playing.inTurn("picked", this.list, k, (now) => { this.at = now; this.show(); });
  }

  show() {
    const { list, at } = this;
    this.explorer.root.dataset.picked = list.length;
    this.find(".tray").hidden = !list.length;
    if (!list.length) return;
    this.find(".tray-note").hidden = this.kept;
    const running = this.explorer.playing.rowOf === "picked";
    this.find(".tray-words").textContent = running ? `${at + 1} of ${list.length}` : this.words;
    this.find(".tray-play").replaceChildren(
      icon(running ? "stop" : "row"), element("span", "", running ? "Stop" : "Play in a row"));
  }

  #save(ending, type, text) {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    link.download = `stemwise-${this.explorer.view.library}-${this.list.length}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
}

// CSV (RFC 4180), one row a segment: what it is, where it lies on the maps that are shown, tags.
function pickedTable(explorer, list) {
  const { library, panes } = explorer;
  const columns = [
    ["piece", (s) => library.piece(s).id], ["title", (s) => library.piece(s).title],
    ["start", (s) => library.start(s)], ["length", () => library.length],
    ["tempo", (s) => library.piece(s).tempo],
  ];
  for (const pane of panes) columns.push(...pane.columns());
  for (const { key, instrument, values, codes } of library.fields) {
    const name = instrument ? `${key}_${instrument}` : key;
    if (values) columns.push([name, (s) => values[codes[library.pieceOf(s)]]]);
  }
  for (const name of library.instruments) {
    const known = (s) => (library.activity(s, name) < 0 ? "" : library.activity(s, name).toFixed(3));
    columns.push([`activity_${name}`, known]);
  }
  const cell = (value) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = [columns.map(([name]) => name), ...list.map((s) => columns.map(([, of]) => of(s)))];
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

// M3U8 with whole addresses, of the mixes or the instrument, whichever is heard.
function pickedPlaylist({ library, playing }, list) {
  const clips = list.flatMap((s) => {
    const title = library.piece(s).title.replace(/\s+/g, " ");
    const address = new URL(playing.address(s, playing.heard), window.location.href);
    return [`#EXTINF:${library.length},${title} (${clock(library.start(s))})`, address.href];
  });
  return ["#EXTM3U", ...clips, ""].join("\n");
}
