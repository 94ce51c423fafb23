// Words around the maps: what to colour by, what the colours mean, notices.

class Labels {
  constructor(explorer) {
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

  notice(text) {
    this.find(".notice").hidden = !text || text === this.closed;
    this.find(".notice span").textContent = text;
  }
}

// only(code) shows the dots of one colour, only() all of them.
function legend(box, { legend: { swatches, from, to, note } }, shown, only) {
  box.hidden = !shown;
  box.classList.toggle("note", Boolean(note));
  if (swatches) {
    box.replaceChildren(...swatches.map(({ rgb, label, code }) => {
      const item = element("span", "key");
      const swatch = element("i", "swatch");
      swatch.style.background = css(rgb);
      item.append(swatch, element("span", "", label));
      item.onpointerenter = () => only(code);
      item.onpointerleave = () => only();
      return item;
    }));
  } else if (from !== undefined) {
    const ramp = element("i", "ramp");
    const stops = [0, 0.25, 0.5, 0.75, 1].map((t) => css(numberColour(t)));
    ramp.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    box.replaceChildren(element("span", "", from), ramp, element("span", "", to));
  } else {
    box.replaceChildren(element("span", "", note));
  }
}
