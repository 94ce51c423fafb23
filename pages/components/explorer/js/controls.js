// The buttons on the map and around it.

class Controls {
  constructor(explorer) {
    this.explorer = explorer;
    this.find = (name) => explorer.root.querySelector(name);
    this.off = new AbortController();
    const { signal } = this.off;
    const keys = new Keys(explorer, this);
    explorer.root.addEventListener("keydown", (event) => keys.typed(event), { signal });
    // Browsers let sound start only from a click or key press, wherever it happens. The button
    // that asks for one goes away then: a press on it has to end on it, so it waits for its click.
    const asking = this.find(".unlock");
    const unlock = (event) => {
      if (!event.composedPath().includes(asking)) explorer.sound.unlock();
    };
    for (const name of ["pointerdown", "pointerup", "keydown"]) {
      window.addEventListener(name, unlock, { signal, capture: true });
    }
    for (const [name, glyph, act] of [
      ["zoom-in", "plus", () => explorer.active.stage.camera.zoomAt(1.5)],
      ["zoom-out", "minus", () => explorer.active.stage.camera.zoomAt(1 / 1.5)],
      ["reset", "reset", () => explorer.showAll()],
      ["view", "view", () => this.panel("view")],
      ["lasso", "lasso", () => this.lasso()],
      ["compare", "compare", () => explorer.second.compare()],
      ["hover-sound", "hover", () => this.toggleHover()],
      ["mute", "sound", () => explorer.sound.mute(!explorer.sound.muted)],
      ["help", "help", () => this.panel("help")],
    ]) {
      this.find(`.${name}`).prepend(icon(glyph));
      this.find(`.${name}`).onclick = act;
    }
    this.find(".surprise").onclick = () => explorer.surprise();
    this.find(".unlock-icon").append(icon("sound"));
    asking.onclick = () => { explorer.sound.unlock(); explorer.field.focus(); };
  }

  destroy() { this.off.abort(); }

  instruments(list) {
    const { explorer } = this;
    makePicks(this.find(".picker"), list, "pick", (name) => explorer.choose(name));
    const second = explorer.panes[1];
    if (second) {
      makePicks(second.find(".picks"), list, "tool icon", (name) => explorer.choose(name, second));
    }
  }

  toggleHover() {
    this.explorer.hovering = !this.explorer.hovering;
    this.explorer.heard();
  }

  // Whether a drag draws a lasso; with Shift it always does.
  lasso(on = !this.explorer.lassoing) {
    this.explorer.lassoing = on;
    this.find(".lasso").setAttribute("aria-pressed", on);
    this.find(".maps").classList.toggle("lassoing", on);
  }

  // Open one of the panels, "help" or "view", or close it; only one is open.
  panel(name) {
    for (const [button, panel] of [["help", ".keys"], ["view", ".looks"]]) {
      const open = button === name && this.find(panel).hidden;
      this.find(panel).hidden = !open;
      this.find(`.${button}`).setAttribute("aria-expanded", open);
      if (open && button === "view") this.find(".by-first").focus();
    }
  }

  // Show how many maps there are.
  comparing(two) {
    this.find(".maps").classList.toggle("two", two);
    this.find(".compare").setAttribute("aria-pressed", two);
  }

  // Show the state of the two sound buttons.
  sound(muted, hovering) {
    const [mute, hover] = [this.find(".mute"), this.find(".hover-sound")];
    if (mute.getAttribute("aria-pressed") !== String(muted)) {
      mute.replaceChildren(icon(muted ? "silent" : "sound"));
    }
    mute.setAttribute("aria-pressed", muted);
    hover.setAttribute("aria-pressed", hovering);
  }
}

// One button for each instrument, of which one is chosen.
function makePicks(group, list, className, choose) {
  if (group.children.length) return;
  group.append(...list.map(({ name, label, colour }) => {
    const button = element("button", className);
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", label);
    button.title = label;
    button.dataset.instrument = name;
    button.style.setProperty("--own", colour || "var(--st-text-color)");
    button.append(icon(name), element("span", "", label));
    button.onclick = () => choose(name);
    return button;
  }));
  radioKeys(group);
}

function markPick(group, name) {
  for (const button of group.children) {
    const on = button.dataset.instrument === name;
    button.setAttribute("aria-checked", on);
    button.tabIndex = on ? 0 : -1;
  }
}
