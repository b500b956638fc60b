// Draws parallel coordinates with a pen: a line for each experiment through its place on each axis.

import { FONT } from "./chart-draw.js";
import { ruled, HERE, ODD } from "./compare-axes.js";
import { bounds } from "./compare-brushes.js";

export const TOP = 10, SIDE = 74;
const [BOTTOM, BELOW] = [14, 24];
const TICK = 44;
const BRUSH = 9;
// How much of its colour a line has among few, many and very many, where it is kept and where it is not.
const INK = [[60, 0.9, 0.25], [300, 0.65, 0.12], [Infinity, 0.4, 0.06]];

// Where everything is: the places of the axes `xs` (which may be given), their scales, and the height of each experiment on each.
export function layout(axes, width, height, top = TOP, xs = null) {
  const names = [["none", axes.some(({ where }) => where.includes(1))], ["odd", axes.some(({ where }) => where.includes(ODD))]].filter(([, has]) => has).map(([name]) => name);
  const bottom = height - BOTTOM - BELOW * names.length;
  const below = names.map((name, place) => ({ name, text: name === "none" ? "none" : "not finite", y: bottom + BELOW * (place + 1) - 4 }));
  const gap = axes.length > 1 ? (width - 2 * SIDE) / (axes.length - 1) : 0;
  const places = xs ?? axes.map((_axis, place) => (axes.length > 1 ? SIDE + gap * place : width / 2));
  const rules = axes.map((axis) => ruled(axis, bottom, top, (bottom - top) / TICK));
  const heightOf = (name) => below.find((one) => one.name === name)?.y ?? bottom;
  const [none, odd] = [heightOf("none"), heightOf("odd")];
  const ys = axes.map(({ where, numbers }, at) => Float32Array.from(where, (there, place) => (there === HERE ? rules[at].scale.at(numbers[place]) : there === ODD ? odd : none)));
  return { axes, width, height, top, bottom, below, gap, xs: places, rules, ys };
}

// The axes from left to right, which while one is dragged are not in the order of the list.
const fromLeft = ({ xs }) => [...xs.keys()].sort((one, other) => xs[one] - xs[other]);

export function trace(pen, picture, place, order = fromLeft(picture)) {
  const { xs, ys } = picture;
  pen.beginPath();
  order.forEach((at, turn) => {
    if (turn === 0) pen.moveTo(xs[at], ys[at][place]);
    else pen.lineTo(xs[at], ys[at][place]);
  });
  pen.stroke();
}

// Everything but the line under the cursor. Of each experiment `kept` says whether it is drawn in its colour.
export function draw(pen, picture, kept, colors, brushes, theme) {
  const order = fromLeft(picture);
  pen.lineWidth = 1;
  const count = kept.reduce((sum, one) => sum + one, 0);
  const inkOf = (lines) => INK.find(([most]) => lines <= most);
  if (order.length > 1) {
    pen.globalAlpha = inkOf(kept.length - count)[2];
    pen.strokeStyle = theme.dim;
    for (let place = 0; place < kept.length; place += 1) if (kept[place] === 0) trace(pen, picture, place, order);
    pen.globalAlpha = inkOf(count)[1];
    for (let place = 0; place < kept.length; place += 1) {
      if (kept[place] === 0) continue;
      pen.strokeStyle = colors[place];
      trace(pen, picture, place, order);
    }
  } else dots(pen, picture, kept, colors);
  pen.globalAlpha = 1;
  pen.font = FONT;
  for (const at of order) axis(pen, picture, at, brushes, theme);
}

// On one axis alone there are no lines.
function dots(pen, { xs, ys }, kept, colors) {
  for (let place = 0; place < kept.length; place += 1) {
    pen.globalAlpha = kept[place] === 1 ? 0.7 : 0.12;
    pen.fillStyle = colors[place];
    pen.beginPath();
    pen.arc(xs[0], ys[0][place], 3, 0, 2 * Math.PI);
    pen.fill();
  }
}

function axis(pen, { axes, xs, rules, top, bottom, below }, at, brushes, theme) {
  const x = Math.round(xs[at]) + 0.5;
  pen.strokeStyle = theme.text;
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, bottom);
  pen.stroke();
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { value, text } of rules[at].marks) label(pen, text.slice(0, 22) || "(empty)", x, rules[at].scale.at(value), theme);
  for (const { text, y } of below) label(pen, text, x, y, theme, theme.dim);
  const brush = brushes.get(axes[at].column);
  if (brush !== undefined) brushed(pen, axes[at], brush, rules[at].scale, { x, top, bottom, below }, theme);
}

function label(pen, text, x, y, theme, ink = theme.text) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + 4, y);
  pen.stroke();
  pen.globalAlpha = 0.75;
  pen.fillStyle = theme.ground;
  pen.fillRect(x + 5, y - 7, pen.measureText(text).width + 4, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = ink;
  pen.fillText(text, x + 7, y);
}

function brushed(pen, of, brush, scale, { x, top, bottom, below }, theme) {
  const range = bounds(of, brush);
  // A word is as high as a step of its axis.
  const half = of.kind === "text" ? 0.4 : 0;
  const boxes = below.filter(({ name }) => brush.below.includes(name)).map(({ y }) => [y - BRUSH, y + BRUSH]);
  if (range !== null) boxes.push([Math.max(top, scale.at(range[1] + half)), Math.min(bottom, scale.at(range[0] - half))]);
  for (const [from, to] of boxes) {
    const height = Math.max(2, to - from);
    pen.globalAlpha = 0.3;
    pen.fillStyle = theme.accent;
    pen.fillRect(x - BRUSH, from, 2 * BRUSH, height);
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.accent;
    pen.strokeRect(x - BRUSH, from, 2 * BRUSH, height);
  }
}

// The experiment whose line is nearest to a point, no farther than `reach`; those that are kept come first.
export function nearest(picture, kept, x, y, reach) {
  const { xs, ys } = picture;
  const order = fromLeft(picture);
  const right = order.findIndex((at) => xs[at] >= x);
  const [one, other] = [order[right <= 0 ? 0 : right - 1], order[right < 0 ? order.length - 1 : right]];
  if (right === 0 ? xs[one] - x > reach : right < 0 && x - xs[other] > reach) return null;
  const width = xs[other] - xs[one];
  const share = width === 0 ? 0 : (x - xs[one]) / width;
  let [best, least] = [null, Infinity];
  for (let place = 0; place < kept.length; place += 1) {
    const [from, to] = [ys[one][place], ys[other][place]];
    // Across the line, and not up and down, as steep lines are far from the cursor only that way.
    const steep = width === 0 ? 1 : width / Math.hypot(width, to - from);
    const distance = Math.abs(from + (to - from) * share - y) * steep;
    const weight = distance + (kept[place] === 1 ? 0 : 2 * reach);
    if (distance <= reach && weight < least) [best, least] = [place, weight];
  }
  return best;
}
