// The panel of how the maps are drawn: by what method, in what units, with what over the dots.

const METHODS = [
  ["umap", "UMAP"], ["tsne", "t-SNE"], ["pca", "PCA"], ["umap3", "UMAP in 3-D"], ["pca3", "PCA in 3-D"],
];

class Looks {
  constructor(explorer) {
    this.explorer = explorer;
    this.find = (name) => explorer.root.querySelector(name);
    for (const [name, choice] of [["map", ".by-first"], ["map2", ".by-second"]]) {
      this.find(choice).onchange = ({ target }) => this.redraw(name, target.value);
    }
    for (const button of this.find(".dots-are").children) {
      button.onclick = () => this.redraw("dots", button.dataset.dots);
    }
    radioKeys(this.find(".dots-are"));
    this.find(".density").onchange = () => this.toggle("density");
    this.find(".names").onchange = () => this.toggle("names");
  }

  // The methods that the library has; the others stay in sight, with how to make them.
  show() {
    const { view, library } = this.explorer;
    const made = library?.methods ?? [];
    for (const [name, choice] of [["map", ".by-first"], ["map2", ".by-second"]]) {
      const select = this.find(choice);
      select.replaceChildren(...METHODS.map(([method, label]) => {
        const option = new Option(label, method);
        option.disabled = !made.includes(method);
        return option;
      }));
      select.value = view[name] || made[0] || "";
    }
    this.find(".second-by").hidden = !view.second;
    this.find(".unmade").hidden = METHODS.every(([method]) => made.includes(method));
    for (const button of this.find(".dots-are").children) {
      const chosen = button.dataset.dots === view.dots;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
    this.find(".density").checked = view.density;
    this.find(".names").checked = view.names;
    this.clusters();
  }

  // What the clusters of the map that is pointed at have in common; each can be selected.
  clusters() {
    const { view, active } = this.explorer;
    const groups = view.names ? active.groups : null;
    this.find(".clusters").hidden = !groups;
    if (!groups) return;
    this.find(".clusters").replaceChildren(...groups.clusters.map((cluster, k) => {
      const { label, tag, pieces, segments, share, lift } = cluster;
      const button = element("button", "cluster");
      button.type = "button";
      const why = tag
        ? `${Math.round(share * pieces)} of ${pieces} pieces, ${lift.toFixed(1)} × as often as in all`
        : `${segments} dots; nothing stands out`;
      button.append(element("strong", "", label), element("span", "", why));
      button.onclick = () => active.pickCluster(k);
      const item = element("li");
      item.append(button);
      return item;
    }));
    if (!groups.clusters.length) this.find(".clusters").append(element("li", "", "There are no clusters."));
  }

  toggle(name, on = !this.explorer.view[name]) {
    const { explorer } = this;
    explorer.view[name] = on;
    explorer.say();
    this.show();
    explorer.tellEar(`${name === "names" ? "Names of clusters" : "Density"} ${on ? "on" : "off"}`);
    if (name === "names" && on) {
      for (const pane of explorer.panes) pane.group().catch((error) => explorer.failed(error));
    }
    for (const { stage } of explorer.panes) stage.repaint();
  }

  // Draw the maps by another method, or with other dots.
  async redraw(name, value) {
    const { explorer } = this;
    const { view } = explorer;
    if (view[name] === value || !explorer.library) return;
    view[name] = value === explorer.library.methods[0] ? "" : value;
    if (name !== "map2") view.camera = "";
    if (name !== "map") view.camera2 = "";
    explorer.say();
    this.show();
    explorer.theme();
    explorer.point(-1, false);
    const said = METHODS.find(([method]) => method === value)?.[1] ?? `Dots are ${value}`;
    explorer.tellEar(said);
    try {
      const changed = explorer.panes.filter(({ place }) => name === "dots" || place === (name === "map2" ? 1 : 0));
      await Promise.all(changed.map((pane) => pane.show(true)));
    } catch (error) {
      explorer.failed(error);
    }
  }

  // The next method that there is, for the map that is pointed at.
  next() {
    const { explorer } = this;
    const { library, active, view } = explorer;
    const name = active.place ? "map2" : "map";
    const all = library?.methods ?? [];
    if (all.length) this.redraw(name, all[(all.indexOf(view[name] || all[0]) + 1) % all.length]);
  }
}
