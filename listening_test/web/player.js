// One sound at a time through the browser's audio clock, with a short ramp at every start and stop.
//
// Switching to another clip starts it from its beginning; the clip that is paused goes on where it
// was. What was heard is measured by the audio clock alone: it stands still when the browser has
// not allowed sound yet, or when a phone call interrupts.

import { Clips } from "./clips.js";
import { Heard } from "./heard.js";

const RISE = 0.0012; // seconds: time constant of a fade, which
const FADE = 0.006; // seconds later is over but for 4 %
const LEAD = 0.01; // seconds: a start is scheduled this far ahead, so that its time is known
const STUCK = 2500; // milliseconds without a step of the audio clock

const SEAM = 0.06; // seconds that may be missing of a whole

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

export class Player {
  // hooks: changed(), note(kind, clip, position), gone()
  constructor(api, hooks) {
    this.hooks = hooks;
    this.names = [];
    this.heard = [];
    this.starts = [];
    this.resume = null; // { index, position }: the clip that is paused
    this.last = 0; // the clip that was played last
    this.wish = null; // { index, position }: to be started as soon as possible
    this.now = null; // what sounds: { index, node, gain, from, at, end, since }
    this.loop = false;
    this.level = 1;
    this.state = "fine"; // or "interrupted", "blocked"
    this.clips = new Clips(api, {
      decode: (bytes) => this.context.decodeAudioData(bytes),
      changed: () => { this.#fulfil(); hooks.changed(); },
      failed: (kind, name) => this.#failed(kind, name),
      gone: hooks.gone,
    });
    // Play even where a phone's ring switch is off (Safari).
    if (navigator.audioSession) navigator.audioSession.type = "playback";
    this.#build();
    setInterval(() => this.#watch(), 250);
  }

  can = { loop: true, volume: true, pause: true };

  #build() {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    this.context = new Context({ latencyHint: "interactive" });
    this.silent = 0; // audio clock: when the fade of what sounded last is over
    this.output = new GainNode(this.context, { gain: this.level });
    this.output.connect(this.context.destination);
    this.context.onstatechange = () => this.#changed();
  }

  // ---- clips ----------------------------------------------------------------------------------

  // The clips of a trial; memory is what `memory` returned for them before the page was reloaded.
  open(names, memory = null) {
    this.stop();
    this.names = [...names];
    this.heard = names.map((_, i) => new Heard(memory?.heard?.[i]));
    this.starts = names.map((_, i) => memory?.starts?.[i] ?? 0);
    Object.assign(this, { resume: null, last: 0, state: "fine" });
    this.clips.need(names);
  }

  ahead(names) { this.clips.ahead(names); }

  retry() { this.clips.retry(); }

  get memory() {
    return { heard: this.heard.map((each, i) => each.with(this.#range(i)).ranges), starts: this.starts };
  }

  ready(i) { return this.clips.buffer(this.names[i]) !== null; }

  problem(i) { return this.clips.problem(this.names[i]); }

  duration(i) { return this.clips.buffer(this.names[i])?.duration ?? 0; }

  #failed(kind, name) {
    const index = this.names.indexOf(name);
    this.hooks.note(kind, index < 0 ? null : index);
  }

  // ---- what is heard --------------------------------------------------------------------------

  // Index of the clip that sounds or is about to, or -1.
  get playing() { return this.now?.index ?? this.wish?.index ?? -1; }

  position(i) {
    if (this.now?.index === i) return this.#where();
    return this.resume?.index === i ? this.resume.position : 0;
  }

  heardSeconds(i) { return this.heard[i].with(this.#range(i)).seconds; }

  // Whether it was heard to its end.
  whole(i) { return this.ready(i) && this.heardSeconds(i) > this.duration(i) - SEAM; }

  heardRanges(i) { return this.heard[i].with(this.#range(i)).ranges; }

  #where(time = this.context.currentTime) {
    return clamp(this.now.from + time - this.now.at, this.now.from, this.now.end);
  }

  // What has sounded of the clip since it was last noted down.
  #range(i, time = this.context.currentTime) {
    if (this.now?.index !== i || this.level === 0) return null;
    return [this.now.since, this.#where(time)];
  }

  #noteHeard(time) {
    if (!this.now) return;
    const range = this.#range(this.now.index, time);
    if (range) this.heard[this.now.index].add(...range);
    this.now.since = this.#where(time);
  }

  // ---- pressing -------------------------------------------------------------------------------

  // Play a clip, or pause it if it is the one that sounds. Call it from a click or key press.
  toggle(i) {
    if (this.playing === i && this.state !== "blocked") this.pause();
    else this.play(i, this.resume?.index === i ? this.resume.position : 0);
  }

  again() { this.toggle(this.last); }

  restart(i) { this.play(i, 0); }

  play(i, position = 0) {
    this.last = i;
    this.wish = { index: i, position, asked: performance.now() };
    this.wake();
    this.#fulfil();
    this.hooks.changed();
  }

  pause() {
    const index = this.playing;
    this.wish = null;
    if (this.now) {
      const position = this.#release();
      this.resume = { index, position };
      this.hooks.note("pause", index, position);
    }
    this.hooks.changed();
  }

  stop() {
    if (this.now) this.pause();
    this.wish = null;
    this.resume = null;
  }

  set volume(level) {
    this.#noteHeard();
    this.level = clamp(Math.round(level * 100) / 100, 0, 1);
    this.output.gain.setTargetAtTime(this.level, this.context.currentTime, 0.01);
    this.hooks.changed();
  }

  get volume() { return this.level; }

  // Sound may start only from a click or key press; phones take it away and give it back.
  wake() {
    if (this.context.state !== "running") this.context.resume().catch(() => {});
  }

  // ---- the audio clock ------------------------------------------------------------------------

  #fulfil() {
    if (!this.wish || this.context.state !== "running") return;
    const buffer = this.clips.buffer(this.names[this.wish.index]);
    if (!buffer) return;
    const { index, position } = this.wish;
    this.wish = null;
    this.#start(index, position, buffer);
  }

  #start(index, position, buffer) {
    const { context } = this;
    if (this.now) {
      const other = this.now.index;
      const left = this.#release();
      if (other !== index) this.hooks.note("pause", other, left);
    }
    const from = position < buffer.duration - 0.05 ? position : 0;
    const end = buffer.duration;
    const gate = this.#gate();
    const node = new AudioBufferSourceNode(context, { buffer });
    node.connect(gate.gain).connect(this.output);
    // The clock is read last: making nodes may take longer than the lead, and what is started late
    // would count as heard before it sounds.
    const at = Math.max(context.currentTime + LEAD, this.silent); // never two at once
    const now = { index, node, gate, from, at, end, since: from };
    node.onended = () => {
      gate.step.stop();
      if (this.now === now) this.#ended();
    };
    gate.step.offset.setValueAtTime(1, at);
    gate.step.offset.setValueAtTime(0, at + end - from - FADE);
    node.start(at, from);
    Object.assign(this, { now, resume: null, state: "fine", step: null });
    if (from === 0) this.starts[index] += 1;
    this.hooks.note("play", index, from);
    this.hooks.changed();
  }

  // A gain that follows a step smoothly, because a filter lies between: two poles, no overshoot.
  // A ramp by the clock would be cut short, and click, whenever this script came too late.
  #gate() {
    const { context } = this;
    const pole = Math.exp(-1 / (RISE * context.sampleRate));
    const step = new ConstantSourceNode(context, { offset: 0 });
    const smooth = new IIRFilterNode(context, {
      feedforward: [(1 - pole) ** 2], feedback: [1, -2 * pole, pole ** 2],
    });
    const gain = new GainNode(context, { gain: 0 });
    step.connect(smooth).connect(gain.gain);
    step.start();
    return { step, gain };
  }

  // Fade out what sounds. → the position where it ends.
  #release() {
    const { now: { node, gate: { step } }, context } = this;
    const time = context.currentTime;
    this.#noteHeard(time);
    const position = this.#where(time);
    this.now = null;
    step.offset.cancelScheduledValues(time);
    step.offset.setValueAtTime(0, time);
    this.silent = context.currentTime + 2 * FADE; // asked again: time may have passed
    node.stop(this.silent + 8 * FADE);
    return position;
  }

  #ended() {
    const { index, end } = this.now;
    if (this.level > 0) this.heard[index].add(this.now.since, end);
    this.now = null;
    this.resume = null;
    this.hooks.note("ended", index, end);
    if (this.loop) this.play(index, 0);
    this.hooks.changed();
  }

  // ---- interruptions --------------------------------------------------------------------------

  #changed() {
    if (this.context.state === "running") this.#fulfil();
    else this.#interrupt();
    this.hooks.changed();
  }

  // A call came in, the headphones were pulled out, the browser put the page to sleep.
  #interrupt() {
    if (!this.now) return;
    const { index, node, gate } = this.now;
    this.#noteHeard();
    const position = this.#where();
    node.onended = null;
    this.now = null;
    node.stop();
    gate.step.stop();
    this.resume = { index, position };
    this.state = "interrupted";
    this.hooks.note("interrupted", index, position);
  }

  // A clock that stands still although it says that it runs, or never starts: a new context helps.
  #watch() {
    if (this.wish && performance.now() - this.wish.asked > STUCK && this.ready(this.wish.index)
      && this.context.state !== "running" && this.state !== "blocked") {
      this.state = "blocked";
      this.#rebuild();
      this.wake(); // enough for some browsers; others want another press
    }
    if (!this.now) return;
    const time = this.context.currentTime;
    if (this.step?.time !== time) this.step = { time, since: performance.now() };
    else if (performance.now() - this.step.since > STUCK) {
      this.#interrupt();
      this.#rebuild();
    }
  }

  #rebuild() {
    const old = this.context;
    old.onstatechange = null;
    old.close().catch(() => {});
    this.#build();
    this.hooks.changed();
  }
}
