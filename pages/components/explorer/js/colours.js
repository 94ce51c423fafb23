// Colours of the dots. Categories walk round the hue circle in steps that keep neighbours far
// apart, then start again lighter or darker; numbers run from indigo to amber, lightness rising
// all the way, so that they can be told apart without seeing hue.

const GREY = [140, 145, 155];
const LEGEND_MOST = 12;

// OKLCH to sRGB bytes (Ottosson 2020), clipped to what a screen can show.
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((x) => {
    const v = x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(Math.max(v, 0), 1));
  });
}

// Twelve hues, far from each other in turn, with lightness differing as well.
const HUES = [25, 175, 325, 95, 265, 55, 215, 350, 145, 295, 110, 240];
const LIGHTNESS = [0.64, 0.79, 0.53, 0.72];

const made = []; // colours by category and by shade: a large library asks for a million
const shades = [];

function categoryColour(i) {
  made[i] ??= makeCategory(i);
  return made[i];
}

function makeCategory(i) {
  const round = Math.floor(i / 12) % 3;
  const lightness = LIGHTNESS[(i + round) % 4];
  return oklch(lightness, lightness > 0.7 ? 0.12 : 0.15, HUES[i % 12] + round * 12);
}

function numberColour(t) {
  const k = Math.round(255 * Math.min(Math.max(t, 0), 1));
  shades[k] ??= makeShade(k / 255);
  return shades[k];
}

function makeShade(x) {
  return oklch(0.46 + 0.38 * x, 0.13 + 0.02 * Math.sin(Math.PI * x), 285 - 205 * x);
}

function css(rgb) {
  return `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;
}

// Black or white, whichever reads better on a colour (WCAG relative luminance).
function inkOn(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? "#ffffff" : "#15171b";
}

// The theme's colours and font, and the chosen instrument's colour with what is read on it.
function lookOf(root, colour) {
  const style = getComputedStyle(root);
  const token = (name, other) => style.getPropertyValue(name).trim() || other;
  const text = token("--st-text-color", "#1d1f24");
  const ground = token("--st-background-color", "#ffffff");
  const [accent, onAccent] = colour ? [colour, inkOn(colour)] : [text, ground];
  return { text, ground, accent, onAccent, font: token("--st-font", "sans-serif") };
}

// How a field colours the segments: { of(segment) → rgb, say(segment) → text, legend }.
// legend: { swatches: [{ rgb, label, code }] } | { from, to } | { note }.
class Colouring {
  constructor(field, library, instrument) {
    this.field = field;
    this.library = library;
    this.code = () => -1;
    if (field.key === "piece") this.#byPiece();
    else if (field.key === "activity") this.#byActivity(instrument);
    else if (field.numbers) this.#byNumber();
    else this.#byCategory();
  }

  #byPiece() {
    this.code = (s) => this.library.pieceOf(s);
    this.of = (s) => categoryColour(this.code(s));
    this.say = () => "";
    const pieces = this.library.pieces.length;
    this.legend = { note: `${pieces.toLocaleString("en")} pieces, one colour each` };
    if (pieces > 36) this.legend.note = `${pieces.toLocaleString("en")} pieces; colours repeat`;
  }

  #byCategory() {
    const { values, codes } = this.field;
    this.code = (s) => codes[this.library.pieceOf(s)];
    this.of = (s) => (this.code(s) < 0 ? GREY : categoryColour(this.code(s)));
    this.say = (s) => values[this.code(s)] ?? "unknown";
    this.legend = values.length <= LEGEND_MOST
      ? { swatches: values.map((label, code) => ({ label, code, rgb: categoryColour(code) })) }
      : { note: `${values.length} values; point at a dot to read its own` };
  }

  #byNumber() {
    const { numbers, unit } = this.field;
    const known = numbers.filter((x) => x !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const value = (s) => numbers[this.library.pieceOf(s)];
    this.of = (s) =>
      (value(s) === null ? GREY : numberColour((value(s) - low) / (high - low || 1)));
    this.say = (s) => (value(s) === null ? "unknown" : `${Math.round(value(s))} ${unit}`);
    this.legend = { from: `${Math.round(low)}`, to: `${Math.round(high)} ${unit}` };
  }

  #byActivity(instrument) {
    const value = (s) => this.library.activity(s, instrument);
    this.of = (s) => (value(s) < 0 ? GREY : numberColour(value(s)));
    this.say = (s) => (value(s) < 0 ? "unknown" : `sounds ${Math.round(100 * value(s))} % of the time`);
    this.legend = { from: "silent", to: "all the time" };
  }
}
