// The map as it is drawn: the camera, the dots on their way from one map to the next, the marks.

const GLIDE = 650; // milliseconds
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

class Stage {
  // of: { scene() → what else is to be drawn now: { cursor, selected, neighbours, playing, path },
  //       drawn(), still() }, the last two called after each picture.
  constructor(map, of) {
    Object.assign(this, { of, t: 1, ratio: 0, size: 0, still: true });
    this.field = map.querySelector(".field");
    this.camera = new Camera(() => this.dirty());
    this.dots = makeDots(map.querySelector(".dots"));
    this.dots.restored = () => this.dirty();
    this.pen = map.querySelector(".marks").getContext("2d");
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.field);
  }

  destroy() {
    this.gone = true;
    this.watch.disconnect();
    this.dots.destroy();
  }

  // Show a map at once, or glide to it from wherever the dots are, also in the middle of a glide.
  show(map, glide) {
    this.from = glide ? this.#where() : map;
    this.to = map;
    this.size = map.length / 2;
    this.t = glide && !STILL.matches ? 0 : 1;
    this.since = performance.now();
    this.camera.flyTo(0, 0, 1, this.t < 1 ? GLIDE : 0);
    this.dots.place(this.from, this.to);
    this.places = new Places(this.to);
    this.still = false;
    this.of.still();
    this.dirty();
  }

  get gliding() { return this.t < 1; }

  #where() {
    if (!this.gliding) return this.to;
    const e = ease(this.t);
    return this.to.map((v, k) => this.from[k] + (v - this.from[k]) * e);
  }

  // Where a dot is drawn, in pixels of the map.
  at(s) {
    const e = ease(this.t);
    const mix = (k) => this.from[k] + (this.to[k] - this.from[k]) * e;
    return this.camera.screen(mix(2 * s), mix(2 * s + 1));
  }

  // Where it is in the window.
  pointOf(s) {
    const { left, top } = this.field.getBoundingClientRect();
    const [x, y] = this.at(s);
    return [left + x, top + y];
  }

  near([x, y], radius, most = 1) { return this.places.near(this.camera, x, y, radius, most); }

  reveal(s) {
    this.camera.show(this.to[2 * s], this.to[2 * s + 1], STILL.matches ? 0 : 350);
  }

  reset() { this.camera.flyTo(0, 0, 1, STILL.matches ? 0 : 300); }

  // Of a dot, in pixels: smaller where there are many, a little larger when zoomed in.
  get radius() {
    const room = Math.sqrt((this.camera.width * this.camera.height) / Math.max(this.size, 1));
    return Math.min(Math.max(0.24 * room, 1.6), 5.5) * Math.min(this.camera.zoom ** 0.35, 2.2);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.field;
    if (!width || !height) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    for (const canvas of this.field.querySelectorAll("canvas")) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    const floating = getComputedStyle(this.field).position === "absolute"; // so are the tools
    this.camera.resize(width, height, floating ? 52 : 18, floating ? 58 : 18);
  }

  dirty() {
    if (this.frame || this.gone) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      if (!this.gone && this.to && this.ratio) this.#draw(now);
    });
  }

  #draw(now) {
    let moving = this.camera.step(now);
    if (this.gliding) {
      this.t = Math.min(Math.max((now - this.since) / GLIDE, 0), 1);
      moving = true;
    }
    this.still = !moving;
    this.dots.draw(this.camera, ease(this.t), this.radius, this.ratio);
    const scene = this.of.scene();
    paintMarks(this.pen, this.ratio, {
      ...scene, camera: this.camera, at: (s) => this.at(s), radius: this.radius,
    });
    this.of.drawn();
    this.of.still();
    if (moving || scene.playing) this.dirty();
  }
}
