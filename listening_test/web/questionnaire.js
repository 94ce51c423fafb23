// The closing questions. What is typed is kept while it is typed, and sent exactly as it stands.

import { button, element, enable } from "./dom.js";

export class Questionnaire {
  constructor(step, app) {
    Object.assign(this, { step, app, where: "", busy: false });
    const { texts, store } = app;
    this.draft = store.get("draft") ?? {};
    this.heading = element("h1", { tabindex: -1, text: texts.say("questions.heading") });
    this.fields = step.questions.map((question, i) => this.#field(question, `q${i}`));
    this.next = button(texts.say("questions.send"), { key: "↵", kind: "primary", type: "submit" });
    this.form = element("form", { novalidate: true, class: "questions",
      onsubmit: (event) => { event.preventDefault(); this.confirm(); },
      oninput: () => this.#keep() },
    this.fields.map((field) => field.node), element("div", { class: "act" }, this.next));
    this.nodes = [this.heading, element("p", { class: "quiet", text: texts.say("questions.text") }), this.form];
    this.keys = { Enter: () => this.confirm() };
  }

  get holding() { return this.busy; }

  #keep() {
    this.draft = Object.fromEntries(this.fields.map((field) => [field.question.id, field.raw()]));
    this.app.store.set("draft", this.draft);
  }

  // A field: { question, node, raw() → what was typed, set(raw), focus(), fail(sentence) }
  #field(question, id) {
    const { texts } = this.app;
    const problem = element("p", { class: "problem", id: `${id}-problem`, hidden: true });
    const optional = question.required ? null
      : element("span", { class: "optional", text: ` ${texts.say("questions.optional")}` });
    const made = ["choice", "scale"].includes(question.kind)
      ? this.#options(question, id, optional) : this.#line(question, id, optional);
    made.node.append(problem);
    const before = this.draft[question.id];
    if (typeof before === "string" && before !== "") made.set(before);
    const fail = (sentence) => {
      problem.textContent = sentence;
      problem.hidden = sentence === "";
      for (const input of made.inputs) {
        input.setAttribute("aria-invalid", String(sentence !== ""));
        if (sentence) input.setAttribute("aria-describedby", problem.id);
        else input.removeAttribute("aria-describedby");
      }
    };
    return { question, fail, ...made };
  }

  #line(question, id, optional) {
    const long = question.kind === "text";
    const input = element(long ? "textarea" : "input", {
      id, name: question.id, rows: long ? 3 : null, maxlength: long ? 10000 : 40,
      inputmode: long ? null : "decimal", type: long ? null : "text", autocomplete: "off",
      "aria-required": String(question.required),
    });
    return {
      inputs: [input], raw: () => input.value, focus: () => input.focus(),
      set: (value) => { input.value = value; },
      node: element("div", { class: "question" },
        element("label", { for: id, text: question.label }, optional), input),
    };
  }

  #options(question, id, optional) {
    const inputs = question.options.map((option, i) => element("input", {
      type: "radio", name: id, value: i, required: question.required,
    }));
    return {
      inputs, focus: () => inputs[0].focus(),
      raw: () => question.options[inputs.findIndex((input) => input.checked)] ?? "",
      set: (value) => {
        const at = question.options.indexOf(value);
        if (at >= 0) inputs[at].checked = true;
      },
      node: element("fieldset", { class: `question ${question.kind}` },
        element("legend", { text: question.label }, optional),
        element("div", { class: "options" }, question.options.map((option, i) => element("label", {},
          inputs[i], element("span", { class: "words", text: option }))))),
    };
  }

  // What is sent for a field: a number, the text as it is, or nothing. → { value, problem }
  #value({ question, raw }) {
    const { texts } = this.app;
    const text = raw();
    if (text.trim() === "") return { problem: question.required ? texts.say("questions.missing") : "" };
    if (question.kind !== "number") return { value: text, problem: "" };
    const number = Number(text.normalize("NFKC").trim().replace(",", ".")); // １２ and 12,5 too
    return Number.isFinite(number) ? { value: number, problem: "" }
      : { problem: texts.say("questions.number") };
  }

  async confirm() {
    if (this.busy) return;
    const payload = {};
    let first = null;
    for (const field of this.fields) {
      const { value, problem } = this.#value(field);
      field.fail(problem);
      if (problem) first ??= field;
      else if (value !== undefined) payload[field.question.id] = value;
    }
    if (first) {
      first.focus();
      this.app.frame.say(this.app.texts.say("questions.look"));
      return;
    }
    this.busy = true;
    enable(this.next, false);
    const reply = await this.app.send("step", { step: "questionnaire", payload });
    this.busy = false;
    enable(this.next, true);
    if (!reply) return;
    this.app.store.remove("draft");
    this.app.go(reply.state);
  }
}
