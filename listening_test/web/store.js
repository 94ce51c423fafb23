// What this browser keeps for one listener: localStorage where there is one, memory where not
// (private windows of some browsers, full disks).

export class Store {
  constructor(token) {
    this.prefix = `listen.${token}.`;
    this.memory = new Map();
  }

  get(key) {
    const name = this.prefix + key;
    let text = this.memory.get(name) ?? null;
    try { text ??= localStorage.getItem(name); } catch { /* memory it is */ }
    try { return text === null ? null : JSON.parse(text); } catch { return null; }
  }

  // Whether it will outlive this page.
  set(key, value) {
    const name = this.prefix + key;
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(name, text);
      this.memory.delete(name);
      return true;
    } catch {
      this.memory.set(name, text);
      return false;
    }
  }

  remove(key) {
    this.memory.delete(this.prefix + key);
    try { localStorage.removeItem(this.prefix + key); } catch { /* it was in memory */ }
  }

  // Keys that begin so.
  keys(start) {
    const names = [...this.memory.keys()];
    try { names.push(...Object.keys(localStorage)); } catch { /* memory it is */ }
    const whole = this.prefix + start;
    return [...new Set(names)].filter((name) => name.startsWith(whole))
      .map((name) => name.slice(this.prefix.length));
  }
}
