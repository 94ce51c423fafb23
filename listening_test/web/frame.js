// What stands around every screen: how far one has come, whether the answer is saved, trouble.

import { element, glyph } from "./dom.js";

export class Frame {
  constructor() {
    this.top = document.getElementById("top");
    this.foot = document.getElementById("foot");
    this.bar = element("div", { class: "bar", role: "progressbar", "aria-valuemin": 0 },
      element("div", { class: "done" }));
    this.where = element("span", { class: "where" });
    this.left = element("span", { class: "left" });
    this.saved = element("span", { class: "saved", role: "status" });
    this.banner = element("p", { class: "banner", role: "alert", hidden: true });
    this.preview = element("p", { class: "preview", hidden: true });
    this.voice = element("p", { class: "unseen", "aria-live": "polite" });
    this.top.append(this.bar, this.preview,
      element("div", { class: "row" }, this.where, this.saved, this.left), this.banner);
    document.body.append(this.voice);
  }

  // where: the words at the left, e.g. "Question 12 of 64".
  update(texts, { progress, preview }, where) {
    const { done, total, minutes_left: minutes } = progress;
    this.top.hidden = false;
    this.bar.hidden = total === 0;
    this.bar.setAttribute("aria-label", texts.say("progress"));
    this.bar.setAttribute("aria-valuenow", done);
    this.bar.setAttribute("aria-valuemax", total);
    this.bar.firstChild.style.width = `${(100 * done) / Math.max(total, 1)}%`;
    this.where.textContent = where;
    this.left.textContent = "";
    if (total && done < total) {
      this.left.textContent = minutes > 0
        ? texts.say("minutes", { n: minutes }) : texts.say("minutes.none");
    }
    this.preview.hidden = !preview;
    this.preview.textContent = preview ? texts.say("preview") : "";
  }

  // "saving", "saved" or "".
  saving(texts, state) {
    this.saved.dataset.state = state;
    this.saved.replaceChildren();
    if (state) {
      this.saved.append(glyph(state === "saved" ? "tick" : "wait"),
        element("span", { text: texts.say(state) }));
    }
  }

  // A sentence over the screen, "" for none.
  trouble(sentence) {
    if (this.banner.textContent === sentence) return;
    this.banner.textContent = sentence;
    this.banner.hidden = sentence === "";
  }

  // Read out by a screen reader, seen by nobody.
  say(sentence) {
    this.voice.textContent = "";
    setTimeout(() => { this.voice.textContent = sentence; }, 60);
  }
}
