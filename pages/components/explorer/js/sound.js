// One sound at a time, through one AudioContext: fetch, decode, keep, fade.
//
// While the pointer sweeps over many dots only the latest wish counts: at most two clips are on
// their way, and whichever arrives too late is kept for the next visit instead of being played.

const KEPT = 96; // decoded clips in memory, about 0.6 MB each
const FADE_IN = 0.006;
const FADE_OUT = 0.01;
const AT_ONCE = 2;

// The samples of a WAV file as the app makes them (16 bits, mono), or null for any other. Decoding
// it costs the browser ten times as long, for it changes the rate of the whole clip at once.
function unpacked(context, bytes) {
  const view = new DataView(bytes);
  const word = (at) => view.getUint32(at);
  const known = bytes.byteLength > 44 && word(0) === 0x52494646 && word(8) === 0x57415645
    && word(12) === 0x666d7420 && view.getUint16(20, true) === 1 && view.getUint16(22, true) === 1
    && view.getUint16(34, true) === 16 && word(36) === 0x64617461;
  if (!known) return null;
  const whole = new Int16Array(bytes, 44, (bytes.byteLength - 44) >> 1);
  const buffer = context.createBuffer(1, whole.length, view.getUint32(24, true));
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < whole.length; i++) samples[i] = whole[i] / 32768;
  return buffer;
}

class Sound {
  // address(segment, part) → URL; changed() is called whenever what is heard may have changed.
  constructor(address, changed) {
    Object.assign(this, { address, changed });
    this.buffers = new Map(); // URL → AudioBuffer, least recently used first
    this.loading = new Map(); // URL → promise
    this.ahead = []; // URLs to fetch when nothing else is going on
    this.now = null; // { segment, part, buffer, node, gain, since }
    this.wish = null; // { segment, part, url, asked, then }
    this.muted = false;
    this.problem = "";
    this.counts = { plays: 0, fetched: 0, kept: 0, failed: 0 };
    this.latencies = []; // milliseconds from the wish to the start, the latest 50
    const Context = window.AudioContext ?? window.webkitAudioContext;
    this.context = new Context({ latencyHint: "interactive" });
    this.volume = this.context.createGain();
    this.meter = this.context.createAnalyser();
    this.meter.fftSize = 1024;
    this.volume.connect(this.meter).connect(this.context.destination);
    this.context.onstatechange = () => {
      if (!this.locked && this.wish) this.#fulfil();
      this.changed();
    };
  }

  // True while the browser wants a click or a key first.
  get locked() { return this.context.state !== "running"; }

  // To be called from a click or key press.
  unlock() {
    if (this.locked && this.context.state !== "closed") this.context.resume().catch(() => {});
  }

  mute(muted) {
    this.muted = muted;
    this.volume.gain.setTargetAtTime(muted ? 0 : 1, this.context.currentTime, 0.01);
    this.changed();
  }

  is(segment, part) {
    return this.now !== null && this.now.segment === segment && this.now.part === part;
  }

  // 0 … 1 of the clip that plays.
  get progress() {
    if (!this.now) return 0;
    return Math.min((this.context.currentTime - this.now.since) / this.now.buffer.duration, 1);
  }

  // Root mean square of what is heard now.
  get level() {
    if (!this.now) return 0;
    this.samples ??= new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(this.samples);
    return Math.sqrt(this.samples.reduce((sum, x) => sum + x * x, 0) / this.samples.length);
  }

  play(segment, part, then = null) {
    const url = this.address(segment, part);
    this.wish = { segment, part, url, asked: performance.now(), then };
    this.problem = "";
    this.#fulfil();
    this.changed();
  }

  stop(seconds = FADE_OUT) {
    this.wish = null;
    this.#release(seconds);
    this.changed();
  }

  // Clips that are likely to be wanted next: [[segment, part], …].
  prepare(clips) {
    this.ahead = clips.map(([segment, part]) => this.address(segment, part))
      .filter((url) => !this.buffers.has(url)).slice(0, 24);
    this.#next();
  }

  close() {
    this.stop();
    this.ahead = [];
    this.context.onstatechange = null;
    this.context.close().catch(() => {});
  }

  // The decoded clip if it is in memory (for drawing its shape).
  held(segment, part) { return this.buffers.get(this.address(segment, part)) ?? null; }

  #fulfil() {
    const wish = this.wish;
    const buffer = this.buffers.get(wish.url);
    if (buffer) {
      this.#keep(wish.url, buffer);
      if (!this.locked) this.#start(wish, buffer);
    } else if (this.loading.size < AT_ONCE) {
      this.#load(wish.url);
    }
  }

  #next() {
    if (this.wish && !this.buffers.has(this.wish.url)) {
      if (this.loading.size < AT_ONCE) this.#load(this.wish.url);
    } else if (this.loading.size === 0 && this.ahead.length) {
      this.#load(this.ahead.shift());
    }
  }

  async #load(url) {
    if (this.loading.has(url) || this.buffers.has(url)) return;
    this.loading.set(url, true);
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(await answer.text());
      const bytes = await answer.arrayBuffer();
      const buffer = unpacked(this.context, bytes) ?? await this.context.decodeAudioData(bytes);
      this.counts.fetched++;
      this.#keep(url, buffer);
      if (this.wish?.url === url) {
        if (this.locked) this.changed();
        else this.#start(this.wish, buffer);
      }
    } catch (error) {
      this.counts.failed++;
      if (this.wish?.url === url) {
        this.problem = (error.message || "This clip could not be loaded.").slice(0, 200);
        const { then } = this.wish;
        this.wish = null;
        this.changed();
        then?.(); // a row of clips goes on with the next one
      }
    } finally {
      this.loading.delete(url);
      if (this.context.state !== "closed") this.#next();
    }
  }

  #keep(url, buffer) {
    this.buffers.delete(url);
    this.buffers.set(url, buffer);
    if (this.buffers.size > KEPT) this.buffers.delete(this.buffers.keys().next().value);
  }

  #start(wish, buffer) {
    this.wish = null;
    this.#release(FADE_OUT);
    const at = this.context.currentTime;
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(1, at + FADE_IN);
    const node = this.context.createBufferSource();
    node.buffer = buffer;
    node.connect(gain).connect(this.volume);
    const now = { segment: wish.segment, part: wish.part, buffer, node, gain, since: at };
    node.onended = () => {
      if (this.now !== now) return;
      this.now = null;
      this.changed();
      wish.then?.();
    };
    node.start(at);
    this.now = now;
    this.counts.plays++;
    if (performance.now() - wish.asked < 60000) this.latencies.push(performance.now() - wish.asked);
    if (this.latencies.length > 50) this.latencies.shift();
    this.changed();
  }

  #release(seconds) {
    if (!this.now) return;
    const { node, gain } = this.now;
    this.now = null;
    const at = this.context.currentTime;
    gain.gain.cancelScheduledValues(at);
    gain.gain.setValueAtTime(gain.gain.value, at);
    gain.gain.linearRampToValueAtTime(0, at + seconds);
    node.stop(at + seconds + 0.005);
  }
}
