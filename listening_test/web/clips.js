// Clips on their way and in memory: fetched ahead, decoded, tried again, few at a time.

import { wait, Trouble } from "./api.js";

const KEPT = 8; // decoded clips in memory, up to 4 MB each: this trial, the next, and a spare
const TRIES = 3;
const PAUSES = [400, 1500]; // milliseconds between the tries

export class Clips {
  // decode(bytes) → promise of an AudioBuffer; failed(kind, name) for every try that went wrong;
  // gone() when the server no longer gives a clip that is needed; changed() after any change.
  constructor(api, { decode, changed, failed, gone }) {
    Object.assign(this, { api, decode, changed, failed, gone });
    this.known = new Map(); // name → { state: "loading" | "ready" | "failed", kind, buffer }
    this.needed = [];
    this.later = [];
  }

  buffer(name) { return this.known.get(name)?.buffer ?? null; }

  // "network", "decode" or "" for a clip that has not failed for good.
  problem(name) {
    const clip = this.known.get(name);
    return clip?.state === "failed" ? clip.kind : "";
  }

  need(names) {
    this.needed = [...names];
    for (const name of names) {
      if (this.known.get(name)?.state === "failed") this.known.delete(name);
      this.#load(name);
    }
  }

  ahead(names) {
    this.later = names.slice(0, KEPT - this.needed.length);
    this.#next();
  }

  retry() {
    this.need(this.needed);
    this.changed();
  }

  // One at a time, and only when nothing more urgent is on its way.
  #next() {
    if ([...this.known.values()].some((clip) => clip.state === "loading")) return;
    const name = this.later.find((each) => !this.known.has(each));
    if (name) this.#load(name);
  }

  async #load(name) {
    if (this.known.has(name)) return;
    const clip = { state: "loading", kind: "", buffer: null };
    this.known.set(name, clip);
    this.#forget();
    for (let tried = 0; tried < TRIES && !clip.buffer; tried++) {
      if (tried) await wait(PAUSES[tried - 1]);
      if (this.known.get(name) !== clip) return; // asked for anew in the meantime
      await this.#try(name, clip);
      if (clip.gone) break;
    }
    clip.state = clip.buffer ? "ready" : "failed";
    if (clip.gone && this.needed.includes(name)) this.gone();
    this.changed();
    this.#next();
  }

  async #try(name, clip) {
    try {
      clip.kind = "network";
      const bytes = await this.api.clip(name);
      if (bytes === null) {
        clip.gone = true;
        return;
      }
      clip.kind = "decode";
      clip.buffer = await this.decode(bytes);
    } catch (error) {
      if (clip.kind === "network" && !(error instanceof Trouble)) throw error;
      this.failed(`${clip.kind}-error`, name);
    }
  }

  #forget() {
    const dear = new Set([...this.needed, ...this.later]);
    for (const name of this.known.keys()) {
      if (this.known.size <= KEPT) break;
      if (!dear.has(name)) this.known.delete(name);
    }
  }
}
