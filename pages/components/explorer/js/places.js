// Where the dots are: the nearest to a point, those within a lasso, the nearest in a direction.
// Of the map's x, y and z only the first two count.

class Places {
  constructor(map) {
    this.map = map;
    this.size = map.length / 3;
    this.side = Math.max(1, Math.ceil(Math.sqrt(this.size / 3)));
    const cells = this.side * this.side;
    const cellOf = new Uint32Array(this.size);
    this.first = new Uint32Array(cells + 1);
    for (let i = 0; i < this.size; i++) {
      cellOf[i] = this.#cell(map[3 * i]) + this.side * this.#cell(map[3 * i + 1]);
      this.first[cellOf[i] + 1]++;
    }
    for (let c = 0; c < cells; c++) this.first[c + 1] += this.first[c];
    this.members = new Uint32Array(this.size);
    const next = this.first.slice();
    for (let i = 0; i < this.size; i++) this.members[next[cellOf[i]]++] = i;
  }

  #cell(v) {
    return Math.min(Math.max(Math.floor(((v + 1) / 2) * this.side), 0), this.side - 1);
  }

  // The dots within `radius` pixels of a pixel, nearest first.
  near(camera, px, py, radius, most = 1) {
    const [x, y] = camera.world(px, py);
    const [rx, ry] = [radius / camera.scaleX, radius / camera.scaleY];
    const found = [];
    for (let cy = this.#cell(y - ry); cy <= this.#cell(y + ry); cy++) {
      for (let cx = this.#cell(x - rx); cx <= this.#cell(x + rx); cx++) {
        const c = cx + this.side * cy;
        for (let k = this.first[c]; k < this.first[c + 1]; k++) {
          const i = this.members[k];
          const dx = (this.map[3 * i] - x) * camera.scaleX;
          const dy = (this.map[3 * i + 1] - y) * camera.scaleY;
          const d = dx * dx + dy * dy;
          if (d <= radius * radius) found.push([d, i]);
        }
      }
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return found.slice(0, most).map((pair) => pair[1]);
  }

  // The dots within a polygon of pixels, whose corners are [x, y]; where it crosses itself, even-odd.
  inside(camera, corners) {
    const n = corners.length;
    const flat = Float64Array.from(corners.flat());
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    const { originX, originY, scaleX, scaleY } = camera;
    const found = [];
    for (let i = 0; i < this.size; i++) {
      const x = originX + this.map[3 * i] * scaleX;
      const y = originY - this.map[3 * i + 1] * scaleY;
      if (x < left || x > right || y < top || y > bottom) continue;
      let odd = false;
      for (let k = 0, j = n - 1; k < n; j = k++) {
        const [xk, yk, xj, yj] = [flat[2 * k], flat[2 * k + 1], flat[2 * j], flat[2 * j + 1]];
        if (yk > y !== yj > y && x < xk + ((y - yk) / (yj - yk)) * (xj - xk)) odd = !odd;
      }
      if (odd) found.push(i);
    }
    return found;
  }

  // The nearest dot within 50° of a direction on the screen; sideways steps cost more.
  towards(camera, from, dx, dy) {
    const [fx, fy] = [this.map[3 * from] * camera.scaleX, -this.map[3 * from + 1] * camera.scaleY];
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < this.size; i++) {
      const x = this.map[3 * i] * camera.scaleX - fx;
      const y = -this.map[3 * i + 1] * camera.scaleY - fy;
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      if (along <= 0.5 || aside > 1.2 * along) continue;
      const cost = along + 1.5 * aside;
      if (cost < least) [least, best] = [cost, i];
    }
    return best;
  }

  // The dot nearest to the middle of what can be seen.
  middle(camera) {
    const [x, y] = camera.world(camera.width / 2, camera.height / 2);
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < this.size; i++) {
      const d = (this.map[3 * i] - x) ** 2 + (this.map[3 * i + 1] - y) ** 2;
      if (d < least) [least, best] = [d, i];
    }
    return best;
  }
}
