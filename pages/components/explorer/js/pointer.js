// What a mouse, a pen or fingers do on one map.

const REACH = { mouse: 14, pen: 18, touch: 28 }; // pixels around the pointer

class Pointer {
  constructor(pane) {
    Object.assign(this, { pane, explorer: pane.explorer, stage: pane.stage, field: pane.field });
    this.pointers = new Map(); // id → [x, y]
    this.lasso = null; // corners, while one is drawn
    this.off = new AbortController();
    const on = (name, act, options = {}) =>
      this.field.addEventListener(name, act, { signal: this.off.signal, ...options });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.lost(event));
    on("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !this.drag) this.explorer.point(-1);
    });
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("dblclick", (event) => event.preventDefault());
    on("focus", () => this.explorer.activate(pane));
  }

  destroy() { this.off.abort(); }

  place(event) {
    const box = this.field.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button > 0) return;
    this.explorer.activate(this.pane);
    const place = this.place(event);
    this.pointers.set(event.pointerId, place);
    const lasso = event.shiftKey || this.explorer.lassoing;
    if (this.pointers.size === 1) this.drag = { start: place, moved: false, lasso };
    else if (this.drag) this.drag.moved = true;
    if (event.pointerType !== "mouse") this.field.focus({ preventScroll: true });
  }

  moved(event) {
    if (!this.explorer.library) return;
    const place = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.hover(place, REACH.mouse);
      return;
    }
    if (this.pointers.size === 1) {
      const far = Math.hypot(place[0] - this.drag.start[0], place[1] - this.drag.start[1]);
      if (!this.drag.moved && far < 5) return;
      if (!this.drag.moved) this.field.setPointerCapture(event.pointerId);
      this.drag.moved = true;
      if (this.drag.lasso) {
        this.#draw(place);
        return;
      }
      this.field.classList.add("dragging");
      this.stage.camera.drag(place[0] - before[0], place[1] - before[1]);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const gap = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
      this.stage.camera.zoomAt(
        gap(place) / gap(before), (place[0] + other[0]) / 2, (place[1] + other[1]) / 2);
    }
    this.pointers.set(event.pointerId, place);
    this.touchAction();
  }

  // One more corner of the lasso, unless it lies on the last.
  #draw(place) {
    this.lasso ??= [this.drag.start];
    const last = this.lasso[this.lasso.length - 1];
    if (Math.hypot(place[0] - last[0], place[1] - last[1]) >= 3) this.lasso.push(place);
    this.stage.dirty();
  }

  up(event) {
    const { explorer, lasso } = this;
    if (lasso && this.drag) {
      this.lost(event);
      if (lasso.length > 2) explorer.picked.choose(this.pane.inside(lasso), event.ctrlKey || event.metaKey);
      return;
    }
    const place = this.place(event);
    const tapped = this.pointers.has(event.pointerId) && this.drag && !this.drag.moved;
    this.lost(event);
    if (!tapped || !explorer.library || this.stage.gliding) return;
    const [s] = this.pane.near(place, REACH[event.pointerType] ?? REACH.mouse);
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
    if (this.lasso) this.stage.dirty();
    this.lasso = null;
    if (this.pointers.size) return;
    this.drag = null;
    this.field.classList.remove("dragging");
  }

  // The dot under the pointer stays current until another is clearly nearer.
  hover(place, reach) {
    const { explorer, pane, stage } = this;
    if (stage.gliding) return;
    explorer.activate(pane);
    const [s] = pane.near(place, reach);
    if (s === undefined && explorer.cursor >= 0) {
      const [x, y] = pane.at(explorer.cursor);
      if (Math.hypot(x - place[0], y - place[1]) < reach * 1.6) return;
    }
    explorer.point(s ?? -1);
    this.field.classList.toggle("over", s !== undefined);
  }

  wheel(event) {
    event.preventDefault();
    this.explorer.activate(this.pane);
    const lines = event.deltaMode === 1 ? 16 : 1;
    const step = Math.min(Math.max(event.deltaY * lines, -120), 120);
    // A pinch on a touchpad arrives as a wheel with ctrlKey and small steps.
    const rate = event.ctrlKey ? 0.01 : 0.0022;
    this.stage.camera.zoomAt(Math.exp(-step * rate), ...this.place(event));
    this.touchAction();
  }

  // While the whole map is seen, a vertical swipe scrolls the page; zoomed in, it moves the map.
  touchAction() {
    this.field.style.touchAction = this.stage.camera.zoom > 1.01 || this.stage.camera.solid ? "none" : "pan-y";
  }
}
