// From the map's coordinates ([-1, 1], y up, z towards the eye) to pixels and back: pan, zoom,
// gentle moves, and, of a map in three dimensions, the side from which it is seen.

const ZOOM_MOST = 60;
const ASKEW = [0.6, 0.35]; // from where a solid is seen at first: yaw and pitch

class Camera {
  constructor(changed) {
    this.changed = changed;
    Object.assign(this, { width: 1, height: 1, zoom: 1, x: 0, y: 0, move: null });
    Object.assign(this, { solid: false, square: 0, turn: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) });
  }

  // The margins leave room for the controls that float over the map.
  resize(width, height, top, bottom) {
    Object.assign(this, { width, height });
    this.left = Math.min(28, width * 0.06);
    this.top = top;
    this.reachX = Math.max(width / 2 - this.left, 10);
    this.reachY = Math.max((height - this.top - bottom) / 2, 10);
    this.clamp();
  }

  // A flat map fills the window; a solid keeps its shape (square is 1).
  #scale(reach) { return (reach + (Math.min(this.reachX, this.reachY) - reach) * this.square) * this.zoom; }
  get scaleX() { return this.#scale(this.reachX); }
  get scaleY() { return this.#scale(this.reachY); }
  get originX() { return this.width / 2 - this.x * this.scaleX; }
  get originY() { return this.top + this.reachY + this.y * this.scaleY; }

  screen(x, y) { return [this.originX + x * this.scaleX, this.originY - y * this.scaleY]; }
  world(px, py) { return [(px - this.originX) / this.scaleX, (this.originY - py) / this.scaleY]; }

  // As it is seen: the first two of [x, y, z] after turning.
  seen(x, y, z) {
    const m = this.turn; // column by column, as WebGL has it
    return [m[0] * x + m[3] * y + m[6] * z, m[1] * x + m[4] * y + m[7] * z];
  }

  look(yaw, pitch) {
    Object.assign(this, { yaw, pitch: Math.min(Math.max(pitch, -1.5), 1.5) });
    const [a, b, c, d] = [Math.cos(yaw), Math.sin(yaw), Math.cos(this.pitch), Math.sin(this.pitch)];
    this.turn = Float32Array.of(a, b * d, -b * c, 0, c, d, b, -a * d, a * c);
    this.changed();
  }

  // A flat map is seen from the front.
  shape(solid) {
    this.solid = solid;
    this.look(...(solid ? ASKEW : [0, 0]));
  }

  clamp() {
    this.zoom = Math.min(Math.max(this.zoom, 1), ZOOM_MOST);
    const reach = 1 - 0.85 / this.zoom;
    this.x = Math.min(Math.max(this.x, -reach), reach);
    this.y = Math.min(Math.max(this.y, -reach), reach);
    this.changed();
  }

  pan(dx, dy) {
    this.move = null;
    this.x -= dx / this.scaleX;
    this.y += dy / this.scaleY;
    this.clamp();
  }

  // A drag: moves a flat map, turns a solid.
  drag(dx, dy) {
    if (this.solid) this.look(this.yaw + dx * 0.008, this.pitch + dy * 0.008);
    else this.pan(dx, dy);
  }

  // Zoom so that what lies under the pixel stays there.
  zoomAt(factor, px = this.width / 2, py = this.top + this.reachY) {
    this.move = null;
    const [x, y] = this.world(px, py);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), ZOOM_MOST);
    const [nx, ny] = this.world(px, py);
    this.x += x - nx;
    this.y += y - ny;
    this.clamp();
  }

  flyTo(x, y, zoom, milliseconds) {
    this.move = { from: [this.x, this.y, this.zoom], to: [x, y, zoom], start: performance.now(), milliseconds };
    this.step(performance.now());
    this.changed();
  }

  // Bring a point into the middle, unless it can be seen well already.
  show(x, y, milliseconds) {
    const [px, py] = this.screen(x, y);
    const inside = px > 40 && px < this.width - 40 && py > 40 && py < this.height - 60;
    if (!inside) this.flyTo(x, y, this.zoom, milliseconds);
  }

  // Advance a move; true while it goes on.
  step(now) {
    if (!this.move) return false;
    const { from, to, start, milliseconds } = this.move;
    const t = milliseconds > 0 ? Math.min((now - start) / milliseconds, 1) : 1;
    const e = ease(Math.max(t, 0));
    this.x = from[0] + (to[0] - from[0]) * e;
    this.y = from[1] + (to[1] - from[1]) * e;
    this.zoom = from[2] * (to[2] / from[2]) ** e;
    if (t >= 1) this.move = null;
    this.clamp();
    return t < 1;
  }

  // For an address: x, y, zoom and, of a solid, yaw and pitch; empty where nothing was moved.
  get said() {
    const short = (numbers) => numbers.map((v) => Number(v.toFixed(3)));
    const place = short([this.x, this.y, this.zoom]);
    const from = this.solid ? short([this.yaw, this.pitch]) : [];
    const still = place.join() === "0,0,1" && (!this.solid || from.join() === ASKEW.join());
    return still ? "" : [...place, ...from].join();
  }

  heed(said) {
    const [x, y, zoom, yaw, pitch] = said.split(",").map(Number);
    if (!said || !(zoom > 0)) return;
    Object.assign(this, { x, y, zoom, move: null });
    if (this.solid && Number.isFinite(pitch)) this.look(yaw, pitch);
    this.clamp();
  }
}

function ease(t) {
  return t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2;
}
