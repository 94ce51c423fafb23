// Before the questions: are these headphones, and is the level comfortable?

import { button, element, enable, enabled } from "./dom.js";
import { Choice } from "./choice.js";
import { SoundCard } from "./sound-card.js";
import { tools } from "./tools.js";

const LEVEL = 2; // seconds of the level sound that are enough

// One sound, and something to confirm once it was heard: to its end, or for so many seconds.
class OneSound {
  constructor(step, app, { name, seconds, legend }) {
    Object.assign(this, { step, app, busy: false, seconds });
    app.player.loop = false;
    app.player.open(step.clips, null, step.length);
    this.card = new SoundCard(app, 0, { name, key: "␣" });
    this.reason = element("p", { class: "reason", id: "reason" });
    this.retry = button(app.texts.say("retry"), { key: "R", kind: "retry", onclick: () => app.player.retry() });
    this.next = button(app.texts.say("next"), {
      key: "↵", kind: "primary", "aria-describedby": "reason", onclick: () => this.confirm(),
    });
    this.act = element("div", { class: "act" }, this.retry, this.next, this.reason);
    const { nodes, keys } = tools(app, [[["␣"], "key.play"], ...legend, [["R"], "key.retry"]]);
    nodes[0].querySelector("[aria-pressed]")?.remove();
    delete keys.l;
    this.tools = nodes;
    this.keys = {
      " ": () => this.card.toggle(), 0: () => this.card.fromStart(),
      Enter: () => this.confirm(),
      r: () => { if (!this.retry.hidden) app.player.retry(); }, ...keys,
    };
  }

  get where() { return ""; }

  get holding() { return this.busy; }

  get heard() {
    const { player } = this.app;
    return player.whole(0) || player.heardSeconds(0) >= this.seconds;
  }

  trouble() {
    const { player, texts } = this.app;
    if (player.state !== "fine") return texts.say(`sound.${player.state}`);
    if (player.problem(0)) return player.sentence || texts.say(`sound.${player.problem(0)}`);
    return player.volume === 0 ? texts.say("why.muted") : "";
  }

  show() {
    this.card.show();
    if (this.busy) return;
    this.retry.hidden = !this.app.player.problem(0);
    this.changed();
    const why = this.why();
    if (this.reason.textContent !== why) this.reason.textContent = why;
    enable(this.next, why === "");
  }

  changed() {}

  nudge() {
    this.app.frame.say(this.why());
    this.reason.classList.remove("nudge");
    requestAnimationFrame(() => this.reason.classList.add("nudge"));
  }

  async confirm() {
    if (this.busy) return;
    if (!enabled(this.next)) {
      this.nudge();
      return;
    }
    this.app.player.stop();
    this.busy = true;
    this.card.freeze(true);
    enable(this.next, false);
    const reply = await this.send();
    this.busy = false;
    this.card.freeze(false);
    if (reply) this.app.go(reply.state);
    else this.show();
  }
}

export class Headphones extends OneSound {
  constructor(step, app) {
    const { texts } = app;
    super(step, app, {
      name: texts.say(`headphones.sound.${step.method}`), seconds: Infinity,
      legend: [[["1", "2", "3"], "key.choose3"], [["↵"], "key.enter"]],
    });
    this.since = performance.now();
    const first = step.number === 1;
    this.heading = element("h1", { tabindex: -1, text: texts.say(`headphones.question.${step.method}`) });
    this.answer = new Choice(texts.say("answer"), [1, 2, 3].map((n) => (
      { text: texts.say(`headphones.answer.${n}`), key: String(n) })), {
      kind: "three", visibleLegend: false, describedby: "reason", chosen: () => this.show(), refused: () => this.nudge(),
    });
    for (const i of [0, 1, 2]) this.keys[i + 1] = () => this.pick(i);
    this.keys.ArrowLeft = () => this.pick(Math.max(this.answer.value - 1, 0));
    this.keys.ArrowRight = () => this.pick(Math.min(this.answer.value + 1, 2));
    this.nodes = [
      first ? element("p", { class: "lead", text: texts.say(step.attempt > 1 ? "headphones.again" : "headphones.intro") }) : null,
      this.heading,
      element("div", { class: "sounds one" }, this.card.node),
      this.answer.node, this.act, ...this.tools,
    ].filter(Boolean);
    this.show();
  }

  get where() {
    const { number, of } = this.step;
    return this.app.texts.say("where.headphones", { number, of });
  }

  pick(i) {
    if (this.busy) return;
    this.answer.choose(i);
    if (this.answer.open) this.app.frame.say(this.app.texts.say(`headphones.answer.${i + 1}`));
  }

  changed() { this.answer.enable(this.heard); }

  why() {
    const { texts } = this.app;
    if (this.trouble()) return this.trouble();
    if (!this.heard) return texts.say("why.whole");
    return this.answer.value < 0 ? texts.say("why.choose3") : "";
  }

  send() {
    return this.app.send("answer", {
      trial: this.step.trial, choice: this.answer.value, sure: null,
      heard: [Math.round(this.app.player.heardSeconds(0) * 1000) / 1000],
      elapsed: Math.round(performance.now() - this.since) / 1000,
    });
  }
}

export class Level extends OneSound {
  constructor(step, app) {
    const { texts } = app;
    super(step, app, {
      name: texts.say("level.sound"), seconds: LEVEL, legend: [[["↵"], "key.go"]],
    });
    this.heading = element("h1", { tabindex: -1, text: texts.say("level.heading") });
    this.next.querySelector(".words").textContent = texts.say("level.go");
    this.nodes = [
      this.heading,
      element("p", { class: "prose", text: texts.say(app.state.lab ? "level.lab" : "level.text") }),
      element("div", { class: "sounds one" }, this.card.node),
      this.act, ...this.tools,
    ];
    app.player.loop = app.player.can.loop;
    this.show();
  }

  why() { return this.trouble() || (this.heard ? "" : this.app.texts.say("why.level")); }

  send() {
    this.app.player.loop = false;
    return this.app.send("step", { step: "level", payload: { volume: this.app.player.volume } });
  }
}
