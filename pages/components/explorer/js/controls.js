// Everything that is pressed, dragged or typed on the map and around it.

const REACH = { mouse: 14, pen: 18, touch: 28 }; // pixels around the pointer

class Controls {
  constructor(explorer) {
    this.explorer = explorer;
    this.find = (name) => explorer.root.querySelector(name);
    this.pointers = new Map(); // id → [x, y]
    this.off = new AbortController();
    const on = (target, names, act, options = {}) => {
      for (const name of names.split(" ")) {
        target.addEventListener(name, act, { signal: this.off.signal, ...options });
      }
    };
    const { field, root } = explorer;
    on(field, "pointerdown", (event) => this.down(event));
    on(field, "pointermove", (event) => this.moved(event));
    on(field, "pointerup", (event) => this.up(event));
    on(field, "pointercancel", (event) => this.lost(event));
    on(field, "pointerleave", (event) => {
      if (event.pointerType === "mouse" && !this.drag) explorer.point(-1);
    });
    on(field, "wheel", (event) => this.wheel(event), { passive: false });
    on(field, "dblclick", (event) => event.preventDefault());
    on(root, "keydown", (event) => this.key(event));
    // Browsers let sound start only from a click or key press, wherever it happens.
    on(window, "pointerdown pointerup keydown", () => explorer.sound.unlock(), { capture: true });

    for (const [name, glyph, act] of [
      ["zoom-in", "plus", () => explorer.stage.camera.zoomAt(1.5)],
      ["zoom-out", "minus", () => explorer.stage.camera.zoomAt(1 / 1.5)],
      ["reset", "reset", () => this.reset()],
      ["hover-sound", "hover", () => this.toggleHover()],
      ["mute", "sound", () => explorer.sound.mute(!explorer.sound.muted)],
      ["help", "help", () => this.help()],
    ]) {
      this.find(`.${name}`).append(icon(glyph));
      this.find(`.${name}`).onclick = act;
    }
    this.find(".surprise").onclick = () => explorer.surprise();
    this.find(".unlock-icon").append(icon("sound"));
    this.find(".unlock").onclick = () => { explorer.sound.unlock(); explorer.field.focus(); };
    radioKeys(this.find(".picker"));
  }

  destroy() { this.off.abort(); }

  // ---- the instrument buttons -----------------------------------------------------------------

  instruments(list) {
    const picker = this.find(".picker");
    if (picker.children.length) return;
    picker.append(...list.map(({ name, label, colour }) => {
      const button = element("button", "pick");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.dataset.instrument = name;
      button.style.setProperty("--own", colour || "var(--st-text-color)");
      button.append(icon(name), element("span", "", label));
      button.onclick = () => this.explorer.choose(name);
      return button;
    }));
  }

  chosen(name) {
    for (const button of this.find(".picker").children) {
      const on = button.dataset.instrument === name;
      button.setAttribute("aria-checked", on);
      button.tabIndex = on ? 0 : -1;
    }
  }

  // ---- pointers -------------------------------------------------------------------------------

  place(event) {
    const box = this.explorer.field.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button > 0) return;
    const place = this.place(event);
    this.pointers.set(event.pointerId, place);
    if (this.pointers.size === 1) this.drag = { start: place, moved: false };
    else if (this.drag) this.drag.moved = true;
    if (event.pointerType !== "mouse") this.explorer.field.focus({ preventScroll: true });
  }

  moved(event) {
    const { explorer } = this;
    if (!explorer.library) return;
    const place = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.hover(place, REACH.mouse);
      return;
    }
    if (this.pointers.size === 1) {
      const far = Math.hypot(place[0] - this.drag.start[0], place[1] - this.drag.start[1]);
      if (!this.drag.moved && far < 5) return;
      if (!this.drag.moved) explorer.field.setPointerCapture(event.pointerId);
      this.drag.moved = true;
      explorer.field.classList.add("dragging");
      explorer.stage.camera.pan(place[0] - before[0], place[1] - before[1]);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const gap = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
      explorer.stage.camera.zoomAt(
        gap(place) / gap(before), (place[0] + other[0]) / 2, (place[1] + other[1]) / 2);
    }
    this.pointers.set(event.pointerId, place);
    this.touchAction();
  }

  up(event) {
    const { explorer } = this;
    const place = this.place(event);
    const tapped = this.pointers.has(event.pointerId) && this.drag && !this.drag.moved;
    this.lost(event);
    if (!tapped || !explorer.library || explorer.stage.gliding) return;
    const [s] = explorer.stage.near(place, REACH[event.pointerType] ?? REACH.mouse);
    if (event.pointerType !== "mouse") {
      explorer.point(s ?? -1, false);
      clearTimeout(this.leave); // a finger does not hover: the tip would stay for ever
      this.leave = setTimeout(() => explorer.point(-1, false), 2500);
    }
    if (s === undefined) return;
    explorer.select(s);
  }

  lost(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size) return;
    this.drag = null;
    this.explorer.field.classList.remove("dragging");
  }

  // The dot under the pointer stays current until another is clearly nearer.
  hover(place, reach) {
    const { explorer } = this;
    if (explorer.stage.gliding) return;
    const [s] = explorer.stage.near(place, reach);
    if (s === undefined && explorer.cursor >= 0) {
      const [x, y] = explorer.stage.at(explorer.cursor);
      if (Math.hypot(x - place[0], y - place[1]) < reach * 1.6) return;
    }
    explorer.point(s ?? -1);
    explorer.field.classList.toggle("over", s !== undefined);
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const step = Math.min(Math.max(event.deltaY * lines, -120), 120);
    // A pinch on a touchpad arrives as a wheel with ctrlKey and small steps.
    const rate = event.ctrlKey ? 0.01 : 0.0022;
    this.explorer.stage.camera.zoomAt(Math.exp(-step * rate), ...this.place(event));
    this.touchAction();
  }

  // While the whole map is seen, a vertical swipe scrolls the page; zoomed in, it moves the map.
  touchAction() {
    const { field, stage } = this.explorer;
    field.style.touchAction = stage.camera.zoom > 1.01 ? "none" : "pan-y";
  }

  reset() {
    this.explorer.stage.reset();
    this.explorer.field.style.touchAction = "pan-y";
  }

  // ---- keys -----------------------------------------------------------------------------------

  key(event) {
    const { explorer } = this;
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    const onMap = target === explorer.field;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const digit = Number(event.key) - 1;
    const { camera } = explorer.stage;
    const act = {
      "+": () => camera.zoomAt(1.5), "=": () => camera.zoomAt(1.5),
      "-": () => camera.zoomAt(1 / 1.5), "0": () => this.reset(),
      m: () => explorer.sound.mute(!explorer.sound.muted), h: () => this.toggleHover(),
      s: () => explorer.surprise(),
      t: () => explorer.playing.choose(explorer.playing.part === "mix" ? "stem" : "mix"),
      "?": () => this.help(), Escape: () => this.help(false),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (onMap && arrow) this.walk(...arrow);
    else if (onMap && event.key === "Enter") {
      if (explorer.cursor >= 0) explorer.select(explorer.cursor);
    } else if (event.key === " " && target.tagName !== "BUTTON") {
      if (onMap && !explorer.playing.last && explorer.cursor >= 0) explorer.playing.play(explorer.cursor);
      else explorer.playing.again();
    } else if (event.key.length === 1 && digit >= 0 && digit < explorer.data.instruments.length) {
      explorer.choose(explorer.data.instruments[digit].name);
    } else if (act) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  walk(dx, dy) {
    const { explorer } = this;
    if (!explorer.library || explorer.stage.gliding) return;
    const { places, camera } = explorer.stage;
    const from = explorer.cursor >= 0 ? explorer.cursor : (explorer.view.segment ?? -1);
    const next = from < 0 ? places.middle(camera) : places.towards(camera, from, dx, dy);
    if (next < 0) return;
    explorer.point(next, false);
    explorer.playing.play(next);
    explorer.stage.reveal(next);
    explorer.announce(next);
  }

  toggleHover() {
    this.explorer.hovering = !this.explorer.hovering;
    this.explorer.heard();
  }

  help(open = this.find(".keys").hidden) {
    this.find(".keys").hidden = !open;
    this.find(".help").setAttribute("aria-expanded", open);
  }

  // Show the state of the two sound buttons.
  sound(muted, hovering) {
    const [mute, hover] = [this.find(".mute"), this.find(".hover-sound")];
    if (mute.getAttribute("aria-pressed") !== String(muted)) {
      mute.replaceChildren(icon(muted ? "silent" : "sound"));
    }
    mute.setAttribute("aria-pressed", muted);
    hover.setAttribute("aria-pressed", hovering);
  }
}
