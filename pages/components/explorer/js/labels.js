// Colours and words that float over the map: what to colour by, the legend, the tip, notices.

class Labels {
  constructor(explorer) {
    this.explorer = explorer;
    this.find = (name) => explorer.root.querySelector(name);
    this.find(".colour-by").onchange = (event) => explorer.option("colour", event.target.value);
    this.find(".notice button").append(icon("close"));
    this.find(".notice button").onclick = () => {
      this.closed = this.find(".notice span").textContent;
      this.find(".notice").hidden = true;
    };
  }


  fields(fields, view) {
    const offered = [["piece", "Piece"]];
    for (const { key, label, instrument } of fields) {
      if (!instrument || instrument === view.instrument) offered.push([key, label]);
    }
    if (view.instrument !== "whole") offered.push(["activity", `How much ${view.instrument}`]);
    const select = this.find(".colour-by");
    select.replaceChildren(...offered.map(([key, label]) => new Option(label, key)));
    select.value = offered.some(([key]) => key === view.colour) ? view.colour : "piece";
  }

  legend({ legend }) {
    const box = this.find(".legend");
    if (legend.swatches) {
      box.replaceChildren(...legend.swatches.map(({ rgb, label, code }) => {
        const item = element("span", "key");
        const swatch = element("i", "swatch");
        swatch.style.background = css(rgb);
        item.append(swatch, element("span", "", label));
        item.onpointerenter = () => this.explorer.paint(code);
        item.onpointerleave = () => this.explorer.paint();
        return item;
      }));
    } else if (legend.from !== undefined) {
      const ramp = element("i", "ramp");
      const stops = [0, 0.25, 0.5, 0.75, 1].map((t) => css(numberColour(t)));
      ramp.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
      box.replaceChildren(element("span", "", legend.from), ramp, element("span", "", legend.to));
    } else {
      box.replaceChildren(element("span", "", legend.note));
    }
  }

  notice(text) {
    this.find(".notice").hidden = !text || text === this.closed;
    this.find(".notice span").textContent = text;
  }

  tip(s) {
    const { library, colouring } = this.explorer;
    const tip = this.find(".tip");
    tip.hidden = s < 0;
    if (s < 0) return;
    const { title, tempo } = library.piece(s);
    const time = `${clock(library.start(s))} – ${clock(library.start(s) + library.length)}`;
    this.find(".tip-title").textContent = title;
    this.find(".tip-line").textContent =
      tempo === null || title.includes("BPM") ? time : `${time} · ${Math.round(tempo)} BPM`;
    const value = colouring.say(s);
    this.find(".tip-value").hidden = !value || title.includes(value);
    this.find(".tip-value .swatch").style.background = css(colouring.of(s));
    this.find(".tip-value span").textContent = value;
    this.tipSize = null;
  }

  moveTip(s) {
    const { camera, radius } = this.explorer.stage;
    const tip = this.find(".tip");
    this.tipSize ??= [tip.offsetWidth, tip.offsetHeight];
    const [width, height] = this.tipSize;
    const [x, y] = this.explorer.stage.at(s);
    const left = Math.min(Math.max(x - width / 2, 6), camera.width - width - 6);
    const above = y - height - radius - 16;
    const top = above < 48 ? y + radius + 16 : above;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}
