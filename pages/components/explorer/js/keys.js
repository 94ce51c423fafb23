// What is typed on the map and around it.

class Keys {
  constructor(explorer, controls) {
    Object.assign(this, { explorer, controls });
  }

  typed(event) {
    const { explorer } = this;
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    if (target.type === "checkbox" && event.key === " ") return;
    const pane = explorer.panes.find(({ field }) => field === target);
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const digit = /^Digit[1-9]$/.test(event.code) ? Number(event.code.slice(5)) - 1 : Number(event.key) - 1;
    const act = this.#acts()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (pane && arrow && event.shiftKey) pane.stage.camera.drag(-60 * arrow[0], -60 * arrow[1]);
    else if (pane && arrow) this.#walk(pane, ...arrow);
    else if (pane && event.key === "Enter") {
      if (explorer.cursor >= 0) explorer.select(explorer.cursor);
    } else if (event.key === " " && target.tagName !== "BUTTON") {
      if (pane && !explorer.playing.last && explorer.cursor >= 0) explorer.playing.play(explorer.cursor);
      else explorer.playing.again();
    } else if (digit >= 0 && digit < explorer.data.instruments.length) {
      const { name } = explorer.data.instruments[digit];
      if (event.shiftKey) explorer.second.compare(name);
      else explorer.choose(name);
    } else if (act) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #acts() {
    const { explorer, controls } = this;
    const { picked, looks } = explorer;
    const { camera } = explorer.active.stage;
    return {
      "+": () => camera.zoomAt(1.5), "=": () => camera.zoomAt(1.5),
      "-": () => camera.zoomAt(1 / 1.5), "0": () => explorer.showAll(),
      m: () => explorer.sound.mute(!explorer.sound.muted), h: () => controls.toggleHover(),
      s: () => explorer.surprise(), d: () => explorer.second.compare(),
      t: () => explorer.playing.choose(explorer.playing.part === "mix" ? "stem" : "mix"),
      l: () => controls.lasso(), a: () => explorer.active.pickSeen(), x: () => picked.choose([]),
      p: () => picked.play(), n: () => picked.step(1), b: () => picked.step(-1),
      c: () => explorer.pickCluster(),
      v: () => controls.panel("view"), y: () => looks.next(),
      u: () => looks.redraw("dots", explorer.view.dots === "pieces" ? "segments" : "pieces"),
      g: () => looks.toggle("density"), k: () => looks.toggle("names"),
      "?": () => controls.panel("help"),
      Escape: () => { controls.panel(""); controls.lasso(false); },
    };
  }

  #walk(pane, dx, dy) {
    const { explorer } = this;
    if (!explorer.library || pane.stage.gliding) return;
    const from = explorer.cursor >= 0 ? explorer.cursor : (explorer.view.segment ?? -1);
    const next = pane.towards(from, dx, dy);
    if (next < 0) return;
    explorer.point(next, false);
    explorer.playing.play(next);
    pane.reveal(next);
    explorer.announce(next);
  }
}
