// A waveform, or where each instrument plays, under a slider that moves the chosen part.

const GAP = 1;

class Waveform {
  constructor(root, tell) {
    Object.assign(this, { root, tell });
    this.find = (name) => root.querySelector(name);
    [this.canvas, this.reach, this.select] = ["canvas", ".reach", ".length"].map(this.find);
    this.reach.oninput = () => this.move();
    this.reach.onchange = () => this.say();
    this.select.onchange = () => {
      this.length = Number(this.select.value);
      this.move();
      this.say();
    };
    this.find(".play").onclick = () => toggle("query", this.data.clip);
    this.changed = () => this.heard();
    player().listeners.add(this.changed);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
  }

  destroy() {
    this.observer.disconnect();
    player().listeners.delete(this.changed);
    if (sounds("query", this.data.clip)) player().sound.stop();
  }

  receive(data) {
    const { start, length, duration, lengths } = data;
    Object.assign(this, { data, start, length });
    // The slider holds the middle of the part, so that a click puts the part around the pointer.
    Object.assign(this.reach, { min: 0, max: duration, step: duration > 600 ? 0.5 : 0.1 });
    this.reach.value = start + length / 2;
    this.reach.hidden = duration <= length;
    this.select.replaceChildren(...[...new Set([...lengths, length])].sort((a, b) => a - b).map((s) => {
      const option = element("option", "", `${Math.round(s * 10) / 10} s`);
      option.value = s;
      return option;
    }));
    this.select.value = length;
    this.draw();
    this.heard();
  }

  move() {
    const latest = Math.max(this.data.duration - this.length, 0);
    this.start = Math.min(Math.max(Number(this.reach.value) - this.length / 2, 0), latest);
    this.draw();
  }

  say() {
    this.tell("part", { start: Math.round(this.start * 100) / 100, length: this.length });
  }

  heard() {
    const { sound } = player();
    playButton(this.find(".play"), sounds("query", this.data.clip), "the chosen part");
    this.find(".problem").textContent = sound.problem;
    if (sound.is("query", this.data.clip) && !this.ticking) {
      this.ticking = true;
      requestAnimationFrame(() => { this.ticking = false; this.draw(); this.heard(); });
    } else if (!sound.is("query", this.data.clip)) this.draw();
  }

  draw() {
    if (!this.data) return;
    const { lanes, colours, duration } = this.data;
    const { canvas, start, length } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    Object.assign(canvas, { width: width * scale, height: height * scale });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.root);
    const [from, to] = [start, start + length].map((s) => (s / duration) * width);
    pen.fillStyle = style.getPropertyValue("--chosen");
    pen.fillRect(from, 0, Math.max(to - from, 3), height);
    const plain = style.getPropertyValue("--st-primary-color");
    const lane = height / lanes.length;
    lanes.forEach((heights, i) => {
      pen.fillStyle = lanes.length > 1 ? colours[i] : plain;
      const column = width / heights.length;
      const middle = lane * (i + 0.5);
      heights.forEach((h, k) => {
        const [x, next] = [Math.round(k * column), Math.round((k + 1) * column)];
        pen.globalAlpha = next > from && x < to ? 1 : 0.45;
        const tall = Math.max(h * (lane - (lanes.length > 1 ? 3 : 8)), 1);
        pen.fillRect(x, middle - tall / 2, Math.max(next - x - (lanes.length > 1 ? 0 : GAP), 1), tall);
      });
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = style.getPropertyValue("--text");
    pen.lineWidth = 2;
    pen.strokeRect(from + 1, 1, Math.max(Math.min(to, width) - from, 3) - 2, height - 2);
    const { sound } = player();
    if (sound.is("query", this.data.clip)) {
      pen.fillStyle = style.getPropertyValue("--text");
      pen.fillRect(from + sound.progress * (to - from), 0, 2, height);
    }
    const words = `${clock(start)} – ${clock(start + length)} of ${clock(duration)}`;
    this.find(".when").textContent = words;
    this.reach.setAttribute("aria-valuetext", words);
  }
}

const mounted = new WeakMap();

export default function show({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".wave");
  if (!mounted.has(root)) mounted.set(root, new Waveform(root, setStateValue));
  const waveform = mounted.get(root);
  waveform.tell = setStateValue;
  waveform.receive(data);
  return () => waveform.destroy();
}
