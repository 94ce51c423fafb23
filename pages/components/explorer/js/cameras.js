// From where the maps are seen, in the view and so in the address.

const CAMERAS = ["camera", "camera2"]; // of the first map and of the second

class Cameras {
  constructor(explorer) { this.explorer = explorer; }

  // After each picture: once nothing moves any more, the view learns from where one looks.
  still() {
    const { root, panes } = this.explorer;
    const still = panes.every(({ stage }) => stage.still);
    root.dataset.still = String(still);
    clearTimeout(this.later);
    if (still && root.dataset.state === "ready") this.later = setTimeout(() => this.#keep(), 400);
  }

  #keep() {
    const { gone, panes, view } = this.explorer;
    if (gone) return;
    const now = panes.map(({ stage }) => stage.camera.said);
    if (now.every((said, k) => said === view[CAMERAS[k]])) return;
    now.forEach((said, k) => { view[CAMERAS[k]] = said; });
    this.explorer.say();
  }

  // Look from where the view says.
  heed() {
    const { panes, view } = this.explorer;
    for (const { place, stage } of panes) stage.camera.heed(view[CAMERAS[place]]);
  }
}
