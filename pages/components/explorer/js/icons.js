// Icons, drawn for a 24 × 24 box with a 2 px line. Text and shapes are put into the page through
// the DOM only, never as HTML.

const ICONS = {
  whole: ["M4 10v4", "M8 6v12", "M12 3v18", "M16 7v10", "M20 10v4"],
  drums: ["M3 11c0-2 4-3.5 9-3.5s9 1.5 9 3.5-4 3.5-9 3.5-9-1.5-9-3.5z",
    "M3 11v6c0 2 4 3.5 9 3.5s9-1.5 9-3.5v-6", "M9 8 4 3", "M15 8l5-5"],
  bass: ["M5 9.5a5 5 0 1 1 9.5 2c0 4-3.5 7-8.5 9", "M8 9.5h.01", "M19 7h.01", "M19 12h.01"],
  piano: ["M3 5h18v14H3z", "M9 19v-6", "M15 19v-6", "M7.5 5v8h3V5", "M13.5 5v8h3V5"],
  guitar: ["M20.5 3.5 13 11", "M18 3l3 3", "M14.5 12.5c1.5 2 .5 3.5-1.5 4.5s-2 4-5 4a5 5 0 0 1-5-5c0-3 3-3 4-5s2.5-3 4.5-1.5z",
    "M8.5 15.5h.01"],
  others: ["M9 18V6l11-2.5V15", "M9 18a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0z",
    "M20 15a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0z"],
  play: ["M7 4.5v15l12-7.5z"],
  stop: ["M6.5 6.5h11v11h-11z"],
  sound: ["M4 9.5v5h3.5L12 19V5L7.5 9.5z", "M15.5 9a4 4 0 0 1 0 6", "M18.5 6a8.5 8.5 0 0 1 0 12"],
  silent: ["M4 9.5v5h3.5L12 19V5L7.5 9.5z", "M16 9.5l5 5", "M21 9.5l-5 5"],
  hover: ["M5 4l5.5 14 2-5.5 5.5-2z", "M17 3.5v3", "M20.5 7h-3"],
  plus: ["M12 5v14", "M5 12h14"],
  minus: ["M5 12h14"],
  reset: ["M4 9V4h5", "M20 9V4h-5", "M4 15v5h5", "M20 15v5h-5"],
  help: ["M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4", "M12 17.5h.01"],
  compare: ["M3 5h8v14H3z", "M13 5h8v14h-8z"],
  view: ["M4 7h9", "M17 7h3", "M15 5v4", "M4 12h3", "M11 12h9", "M9 10v4", "M4 17h10", "M18 17h2", "M16 15v4"],
  lasso: ["M12 4c5 0 9 2.2 9 5.5S17 15 12 15s-9-2.2-9-5.5S7 4 12 4z", "M6.5 13.6c-1.8 1-1.6 3 .3 3s2 2.6.2 3.9"],
  back: ["M18 5v14l-9-7z", "M6 5v14"],
  next: ["M6 5v14l9-7z", "M18 5v14"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  row: ["M4 5v14l9-7z", "M13 5v14l8-7z"],
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `glyph glyph-${name}`);
  for (const d of ICONS[name] ?? ICONS.others) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
