// Talking to the server. An answer that cannot be trusted (none in time, a 5xx, a hotel's log-in
// page in the place of JSON) is a Trouble: ask again later. Everything else is the server's word.

const PATIENCE = 20000; // milliseconds
const AGAIN = new Set([408, 425, 429]);

export class Trouble extends Error {
  constructor(message, sentence = "") {
    super(message);
    this.sentence = sentence; // the server's own words, if it said any
  }
}

// An id that no other has; randomUUID would need https, which a laboratory's network lacks.
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function wait(milliseconds) {
  return new Promise((done) => { setTimeout(done, milliseconds); });
}

// Wait longer after each failure, five seconds at most; a network that comes back ends the wait.
export class Patience {
  constructor(first = 400, most = 5000) {
    Object.assign(this, { first, most, next: first });
  }

  reset() { this.next = this.first; }

  async wait() {
    const span = this.next * (0.8 + 0.4 * Math.random());
    this.next = Math.min(this.next * 1.8, this.most);
    await new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener("online", end);
        done();
      };
      const timer = setTimeout(end, span);
      addEventListener("online", end);
    });
  }
}

export class Api {
  constructor(root) { this.root = root; } // …/t/TOKEN

  async #fetch(path, options) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const answer = await fetch(`${this.root}/${path}`, {
        cache: "no-store", credentials: "same-origin", redirect: "error", signal: abort.signal,
        ...options,
      });
      return { answer, bytes: await answer.arrayBuffer() };
    } catch (error) {
      throw new Trouble(`${path}: ${error.message}`);
    } finally {
      clearTimeout(timer);
    }
  }

  // → { status, body }; asks by GET without a body, by POST with one.
  async ask(path, body = undefined) {
    const options = body === undefined ? {} : {
      method: "POST", keepalive: true, // sent to its end even when the page is left
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    };
    const { answer, bytes } = await this.#fetch(path, options);
    let said = null;
    try { said = JSON.parse(new TextDecoder().decode(bytes)); } catch { /* judged below */ }
    const sentence = typeof said?.error === "string" ? said.error : "";
    if (answer.status >= 500 || AGAIN.has(answer.status)) {
      throw new Trouble(`${path}: ${answer.status}`, sentence);
    }
    if (said === null || typeof said !== "object") throw new Trouble(`${path}: no JSON`);
    return { status: answer.status, body: said, sentence };
  }

  // The bytes of a clip, or null if the server no longer gives it (another tab has gone on).
  async clip(name) {
    const { answer, bytes } = await this.#fetch(`clip/${encodeURIComponent(name)}`, {});
    if (answer.status === 404 || answer.status === 410) return null;
    if (!answer.ok) throw new Trouble(`clip: ${answer.status}`);
    return bytes;
  }

  // Send and forget, while the page is being left.
  beacon(path, body) {
    const blob = new Blob([JSON.stringify(body)], { type: "application/json" });
    try {
      return navigator.sendBeacon(`${this.root}/${path}`, blob);
    } catch {
      return false;
    }
  }
}
