// The second map: beside the first when it is wanted, with an instrument of its own.

class Second {
  constructor(explorer) {
    this.explorer = explorer;
    this.blank = explorer.panes[0].element.cloneNode(true); // before anything is put into it
  }

  // Open it by an instrument, or change its instrument; without one, open or close it.
  async compare(instrument) {
    const { explorer } = this;
    const { view, panes } = explorer;
    if (!explorer.library) return;
    if (instrument && view.second) {
      await explorer.choose(instrument, panes[1]);
      return;
    }
    view.second = instrument ?? (view.second ? "" : view.instrument === "guitar" ? "drums" : "guitar");
    this.arrange();
    explorer.looks.show();
    explorer.say();
    explorer.theme();
    explorer.heard();
    explorer.tellEar(view.second ? `Two maps: ${view.instrument} and ${view.second}` : "One map");
    try {
      await panes[1]?.show(false);
    } catch (error) {
      explorer.failed(error);
    }
  }

  // As many maps as the view has.
  arrange() {
    const { explorer } = this;
    const { panes, root, view } = explorer;
    const two = Boolean(view.second);
    if (two && panes.length < 2) {
      const map = this.blank.cloneNode(true);
      map.classList.add("second");
      panes[0].element.after(map);
      panes.push(new Pane(explorer, map, 1));
    } else if (!two && panes.length > 1) {
      const second = panes.pop();
      const focused = second.element.contains(root.getRootNode().activeElement);
      explorer.activate(panes[0]);
      second.destroy();
      if (focused) explorer.field.focus();
      delete root.dataset.second;
      Object.assign(view, { map2: "", camera2: "" });
    }
    explorer.controls.comparing(two);
    explorer.controls.instruments(explorer.data.instruments);
  }
}
