// What happened and when: every play, pause and blur, sent in batches, kept until confirmed.

import { uuid, Trouble } from "./api.js";

const EVERY = 4000; // milliseconds
const BATCH = 50;
const MOST = 2000; // kept at most while there is no network

export class Events {
  constructor(api, store) {
    Object.assign(this, { api, store, kept: [], sending: null, trial: null });
    this.own = `events.${uuid()}`;
    for (const key of store.keys("events.")) { // left by a page that was closed in between
      this.kept.push(...(store.get(key) ?? []));
      store.remove(key);
    }
    this.#keep();
    this.timer = setInterval(() => this.send(), EVERY);
  }

  note(kind, clip = null, position = null) {
    const seconds = position === null ? null : Math.round(position * 1000) / 1000;
    this.kept.push({
      id: uuid(), trial: this.trial, kind, clip, at: Date.now(), position: seconds,
    });
    if (this.kept.length > MOST) this.kept.shift();
    this.#keep();
  }

  #keep() {
    if (this.kept.length) this.store.set(this.own, this.kept);
    else this.store.remove(this.own);
  }

  // → whether nothing is left to send.
  send() {
    this.sending ??= this.#send().finally(() => { this.sending = null; });
    return this.sending;
  }

  async #send() {
    while (this.kept.length) {
      const batch = this.kept.slice(0, BATCH);
      try {
        const { status } = await this.api.ask("events", { events: batch });
        if (status === 404 || status === 410) return false;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        return false;
      }
      const sent = new Set(batch.map((event) => event.id));
      this.kept = this.kept.filter((event) => !sent.has(event.id));
      this.#keep();
    }
    return true;
  }

  // The page is being left. What is not confirmed stays kept and is sent again by the next page.
  leave() {
    if (this.kept.length) this.api.beacon("events", { events: this.kept.slice(0, 200) });
  }
}
