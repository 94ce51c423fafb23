// A group of answers of which one is chosen: native radio buttons, which every screen reader knows.

import { cap, element } from "./dom.js";

let groups = 0;

export class Choice {
  // options: [{ text, key }]; chosen(index) after a choice; refused() when it is not open yet
  constructor(legend, options, { kind = "", chosen = () => {}, refused = () => {}, describedby = null,
    visibleLegend = true } = {}) {
    const name = `choice-${++groups}`;
    this.open = true;
    this.chosen = chosen;
    this.inputs = options.map((_, i) => element("input", {
      type: "radio", name, value: i, "aria-describedby": describedby,
      onclick: (event) => {
        if (this.open) return;
        event.preventDefault();
        refused();
      },
      onchange: () => { if (this.open) chosen(i); },
    }));
    this.node = element("fieldset", { class: `choice ${kind}`.trim() },
      element("legend", { class: visibleLegend ? null : "unseen", text: legend }),
      options.map(({ text, key }, i) => element("label", {}, this.inputs[i],
        element("span", { class: "words", text }), key && cap(key))));
    this.refused = refused;
  }

  // Index of what is chosen, or -1.
  get value() { return this.inputs.findIndex((input) => input.checked); }

  enable(on) {
    if (this.open === on) return;
    this.open = on;
    this.node.classList.toggle("waiting", !on);
    for (const input of this.inputs) input.setAttribute("aria-disabled", String(!on));
  }

  // By a key that does not belong to the group.
  choose(i) {
    if (!this.open) {
      this.refused();
      return;
    }
    const within = this.inputs.includes(document.activeElement);
    this.inputs[i].checked = true;
    if (within) this.inputs[i].focus();
    this.chosen(i);
  }
}
