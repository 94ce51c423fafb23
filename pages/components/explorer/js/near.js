// The neighbours of the selected segment, asked for over HTTP, for the list and the maps.

class Near {
  constructor(explorer) {
    this.explorer = explorer;
    this.answer = null; // { question, neighbours, scale }
    this.asked = ""; // the question that is on its way
  }

  // The address at which the view's neighbours are found; empty where nothing is selected.
  get question() {
    const { view, data } = this.explorer;
    if (view.segment === null) return "";
    const { segment, instrument, count, among, by } = view;
    const asked = new URLSearchParams({ segment, instrument, count, among, by });
    return `${data.base}/near/${encodeURIComponent(view.library)}?${asked}`;
  }

  get fits() { return this.answer !== null && this.answer.question === this.question; }

  // An answer to an older question is dropped when it comes.
  async #ask() {
    const { explorer, question } = this;
    if (!question || this.fits || this.asked === question) return;
    this.asked = question;
    try {
      const reply = await fetch(question);
      if (!reply.ok) throw new Error(await reply.text());
      const answer = await reply.json();
      if (explorer.gone || this.question !== question) return;
      this.answer = { ...answer, question };
      this.show();
      explorer.redraw();
    } catch (error) {
      if (this.question !== question || explorer.gone) return;
      explorer.labels.notice(`The neighbours could not be found: ${error.message}`.slice(0, 300));
    } finally {
      if (this.asked === question) this.asked = "";
    }
  }

  // [{ segment, distance }], nearest first; none while the answer is on its way.
  found() { return this.fits ? this.answer.neighbours : []; }

  show() {
    const { explorer } = this;
    void this.#ask();
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
    side.near(selected, rows, this.answer?.scale ?? 1, !this.fits, view.by);
    Object.assign(root.dataset, { selected: view.segment ?? "", neighbours: rows.length });
    sound.prepare(rows.flatMap(({ segment, lacks }) =>
      (lacks || part === "whole" ? ["mix"] : ["mix", part]).map((name) => [segment, name])));
    explorer.heard();
  }
}
