// Colours of many experiments: their own, or by a column. The scale for numbers goes from dark blue by green to yellow in about
// equal steps of what people see (lightness and hue of OKLCH), so that it is read without telling red from green.

import { HERE, isNumeric } from "./compare-axes.js";
import * as format from "./format.js";
import { fill, h } from "./dom.js";
import { isDark, styleAt, styleOf } from "./palette.js";

const STEPS = 64;
// Lightness and hue at both ends, on a light ground and on a dark one.
const LIGHT = { from: [0.3, 285], to: [0.83, 95] };
const DARK = { from: [0.45, 285], to: [0.93, 95] };
// Chroma at the ends, and how much less it is in the middle, where screens have no more.
const [CHROMA, LESS] = [0.12, 0.03];
// Words beyond so many have the colour of the others.
const WORDS = 10;
const OTHERS = "#888888";

function hex(lightness, chroma, hue) {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const [l, m, s] = [lightness + 0.3963377774 * a + 0.2158037573 * b, lightness - 0.1055613458 * a - 0.0638541728 * b, lightness - 0.0894841775 * a - 1.291485548 * b].map((part) => part ** 3);
  const linear = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s];
  const light = linear.map((part) => (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055));
  return `#${light.map((part) => Math.round(Math.min(1, Math.max(0, part)) * 255).toString(16).padStart(2, "0")).join("")}`;
}

// The colours of the scale from its least to its greatest.
export function ramp(dark = isDark()) {
  const { from, to } = dark ? DARK : LIGHT;
  return Array.from({ length: STEPS }, (_none, step) => {
    const at = step / (STEPS - 1);
    return hex(from[0] + (to[0] - from[0]) * at, CHROMA - LESS * Math.sin(Math.PI * at), from[1] + (to[1] - from[1]) * at);
  });
}

// The colour of each experiment: `by` is an axis, or null for their own.
export function colorsOf(by, rows) {
  if (by === null) return rows.map(({ id }) => styleOf(id).color);
  if (!isNumeric(by)) return rows.map((_row, place) => (by.where[place] === HERE && by.numbers[place] < WORDS ? styleAt(by.numbers[place]).color : OTHERS));
  const colors = ramp();
  const { scale } = exact(by, 0, STEPS - 1);
  return rows.map((_row, place) => (by.where[place] === HERE ? colors[Math.min(STEPS - 1, Math.max(0, Math.round(scale(by.numbers[place]))))] : OTHERS));
}

// From the least to the greatest, with no room beyond.
function exact({ least, greatest, isLog }, start, end) {
  const of = isLog ? Math.log : (value) => value;
  const range = of(greatest) - of(least) || 1;
  return { scale: (value) => start + ((of(value) - of(least)) / range) * (end - start) };
}

const endOf = (axis, value) => (axis.kind === "time" ? format.time(value * 1e6) : format.number(value));

// What the colours are, as parts: { text } or { colors }.
function legendOf(by) {
  if (by === null) return [{ text: "each its own" }];
  const lacks = by.where.some((where) => where !== HERE) ? [{ colors: [OTHERS] }, { text: "none" }] : [];
  if (isNumeric(by)) return [{ text: endOf(by, by.least) }, { colors: ramp() }, { text: `${endOf(by, by.greatest)}${by.isLog ? " (log)" : ""}` }, ...lacks];
  const more = by.words.length > WORDS ? [{ colors: [OTHERS] }, { text: `${by.words.length - WORDS} more` }] : [];
  return [...by.words.slice(0, WORDS).flatMap((text, place) => [{ colors: [styleAt(place).color] }, { text: text.slice(0, 24) || "(empty)" }]), ...more, ...lacks];
}

export function showLegend(place, by) {
  fill(place, legendOf(by).map(({ text, colors }) => {
    if (text !== undefined) return h("span.cut", { title: text }, text);
    const bar = h(colors.length > 1 ? "span.ramp" : "span.spot", { "aria-hidden": "true" });
    bar.style.background = colors.length > 1 ? `linear-gradient(to right, ${colors.join(", ")})` : colors[0];
    return bar;
  }));
}

// The same with a pen, from `x` on at the height `y`.
export function drawLegend(pen, name, by, x, y, ink) {
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { text, colors } of [{ text: `Colour: ${name}` }, ...legendOf(by)]) {
    if (text !== undefined) { pen.fillStyle = ink; pen.fillText(text, x, y); x += pen.measureText(text).width + 8; continue; }
    const width = colors.length > 1 ? 2 : 12;
    for (const color of colors) { pen.fillStyle = color; pen.fillRect(x, y - 5, width, 10); x += width; }
    x += 6;
  }
}
