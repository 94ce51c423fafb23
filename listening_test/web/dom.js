// Making elements. Text only ever enters as text: nothing here, or anywhere, parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const GLYPHS = { // on a grid of 24
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  stop: "M7 7h10v10H7z",
  restart: "M6.5 6H8v12H6.5zM18 6v12l-9-6z",
  loop: "M7 7h9V4l5 4.5-5 4.5v-3H9v3H7zM17 17H8v3l-5-4.5L8 11v3h7v-3h2z",
  sound: "M4 9v6h4l5 4.5v-15L8 9zM15.5 8.5v7c1.5-.6 2.5-1.9 2.5-3.5s-1-2.9-2.5-3.5z",
  tick: "M9.5 16.2 5.3 12l-1.4 1.4 5.6 5.6 11-11-1.4-1.4z",
  wait: "M12 4a8 8 0 1 0 8 8h-2.2A5.8 5.8 0 1 1 12 6.2z",
};

// properties: class, text, value …, data-…, aria-… and on… handlers; null and false are left out.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function glyph(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `glyph glyph-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", GLYPHS[name]);
  svg.append(path);
  return svg;
}

// The cap of a key; only those who have a keyboard see it, and nobody hears it read out.
export function cap(key) {
  return element("kbd", { "aria-hidden": "true", text: key });
}

export function button(text, { key = null, kind = "", ...properties } = {}) {
  return element("button", { type: "button", class: `button ${kind}`.trim(), ...properties },
    element("span", { class: "words", text }), key && cap(key));
}

// Paragraphs of a plain text, parted by blank lines.
export function paragraphs(text) {
  return text.split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean)
    .map((part) => element("p", { text: part }));
}

// Pressable or not, without vanishing from the keyboard's and the screen reader's way.
export function enable(node, on) {
  node.setAttribute("aria-disabled", String(!on));
}

export function enabled(node) {
  return node.getAttribute("aria-disabled") !== "true";
}
