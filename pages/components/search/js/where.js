// A small map: every segment of the library, the answers, and where the query lies among them.

class Where {
  constructor(figure) {
    this.figure = figure;
    this.canvas = figure.querySelector("canvas");
    this.caption = figure.querySelector("figcaption");
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.kept = new Map(); // address → Float32Array
  }

  destroy() { this.observer.disconnect(); }

  async receive({ map, found }) {
    Object.assign(this, { map, found, points: null });
    if (map.problem) {
      this.caption.textContent = map.problem;
      this.figure.classList.add("none");
      return;
    }
    this.figure.classList.remove("none");
    const name = map.name === "whole" ? "all instruments together" : map.name;
    this.caption.textContent = `The ring is your query on the map of ${name}; the numbers are the answers.`;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Map of ${name}, with the query and ${found.length} answers`);
    try {
      if (!this.kept.has(map.points)) {
        const answer = await fetch(map.points);
        if (!answer.ok) throw new Error(await answer.text());
        this.kept.set(map.points, new Float32Array(await answer.arrayBuffer()));
      }
      if (this.map === map) this.points = this.kept.get(map.points);
    } catch (error) {
      this.caption.textContent = `The map could not be loaded: ${error.message}`;
    }
    this.draw();
  }

  draw(marked = this.marked) {
    this.marked = marked;
    const { canvas, points, map } = this;
    const scale = window.devicePixelRatio || 1;
    const size = canvas.clientWidth;
    if (!size || !points) return;
    Object.assign(canvas, { width: size * scale, height: size * scale });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.figure);
    const [text, ground] = ["--text", "--ground"].map((name) => style.getPropertyValue(name));
    const at = (x, y) => [size / 2 + x * (size / 2 - 14), size / 2 - y * (size / 2 - 14)];
    const dot = points.length > 20000 ? 1 : 3;
    pen.fillStyle = map.colour || text;
    pen.globalAlpha = 0.35;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = at(points[i], points[i + 1]);
      pen.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    }
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = `600 11px ${style.fontFamily}`;
    this.found.slice(0, 20).map((one, i) => [one, i]).reverse().forEach(([{ row }, i]) => {
      const [x, y] = at(points[2 * row], points[2 * row + 1]);
      this.disc(pen, x, y, 9, row === marked ? ground : text, text);
      pen.fillStyle = row === marked ? text : ground;
      pen.fillText(i + 1, x, y + 0.5);
    });
    const [x, y] = at(...map.at);
    for (const [width, colour] of [[7, ground], [3, text]]) {
      pen.beginPath();
      pen.arc(x, y, 13, 0, 2 * Math.PI);
      Object.assign(pen, { lineWidth: width, strokeStyle: colour });
      pen.stroke();
    }
  }

  disc(pen, x, y, radius, fill, line) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(pen, { fillStyle: fill, strokeStyle: line, lineWidth: 1.5 });
    pen.fill();
    pen.stroke();
  }
}
