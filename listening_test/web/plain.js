// Screens that are read and confirmed: consent, the end of a failed check, breaks, the last page.

import { button, element, enable, paragraphs } from "./dom.js";

// A heading, something to read, and one button that sends a step.
class Plain {
  constructor(step, app) {
    Object.assign(this, { step, app, where: "", busy: false });
    this.keys = {};
    this.nodes = [];
  }

  heading1(text) {
    this.heading = element("h1", { tabindex: -1, text });
    return this.heading;
  }

  // A button that sends a step; its key is Enter.
  act(text, name, payload = () => ({})) {
    const press = async () => {
      if (this.busy) return;
      this.busy = true;
      enable(this.primary, false);
      const reply = await this.app.send("step", { step: name, payload: payload() });
      this.busy = false;
      enable(this.primary, true);
      if (reply) this.app.go(reply.state);
    };
    this.primary = button(text, { key: "↵", kind: "primary", onclick: press });
    this.keys.Enter = press;
    return element("div", { class: "act" }, this.primary);
  }
}

export class Consent extends Plain {
  constructor(step, app) {
    super(step, app);
    const { texts } = app;
    this.nodes = [
      this.heading1(texts.say("consent.heading")),
      element("div", { class: "prose" }, paragraphs(step.text)),
      element("p", { class: "facts", text: texts.say("consent.time", { n: Math.max(1, step.minutes) }) }),
      app.state.lab ? null : element("p", { class: "facts", text: texts.say("consent.need") }),
      this.act(texts.say("consent.agree"), "consent", () => ({ agreed: true })),
      element("p", { class: "quiet", text: texts.say("consent.leave") }),
    ].filter(Boolean);
  }
}

export class HeadphonesFailed extends Plain {
  constructor(step, app) {
    super(step, app);
    const { texts } = app;
    const kind = step.can_retry ? "again" : "end";
    this.nodes = [
      this.heading1(texts.say(`failed.heading.${kind}`)),
      element("div", { class: "prose" }, paragraphs(texts.say(`failed.text.${kind}`))),
      step.can_retry ? this.act(texts.say("failed.retry"), "headphones-retry") : null,
    ].filter(Boolean);
  }
}

const CHEERS = 4; // texts that take turns

export class Break extends Plain {
  constructor(step, app) {
    super(step, app);
    const { texts } = app;
    const { done, total, seconds, id } = step;
    this.clock = element("p", { class: "clock", role: "timer", "aria-live": "off" });
    const turn = (Number(/\d+/.exec(id)?.[0] ?? 1) - 1) % CHEERS;
    const cheer = done * 2 === total ? "half" : done / total > 0.7 ? "last" : turn;
    this.nodes = [
      this.heading1(texts.say("break.heading")),
      element("p", { class: "prose", text: texts.say(`break.cheer.${cheer}`) }),
      element("p", { class: "facts", text: texts.say("break.done", { done, total, n: total - done }) }),
      this.clock,
      this.act(texts.say("break.go"), id),
      element("p", { class: "quiet", text: texts.say("break.stay") }),
    ];
    this.where = "";
    const end = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      this.clock.textContent = left > 0 ? texts.say("break.left", { n: left }) : texts.say("break.over");
      if (left <= 0) clearInterval(this.timer);
    };
    this.timer = setInterval(tick, 500);
    tick();
  }

  close() { clearInterval(this.timer); }
}

const BACK = 4; // seconds until the redirect

export class Done extends Plain {
  constructor(step, app) {
    super(step, app);
    const { texts } = app;
    this.nodes = [
      this.heading1(texts.say("done.heading")),
      element("p", { class: "prose", text: texts.say("done.saved") }),
    ];
    if (step.code) this.nodes.push(...this.#code(step.code));
    this.onward = element("p", { class: "prose" });
    if (!step.redirect || !/^https?:\/\//i.test(step.redirect)) {
      this.onward.textContent = texts.say("done.close");
    } else this.#leave(step.redirect);
    this.nodes.push(this.onward);
    if (step.number) {
      this.nodes.push(element("p", { class: "quiet", text: texts.say("done.number", { n: step.number }) }));
    }
  }

  #code(code) {
    const { texts, frame } = this.app;
    const shown = element("output", { class: "code", text: code, "aria-label": texts.say("done.code") });
    const copied = async () => {
      getSelection().selectAllChildren(shown);
      let done = false;
      try {
        await navigator.clipboard.writeText(code);
        done = true;
      } catch { // no https, or not allowed
        done = document.execCommand("copy");
      }
      copy.querySelector(".words").textContent = texts.say(done ? "done.copied" : "done.select");
      frame.say(copy.textContent);
    };
    const copy = button(texts.say("done.copy"), { key: "C", onclick: copied });
    this.keys.c = copied;
    return [element("p", { class: "label", text: texts.say("done.code") }),
      element("div", { class: "code-row" }, shown, copy)];
  }

  // Nobody is sent away before the last event is confirmed.
  async #leave(address) {
    const { texts, events } = this.app;
    this.onward.textContent = texts.say("done.finishing");
    while (!(await events.send())) await new Promise((again) => { setTimeout(again, 1000); });
    if (this.closed) return;
    const go = () => location.assign(address);
    this.onward.replaceChildren(element("span", { text: `${texts.say("done.back", { n: BACK })} ` }),
      element("a", { href: address, rel: "noreferrer", text: texts.say("done.now") }));
    this.timer = setTimeout(go, BACK * 1000);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}

export class Closed extends Plain {
  constructor(step, app) {
    super(step, app);
    const { texts } = app;
    const reason = texts.has(`closed.heading.${step.reason}`) ? step.reason : "closed";
    this.nodes = [
      this.heading1(texts.say(`closed.heading.${reason}`)),
      element("div", { class: "prose" }, paragraphs(texts.say(`closed.text.${reason}`))),
    ];
  }
}
