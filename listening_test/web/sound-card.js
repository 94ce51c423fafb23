// One sound: a button that plays and pauses it, how far it is, which parts were heard.

import { cap, element, enable, enabled, glyph } from "./dom.js";

export class SoundCard {
  // name: "X"; mustHear: seconds; replays: starts that are allowed, 0 for any number
  constructor(app, index, { name, key, caption = "", mustHear = 0, replays = 0 }) {
    Object.assign(this, { app, index, name, mustHear, replays });
    this.icon = element("span", { class: "icon" });
    this.spoken = element("span", { class: "unseen" });
    this.hint = element("span", { class: "hint", id: `hint-${index}` });
    this.press = element("button", {
      type: "button", class: "press", "aria-describedby": this.hint.id,
      onmousedown: (event) => event.preventDefault(), // the keyboard's focus stays where it is
      onclick: () => this.toggle(),
    }, this.icon, this.spoken, element("span", { class: "name", "aria-hidden": "true" },
      element("span", { class: "letter", text: name }), element("span", { class: "caption", text: caption })),
    key && cap(key));
    const again = app.texts.say("restart", { name });
    this.restart = element("button", {
      type: "button", class: "restart", "aria-label": again, title: again,
      onmousedown: (event) => event.preventDefault(),
      onclick: () => this.fromStart(),
    }, glyph("restart"));
    this.track = element("div", { class: "track", "aria-hidden": "true" });
    this.head = element("div", { class: "head" });
    this.node = element("div", { class: "sound" },
      this.press, this.restart, this.track, this.hint);
    this.node.dataset.clip = index;
    this.shown = "";
    this.show();
  }

  get missing() {
    return Math.max(0, this.mustHear - this.app.player.heardSeconds(this.index));
  }

  get enough() { return this.missing < 0.005; }

  // Starts that are left; a sound that was not heard enough may always be started.
  get left() {
    if (!this.replays) return Infinity;
    return Math.max(this.replays - this.app.player.starts[this.index], this.enough ? 0 : 1);
  }

  get open() {
    const { player } = this.app;
    return player.playing === this.index || player.position(this.index) > 0 || this.left > 0;
  }

  toggle() {
    if (!enabled(this.press)) return;
    if (this.open) this.app.player.toggle(this.index);
    else this.app.frame.say(this.app.texts.say("replays.none"));
  }

  fromStart() {
    if (enabled(this.press) && this.left > 0) this.app.player.restart(this.index);
  }

  freeze(on) { enable(this.press, !on); }

  // After any change of the player's.
  show() {
    const { player, texts } = this.app;
    const { index, name } = this;
    const playing = player.playing === index;
    const waiting = playing && !player.ready(index);
    const state = player.problem(index) ? "failed" : waiting ? "loading" : playing ? "playing" : "still";
    const mark = playing ? (waiting ? "wait" : player.can.pause ? "pause" : "stop") : "play";
    if (this.shown !== `${state}${mark}`) {
      this.shown = `${state}${mark}`;
      this.node.dataset.state = state;
      this.icon.replaceChildren(glyph(mark));
      this.spoken.textContent = texts.say(playing ? "pause.sound" : "play.sound", { name });
    }
    const idle = !player.can.pause || player.position(index) === 0 || this.left === 0;
    this.restart.classList.toggle("idle", idle); // its place stays: nothing moves
    this.node.dataset.heard = this.enough ? "enough" : "more";
    const hint = this.#hint(state);
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    this.#draw();
  }

  #hint(state) {
    const { texts } = this.app;
    if (state === "failed") return texts.say("hint.failed");
    if (state === "loading") return texts.say("hint.loading");
    const words = [];
    if (this.mustHear) {
      words.push(this.enough ? texts.say("hint.heard")
        : texts.say("hint.more", { n: Math.ceil(this.missing - 0.005) }));
    }
    if (this.replays && this.enough) words.push(texts.say("hint.replays", { n: this.left }));
    return words.join(" · ");
  }

  // Which parts were heard, and where it is.
  #draw() {
    const { player } = this.app;
    const length = player.duration(this.index) || 1;
    const ranges = player.heardRanges(this.index);
    const parts = [...this.track.querySelectorAll(".part")];
    ranges.forEach(([from, to], i) => {
      const part = parts[i] ?? element("div", { class: "part" });
      if (!parts[i]) this.track.append(part);
      part.style.left = `${(100 * from) / length}%`;
      part.style.width = `${Math.min((100 * (to - from)) / length, 100)}%`;
    });
    for (const part of parts.slice(ranges.length)) part.remove();
    const position = player.position(this.index);
    this.head.hidden = position === 0 && player.playing !== this.index;
    this.head.style.left = `${(100 * position) / length}%`;
    if (this.track.lastChild !== this.head) this.track.append(this.head);
  }
}
