// The neighbours of the selected segment, as Python answers them, for the list and the maps.

class Near {
  constructor(explorer) {
    this.explorer = explorer;
    this.answer = null;
  }

  // Keep an answer that belongs to the view.
  heed(answer) {
    if (this.#fits(answer)) this.answer = answer;
  }

  #fits(answer) {
    const { view } = this.explorer;
    return Boolean(answer) && ["library", "instrument", "segment", "count", "among", "by"]
      .every((name) => answer[name] === view[name]);
  }

  // [{ segment, distance }], nearest first; none while the answer is on its way.
  found() { return this.#fits(this.answer) ? this.answer.neighbours : []; }

  show() {
    const { explorer } = this;
    const { library, view, side, sound, root } = explorer;
    const part = view.instrument;
    const name = (segment) => (
      { segment, title: library.piece(segment).title, time: clock(library.start(segment)) });
    const rows = this.found().map(({ segment, distance }, k) => (
      { ...name(segment), distance, rank: k + 1, lacks: library.lacks(segment, part) }));
    const selected = view.segment === null ? null : name(view.segment);
    if (selected) {
      const { base, library: { name: of } } = explorer.data;
      const asked = { piece: library.piece(view.segment).id, at: library.start(view.segment), library: of };
      explorer.find(".ask").href = `${base}/search?${new URLSearchParams(asked)}`;
    }
    side.near(selected, rows, this.answer?.scale ?? 1, !this.#fits(this.answer), view.by);
    Object.assign(root.dataset, { selected: view.segment ?? "", neighbours: rows.length });
    sound.prepare(rows.flatMap(({ segment, lacks }) =>
      (lacks || part === "whole" ? ["mix"] : ["mix", part]).map((name) => [segment, name])));
    explorer.heard();
  }
}
