// The same player, but the sound comes from the computer that runs the study, through its own
// device: this page only says what to play, and the server says what was heard.

import { Patience, Trouble } from "./api.js";

const EVERY = 200; // milliseconds between two looks while something plays

export class LabPlayer {
  can = { loop: false, volume: false, pause: false };

  constructor(api, hooks) {
    Object.assign(this, { api, hooks, names: [], heard: [], starts: [], last: 0, at: 0 });
    Object.assign(this, { index: -1, lengths: [], trouble: "", asked: 0, state: "fine", loop: false });
  }

  open(names, memory = null, length = 0) {
    if (this.index >= 0) this.pause();
    this.names = [...names];
    this.heard = names.map(() => 0);
    this.lengths = names.map(() => length);
    this.starts = names.map((_, i) => memory?.starts?.[i] ?? 0);
    Object.assign(this, { last: 0, at: 0, trouble: "" });
    this.#look(this.asked);
  }

  ahead() {}
  wake() {}

  get memory() { return { starts: this.starts }; }
  get volume() { return 1; }
  get playing() { return this.index; }

  ready() { return true; }
  problem() { return this.trouble; }
  duration(i) { return this.lengths[i]; }
  position(i) { return this.index === i ? this.at : 0; }
  heardSeconds(i) { return this.heard[i]; }
  heardRanges(i) { return this.heard[i] ? [[0, this.heard[i]]] : []; }

  toggle(i) {
    if (this.index === i) this.pause();
    else this.play(i);
  }

  again() { this.toggle(this.last); }
  restart(i) { this.play(i); }

  play(i) {
    if (this.index >= 0 && this.index !== i) this.hooks.note("pause", this.index, this.at);
    Object.assign(this, { last: i, index: i, at: 0 });
    this.starts[i] += 1;
    this.hooks.note("play", i, 0);
    this.#say(this.names[i]);
  }

  pause() {
    this.hooks.note("pause", this.index, this.at);
    this.index = -1;
    this.#say(null);
  }

  stop() { if (this.index >= 0) this.pause(); }

  retry() {
    this.trouble = "";
    this.#look(this.asked);
    this.hooks.changed();
  }

  async #say(clip) {
    const mine = ++this.asked;
    this.hooks.changed();
    try {
      const { status, body, sentence } = await this.api.ask("lab", { clip });
      if (mine !== this.asked) return;
      if (status !== 200) throw new Trouble(sentence, sentence);
      this.#take(body);
      if (clip !== null) this.#follow(mine);
    } catch (error) {
      this.#failed(mine, error);
    }
  }

  // Look at the server's player until this clip is over or another is asked for.
  async #follow(mine) {
    const patience = new Patience(EVERY, 2000);
    while (mine === this.asked && this.index >= 0) {
      await new Promise((done) => { setTimeout(done, EVERY); });
      if (!(await this.#look(mine))) await patience.wait();
    }
  }

  async #look(mine) {
    try {
      const { status, body, sentence } = await this.api.ask("lab");
      if (mine !== this.asked) return true;
      if (status !== 200) throw new Trouble(sentence, sentence);
      this.#take(body);
      return true;
    } catch (error) {
      this.#failed(mine, error);
      return false;
    }
  }

  #take({ playing, position, heard }) {
    this.heard = this.names.map((_, i) => heard?.[i] ?? 0);
    this.trouble = "";
    const was = this.index;
    this.index = playing === null ? -1 : this.names.indexOf(playing);
    this.at = position ?? 0;
    if (was >= 0 && this.index < 0) this.hooks.note("ended", was, this.lengths[was]);
    this.hooks.changed();
  }

  #failed(mine, error) {
    if (!(error instanceof Trouble)) throw error;
    if (mine !== this.asked) return;
    this.trouble = "network";
    this.sentence = error.sentence;
    this.index = -1;
    this.hooks.note("network-error", this.last);
    this.hooks.changed();
  }
}
