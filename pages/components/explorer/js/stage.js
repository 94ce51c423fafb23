// The map as it is drawn: the camera, the dots on their way from one map to the next, the marks.
// A map is a Float32Array of x, y and z for each dot; of a flat one every z is 0.

const GLIDE = 650; // milliseconds
const REST = 250; // milliseconds without a move, after which all dots are drawn again
const SLOW = 45; // milliseconds between two pictures, above which fewer dots are drawn on the way
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

class Stage {
  // of: { scene() → what else is to be drawn now (see marks.js), under(pen, camera), drawn(),
  //       still() }, the last two called after each picture.
  constructor(map, of) {
    Object.assign(this, { of, t: 1, ratio: 0, size: 0, still: true, grown: 1 });
    this.field = map.querySelector(".field");
    this.camera = new Camera(() => this.stir());
    this.dots = makeDots(map.querySelector(".dots"));
    this.dots.restored = () => this.repaint();
    this.pen = map.querySelector(".marks").getContext("2d");
    this.under = map.querySelector(".heat").getContext("2d");
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.field);
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.rest);
    this.watch.disconnect();
    this.dots.destroy();
  }

  // Show a map at once, or glide to it from wherever the dots are, also in the middle of a glide.
  show(map, solid, glide) {
    const { camera } = this;
    const gliding = glide && !STILL.matches && this.to?.length === map.length;
    this.from = gliding ? this.#where() : map;
    this.to = map;
    this.size = map.length / 3;
    this.t = gliding ? 0 : 1;
    this.since = performance.now();
    this.squared = [gliding ? camera.square : Number(solid), Number(solid)];
    camera.square = this.squared[0];
    camera.shape(solid);
    camera.flyTo(0, 0, 1, gliding ? GLIDE : 0);
    this.dots.place(this.from, this.to);
    // Without a GPU every dot costs; how many there may be on the way is found out as it goes.
    this.thin = this.dots.soft ? Math.max(1, Math.ceil(this.size / 20000)) : 1;
    this.grid = null;
    this.still = false;
    this.of.still();
    this.dirty();
  }

  get gliding() { return this.t < 1; }

  // Where the dots are now, as they are seen: a solid is left as it was turned.
  #where() {
    const { turn, solid } = this.camera;
    const e = ease(this.t);
    const now = this.gliding ? this.to.map((v, k) => this.from[k] + (v - this.from[k]) * e) : this.to;
    if (!solid) return now;
    const seen = new Float32Array(now.length);
    for (let k = 0; k < now.length; k += 3) {
      for (let row = 0; row < 3; row++) {
        seen[k + row] = turn[row] * now[k] + turn[row + 3] * now[k + 1] + turn[row + 6] * now[k + 2];
      }
    }
    return seen;
  }

  // The dots by place, as they are seen now.
  get places() {
    const { camera } = this;
    if (!this.grid || this.gridTurn !== camera.turn) {
      this.gridTurn = camera.turn;
      this.grid = new Places(camera.solid ? this.#where() : this.to);
    }
    return this.grid;
  }

  // Where a dot is drawn, in pixels of the map.
  at(i) {
    const e = ease(this.t);
    const mix = (k) => this.from[k] + (this.to[k] - this.from[k]) * e;
    return this.camera.screen(...this.camera.seen(mix(3 * i), mix(3 * i + 1), mix(3 * i + 2)));
  }

  // Where it is in the window.
  pointOf(i) {
    const { left, top } = this.field.getBoundingClientRect();
    const [x, y] = this.at(i);
    return [left + x, top + y];
  }

  near([x, y], radius, most = 1) { return this.places.near(this.camera, x, y, radius, most); }

  reveal(i) {
    const seen = this.camera.seen(...this.to.subarray(3 * i, 3 * i + 3));
    this.camera.show(...seen, STILL.matches ? 0 : 350);
  }

  reset() {
    this.camera.shape(this.camera.solid);
    this.camera.flyTo(0, 0, 1, STILL.matches ? 0 : 300);
  }

  // Of a dot, in pixels: smaller where there are many, a little larger when zoomed in.
  get radius() {
    const room = Math.sqrt((this.camera.width * this.camera.height) / Math.max(this.size, 1));
    const radius = Math.min(Math.max(0.24 * room, 1.6), 5.5) * this.grown;
    return radius * Math.min(this.camera.zoom ** 0.35, 2.2);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.field;
    if (!width || !height) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    for (const canvas of this.field.querySelectorAll("canvas")) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    this.stale = true;
    const floating = getComputedStyle(this.field).position === "absolute"; // so are the tools
    this.camera.resize(width, height, floating ? 52 : 18, floating ? 58 : 18);
  }

  // The dots have moved, or will; while they do, a part of very many is enough.
  stir() {
    this.stirred = performance.now();
    this.repaint();
  }

  // The dots have to be drawn again, and not only the marks over them.
  repaint() {
    this.stale = true;
    this.dirty();
  }

  dirty() {
    if (this.frame || this.gone) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      if (!this.gone && this.to && this.ratio) this.#draw(now);
    });
  }

  #draw(now) {
    const { camera, ratio } = this;
    let moving = camera.step(now);
    if (this.gliding) {
      this.t = Math.min(Math.max((now - this.since) / GLIDE, 0), 1);
      moving = true;
      const [from, to] = this.squared;
      camera.square = from + (to - from) * ease(this.t);
    }
    this.still = !moving;
    for (const pen of this.stale || moving ? [this.under, this.pen] : [this.pen]) {
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, camera.width, camera.height);
    }
    if (this.stale || moving) this.#drawDots(now, moving);
    const scene = this.of.scene();
    paintMarks(this.pen, { ...scene, radius: this.radius });
    this.of.drawn();
    this.of.still();
    if (moving || scene.playing) this.dirty();
  }

  #drawDots(now, moving) {
    const { camera } = this;
    const stirring = moving || now - this.stirred < REST;
    const since = now - (this.drawnAt ?? 0);
    if (stirring && since < 8000 && this.wasStirring) {
      if (since > SLOW && this.size / this.thin > 5000) this.thin *= 2;
      else if (since < SLOW / 3 && this.thin > 1) this.thin /= 2;
    }
    Object.assign(this, { stale: false, drawnAt: now, wasStirring: stirring });
    if (!this.gliding) this.of.under(this.under, camera);
    const thin = stirring ? Math.max(1, Math.round(this.thin)) : 1;
    this.dots.draw(camera, ease(this.t), this.radius, this.ratio, thin);
    clearTimeout(this.rest);
    if (thin > 1) this.rest = setTimeout(() => this.repaint(), REST + 20);
  }
}
