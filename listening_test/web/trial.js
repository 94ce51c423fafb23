// One question: X, A and B, and which of A and B is more like X.

import { button, element, enable, enabled } from "./dom.js";
import { Choice } from "./choice.js";
import { SoundCard } from "./sound-card.js";
import { tools } from "./tools.js";

const NAMES = ["X", "A", "B"];
const KEYS = [["X", "1"], ["A", "2"], ["B", "3"]];
const REMEMBER = 500; // milliseconds

export class Trial {
  constructor(step, app) {
    Object.assign(this, { step, app, answered: null, busy: false, kept: 0 });
    const { texts, player, store } = app;
    const before = store.get("trial");
    const mine = before?.trial === step.trial ? before : null; // the page was reloaded
    this.before = mine?.elapsed ?? 0;
    this.since = performance.now();
    player.open(step.clips, mine?.sounds, step.length);
    if (step.replays) player.loop = false;

    const mix = step.instrument === "mix" ? ".mix" : "";
    this.heading = element("h1", { tabindex: -1 }, texts.rich(`question.${step.focus}${mix}`, {
      instrument: texts.say(`instrument.${step.instrument}`),
    }));
    this.cards = NAMES.map((name, i) => new SoundCard(app, i, {
      name, key: KEYS[i][0], caption: i ? "" : texts.say("reference"),
      mustHear: step.must_hear, replays: step.replays,
    }));
    this.reason = element("p", { class: "reason", id: "reason" });
    const refused = () => this.nudge();
    const options = { refused, chosen: () => this.show(), describedby: "reason" };
    this.answer = new Choice(texts.say("answer"), [
      { text: texts.say("answer.a"), key: "←" }, { text: texts.say("answer.b"), key: "→" },
    ], { ...options, kind: "sides", visibleLegend: false });
    this.sure = step.sure ? new Choice(texts.say("sure"), [
      { text: texts.say("sure.yes"), key: "↑" }, { text: texts.say("sure.no"), key: "↓" },
    ], { ...options, kind: "sure" }) : null;
    this.next = button(texts.say("next"), {
      key: "↵", kind: "primary", "aria-describedby": "reason", onclick: () => this.confirm(),
    });
    this.retry = button(texts.say("retry"), { key: "R", kind: "retry", onclick: () => player.retry() });
    this.retry.hidden = true;
    this.verdict = step.practice ? element("p", { class: "verdict", role: "status" }) : null;
    const { nodes, keys } = tools(app, this.#legend());
    if (step.replays) delete keys.l;
    this.keys = { ...this.#keys(), ...keys };
    const focus = `focus.${step.focus}`;
    this.nodes = [
      step.practice ? element("p", { class: "lead", text: texts.say("practice") }) : null,
      this.heading,
      texts.has(focus) ? element("p", { class: "quiet", text: texts.say(focus) }) : null,
      element("div", { class: "sounds" }, this.cards.map((card) => card.node)),
      this.answer.node, this.sure?.node, this.verdict,
      element("div", { class: "act" }, this.retry, this.next, this.reason),
      ...nodes,
    ].filter(Boolean);
    if (step.replays) nodes[0].querySelector("[aria-pressed]")?.remove();
    this.show();
  }

  get where() {
    const { step: { practice, number, of }, app } = this;
    return app.texts.say(practice ? "where.practice" : "where.trial", { number, of });
  }

  // Whether another tab's progress may replace this screen now.
  get holding() { return this.busy || this.answered !== null; }

  #legend() {
    const rows = KEYS.map((caps, i) => [caps, `key.${NAMES[i]}`]);
    rows.push([["␣"], "key.space"], [["0"], "key.restart"], [["←", "→"], "key.choose"]);
    if (this.step.sure) rows.push([["↑", "↓"], "key.sure"]);
    rows.push([["↵"], "key.enter"]);
    if (this.app.player.can.loop && !this.step.replays) rows.push([["L"], "key.loop"]);
    if (this.app.player.can.volume) rows.push([["+", "-"], "key.volume"]);
    return [...rows, [["R"], "key.retry"]];
  }

  #keys() {
    const { player } = this.app;
    const keys = {
      " ": () => this.cards[player.last].toggle(),
      0: () => this.cards[player.last].fromStart(),
      Home: () => this.cards[player.last].fromStart(),
      ArrowLeft: () => this.pick(this.answer, 0), ArrowRight: () => this.pick(this.answer, 1),
      ArrowUp: () => this.sure && this.pick(this.sure, 0),
      ArrowDown: () => this.sure && this.pick(this.sure, 1),
      Enter: () => this.confirm(),
      r: () => { if (!this.retry.hidden) player.retry(); },
    };
    KEYS.forEach((caps, i) => {
      for (const key of caps) keys[key.toLowerCase()] = () => this.cards[i].toggle();
    });
    return keys;
  }

  pick(group, i) {
    if (this.busy || this.answered) return;
    group.choose(i);
    if (group.open) this.app.frame.say(this.app.texts.say(group === this.sure
      ? ["say.sure", "say.unsure"][i] : ["say.a", "say.b"][i]));
  }

  // ---- what is still missing -------------------------------------------------------------------

  get enough() { return this.cards.every((card) => card.enough); }

  // Why it cannot go on yet, "" if it can.
  why() {
    const { texts, player } = this.app;
    if (player.state !== "fine") return texts.say(`sound.${player.state}`);
    const problem = NAMES.map((_, i) => player.problem(i)).find(Boolean);
    if (problem) return player.sentence || texts.say(`sound.${problem}`);
    if (player.volume === 0) return texts.say("why.muted");
    if (!this.enough) {
      const names = NAMES.filter((_, i) => !this.cards[i].enough).join(texts.say("comma"));
      return texts.say("why.listen", { names });
    }
    if (this.answer.value < 0) return texts.say("why.choose");
    if (this.sure && this.sure.value < 0) return texts.say("why.sure");
    return "";
  }

  nudge() {
    const why = this.why();
    this.app.frame.say(why);
    this.reason.classList.remove("nudge");
    requestAnimationFrame(() => this.reason.classList.add("nudge"));
  }

  show() {
    const { player, screen } = this.app;
    if (screen && screen !== this) return; // it has been replaced
    for (const card of this.cards) card.show();
    if (this.busy || this.answered) return;
    this.retry.hidden = !NAMES.some((_, i) => player.problem(i));
    this.answer.enable(this.enough);
    this.sure?.enable(this.enough);
    const why = this.why();
    if (this.reason.textContent !== why) this.reason.textContent = why;
    enable(this.next, why === "");
    if (performance.now() - this.kept > REMEMBER) this.remember();
  }

  get elapsed() { return this.before + (performance.now() - this.since) / 1000; }

  // What a reload of the page must not forget.
  remember() {
    if (this.answered) return;
    this.kept = performance.now();
    const { step: { trial }, app } = this;
    app.store.set("trial", { trial, sounds: app.player.memory, elapsed: this.elapsed });
  }

  // ---- answering -------------------------------------------------------------------------------

  async confirm() {
    const { app, step } = this;
    if (this.answered) {
      app.go(this.answered.state);
      return;
    }
    if (this.busy) return;
    if (!enabled(this.next)) {
      this.nudge();
      return;
    }
    app.player.stop();
    this.#freeze(true);
    const choice = this.answer.value;
    const reply = await app.send("answer", {
      trial: step.trial, choice, sure: this.sure ? this.sure.value === 0 : null,
      heard: NAMES.map((_, i) => Math.round(app.player.heardSeconds(i) * 1000) / 1000),
      elapsed: Math.round(this.elapsed * 1000) / 1000,
    });
    if (!reply) {
      this.#freeze(false);
      return;
    }
    app.store.remove("trial");
    if (step.practice && typeof reply.correct === "boolean") this.#feedback(choice, reply);
    else app.go(reply.state);
  }

  #freeze(on) {
    this.busy = on;
    for (const card of this.cards) card.freeze(on);
    this.answer.enable(!on);
    this.sure?.enable(!on);
    enable(this.next, !on);
    this.next.querySelector(".words").textContent = this.app.texts.say(on ? "saving" : "next");
    if (on) this.reason.textContent = "";
    else this.show();
  }

  // Practice: say what was right; the sounds may be heard once more.
  #feedback(choice, reply) {
    const { texts } = this.app;
    const other = 1 - choice;
    this.answered = reply;
    this.#freeze(false);
    this.answer.enable(false);
    this.sure?.enable(false);
    this.verdict.dataset.correct = reply.correct;
    this.verdict.textContent = texts.say(reply.correct ? "practice.right" : "practice.other", {
      name: NAMES[1 + (reply.correct ? choice : other)],
    });
    this.reason.textContent = "";
    this.next.querySelector(".words").textContent = texts.say("continue");
    enable(this.next, true);
  }
}
