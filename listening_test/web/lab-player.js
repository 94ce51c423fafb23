// The same player, but the sound comes from the computer that runs the study, through its own
// device: this page only says what to play, and the server says what was heard.

import { Trouble, wait } from "./api.js";

const EVERY = 200; // milliseconds between two looks while something plays

export class LabPlayer {
  can = { loop: false, volume: false, pause: false };

  constructor(api, hooks) {
    Object.assign(this, { api, hooks, names: [], heard: [], starts: [], dry: [], last: 0, at: 0 });
    Object.assign(this, { index: -1, lengths: [], trouble: "", asked: 0, state: "fine", loop: false });
  }

  open(names, memory = null, length = 0) {
    if (this.index >= 0) this.pause();
    this.names = [...names];
    this.heard = names.map((_, i) => memory?.heard?.[i] ?? 0); // farthest: each start is from 0
    this.lengths = names.map(() => length);
    this.starts = names.map((_, i) => memory?.starts?.[i] ?? 0);
    this.dry = names.map((_, i) => memory?.dry?.[i] ?? 0);
    Object.assign(this, { last: 0, at: 0, trouble: "", over: names.map(() => false) });
    this.#follow(this.asked); // perhaps a page before this one still plays
  }

  ahead() {}
  wake() {}

  get memory() { return { heard: this.heard, starts: this.starts, dry: this.dry }; }
  get volume() { return 1; }
  get playing() { return this.index; }

  ready() { return true; }
  problem() { return this.trouble; }
  duration(i) { return this.lengths[i]; }
  position(i) { return this.index === i ? this.at : 0; }
  heardSeconds(i) { return this.heard[i]; }
  whole(i) { return this.over[i]; }
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
    this.#follow(this.asked);
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
      if (clip === null) return;
      await wait(EVERY);
      this.#follow(mine);
    } catch (error) {
      this.#failed(mine, error);
    }
  }

  // Look at the server's player until this clip is over or another is asked for.
  async #follow(mine) {
    while (await this.#look(mine) && mine === this.asked && this.index >= 0) await wait(EVERY);
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

  // What the server says: the clip that sounds, where it is, what was heard of each, and how often
  // the device ran dry.
  #take({ playing, position, heard, dropouts }) {
    this.trouble = "";
    const was = this.index;
    this.dry = this.dry.map((before, i) => {
      if (dropouts[i] > before) this.hooks.note("dropout", i, i === was ? position : null);
      return Math.max(before, dropouts[i] ?? 0);
    });
    this.heard = this.heard.map((before, i) => Math.max(before, heard[i] ?? 0));
    this.index = playing === null ? -1 : this.names.indexOf(playing);
    this.at = this.index < 0 ? 0 : position;
    if (was >= 0 && this.index < 0) { // nobody stopped it here, so it is over
      this.over[was] = true;
      this.hooks.note("ended", was, this.heard[was]);
    }
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
