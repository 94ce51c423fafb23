// From the map's coordinates ([-1, 1], y up) to pixels and back: pan, zoom, gentle moves.

const ZOOM_MOST = 60;

class Camera {
  constructor(changed) {
    this.changed = changed;
    Object.assign(this, { width: 1, height: 1, zoom: 1, x: 0, y: 0, move: null });
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

  get scaleX() { return this.reachX * this.zoom; }
  get scaleY() { return this.reachY * this.zoom; }
  get originX() { return this.width / 2 - this.x * this.scaleX; }
  get originY() { return this.top + this.reachY + this.y * this.scaleY; }

  screen(x, y) { return [this.originX + x * this.scaleX, this.originY - y * this.scaleY]; }
  world(px, py) { return [(px - this.originX) / this.scaleX, (this.originY - py) / this.scaleY]; }

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
}

function ease(t) {
  return t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2;
}
