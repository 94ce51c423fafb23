// Below the sounds: play again and again, volume, and the keys.

import { cap, element, glyph } from "./dom.js";

const STEP = 0.1;

export function tools(app, legend) {
  const { texts, player } = app;
  const nodes = [];
  const keys = {};
  if (player.can.loop) {
    const loop = element("button", {
      type: "button", class: "tool", "aria-pressed": String(player.loop),
      onclick: () => {
        player.loop = !player.loop;
        loop.setAttribute("aria-pressed", String(player.loop));
        app.events.note("loop", null, player.loop ? 1 : 0);
      },
    }, glyph("loop"), element("span", { text: texts.say("loop") }), cap("L"));
    nodes.push(loop);
    keys.l = () => loop.click();
  }
  if (player.can.volume) {
    const slider = element("input", {
      type: "range", min: 0, max: 1, step: 0.01, "aria-label": texts.say("volume"),
    });
    const show = () => {
      slider.value = player.volume;
      slider.setAttribute("aria-valuetext", `${Math.round(100 * player.volume)} %`);
    };
    const set = (level) => { app.volume(level); show(); };
    slider.addEventListener("input", () => set(Number(slider.value)));
    slider.addEventListener("change", () => app.events.note("volume", null, player.volume));
    show();
    nodes.push(element("label", { class: "tool volume" }, glyph("sound"), slider));
    const nudge = (by) => { set(player.volume + by); app.events.note("volume", null, player.volume); };
    keys["+"] = () => nudge(STEP);
    keys["-"] = () => nudge(-STEP);
  }
  const list = element("dl", {}, legend.map(([caps, words]) => element("div", {},
    element("dt", {}, caps.map((each) => element("kbd", { text: each }))),
    element("dd", { text: texts.say(words) }))));
  const help = element("details", { class: "legend" },
    element("summary", {}, element("span", { text: texts.say("keys") }), cap("?")), list);
  help.open = app.store.get("legend") === true;
  help.addEventListener("toggle", () => {
    if (help.open === (app.store.get("legend") === true)) return; // as it was on the last screen
    app.store.set("legend", help.open);
    if (help.open) help.scrollIntoView({ block: "nearest" });
  });
  keys["?"] = () => { help.open = !help.open; };
  return { nodes: [element("div", { class: "tools" }, nodes), help], keys };
}
