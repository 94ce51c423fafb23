// What is typed on the map and around it.

class Keys {
  constructor(explorer, controls) {
    Object.assign(this, { explorer, controls });
  }

  typed(event) {
    const { explorer } = this;
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    const pane = explorer.panes.find(({ field }) => field === target);
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const digit = /^Digit[1-9]$/.test(event.code) ? Number(event.code.slice(5)) - 1 : Number(event.key) - 1;
    const act = this.#acts()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (pane && arrow) this.#walk(pane, ...arrow);
    else if (pane && event.key === "Enter") {
      if (explorer.cursor >= 0) explorer.select(explorer.cursor);
    } else if (event.key === " " && target.tagName !== "BUTTON") {
      if (pane && !explorer.playing.last && explorer.cursor >= 0) explorer.playing.play(explorer.cursor);
      else explorer.playing.again();
    } else if (digit >= 0 && digit < explorer.data.instruments.length) {
      const { name } = explorer.data.instruments[digit];
      if (event.shiftKey) explorer.compare(name);
      else explorer.choose(name);
    } else if (act) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #acts() {
    const { explorer, controls } = this;
    const { picked } = explorer;
    const { camera } = explorer.active.stage;
    return {
      "+": () => camera.zoomAt(1.5), "=": () => camera.zoomAt(1.5),
      "-": () => camera.zoomAt(1 / 1.5), "0": () => explorer.showAll(),
      m: () => explorer.sound.mute(!explorer.sound.muted), h: () => controls.toggleHover(),
      s: () => explorer.surprise(), d: () => explorer.compare(),
      t: () => explorer.playing.choose(explorer.playing.part === "mix" ? "stem" : "mix"),
      l: () => controls.lasso(), a: () => explorer.active.pickSeen(), x: () => picked.choose([]),
      p: () => picked.play(), n: () => picked.step(1), b: () => picked.step(-1),
      "?": () => controls.help(),
      Escape: () => { controls.help(false); controls.lasso(false); },
    };
  }

  #walk(pane, dx, dy) {
    const { explorer } = this;
    if (!explorer.library || pane.stage.gliding) return;
    const { places, camera } = pane.stage;
    const from = explorer.cursor >= 0 ? explorer.cursor : (explorer.view.segment ?? -1);
    const next = from < 0 ? places.middle(camera) : places.towards(camera, from, dx, dy);
    if (next < 0) return;
    explorer.point(next, false);
    explorer.playing.play(next);
    pane.stage.reveal(next);
    explorer.announce(next);
  }
}
