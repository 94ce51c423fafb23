// What is said about the dot under the pointer, beside it.

class Tip {
  constructor(pane) {
    this.pane = pane;
    this.box = pane.find(".tip");
    this.segment = -1;
  }

  show(s) {
    const { pane, box } = this;
    const { library } = pane.explorer;
    this.segment = s;
    box.hidden = s < 0;
    if (s < 0) return;
    const { title, tempo } = library.piece(s);
    const time = `${clock(library.start(s))} – ${clock(library.start(s) + library.length)}`;
    const find = (name) => box.querySelector(name);
    find(".tip-title").textContent = title;
    find(".tip-line").textContent =
      tempo === null || title.includes("BPM") ? time : `${time} · ${Math.round(tempo)} BPM`;
    const value = pane.colouring.say(s);
    find(".tip-value").hidden = !value || title.includes(value);
    find(".tip-value .swatch").style.background = css(pane.colouring.of(s));
    find(".tip-value span").textContent = value;
    this.size = null;
  }

  // Keep it at its dot while the map moves.
  move() {
    if (this.segment < 0) return;
    const { camera, radius } = this.pane.stage;
    this.size ??= [this.box.offsetWidth, this.box.offsetHeight];
    const [width, height] = this.size;
    const [x, y] = this.pane.at(this.segment);
    const left = Math.min(Math.max(x - width / 2, 6), camera.width - width - 6);
    const above = y - height - radius - 16;
    const top = above < 48 ? y + radius + 16 : above;
    this.box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}
