// Nothing is lost: what a listener sends is kept in this browser first and forgotten only when the
// server says that it has it. Each letter has an id of its own, so that the server can take it
// twice without counting it twice, and a key of its own, so that two tabs do not disturb each other.

import { Patience, Trouble } from "./api.js";

export class Outbox {
  // changed("sending" | "waiting" | "saved" | "empty", the server's sentence)
  constructor(api, store, changed) {
    Object.assign(this, { api, store, changed, delivering: null });
  }

  get letters() {
    return this.store.keys("out.").map((key) => this.store.get(key))
      .filter((letter) => letter?.body?.id).sort((a, b) => a.at - b.at);
  }

  get empty() { return this.letters.length === 0; }

  put(path, body) {
    this.store.set(`out.${body.id}`, { path, body, at: Date.now() });
  }

  // Deliver everything, however long it takes. → the last reply { status, body, sentence }, or null
  // where nothing was to be sent, or another tab has sent it. A letter that the server refuses for good is dropped; if the
  // whole test is gone or closed the letters stay, should it open again.
  deliver() {
    this.delivering ??= this.#deliver().finally(() => { this.delivering = null; });
    return this.delivering;
  }

  async #deliver() {
    const patience = new Patience();
    let last = null;
    for (;;) {
      const [letter] = this.letters;
      if (!letter) break;
      if (patience.next === patience.first) this.changed("sending", "");
      try {
        const reply = await this.api.ask(letter.path, letter.body);
        if (reply.status === 200 && reply.body.saved !== letter.body.id) {
          throw new Trouble(`${letter.path}: the server confirmed something else`);
        }
        last = reply;
        if (last.status === 404 || last.status === 410) break;
        this.store.remove(`out.${letter.body.id}`);
        patience.reset();
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.changed("waiting", error.sentence);
        await patience.wait();
      }
    }
    if (last && this.empty) this.changed(last.status === 200 ? "saved" : "empty", "");
    return last;
  }

  // The page is being left: one more try for what is still here.
  leave() {
    for (const { path, body } of this.letters) this.api.beacon(path, body);
  }
}
