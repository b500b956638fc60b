// Draws a scatter plot with a pen: a point for each experiment that has both x and y.

import { frame, FONT } from "./chart-draw.js";
import { HERE, ruled } from "./compare-axes.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [64, 20, 20, 40];
const [TICK_X, TICK_Y] = [90, 44];
export const RADIUS = 4;
const [INK, FAINT] = [0.8, 0.12];

// Where everything is; an experiment without a place has NaN.
export function layout(x, y, width, height) {
  const plot = { left: LEFT, right: Math.max(LEFT + 10, width - RIGHT), top: TOP, bottom: Math.max(TOP + 10, height - BOTTOM) };
  const across = ruled(x, plot.left, plot.right, (plot.right - plot.left) / TICK_X);
  const up = ruled(y, plot.bottom, plot.top, (plot.bottom - plot.top) / TICK_Y);
  const places = (axis, { scale }) => Float32Array.from(axis.where, (where, place) => (where === HERE ? scale.at(axis.numbers[place]) : NaN));
  return { x, y, width, height, plot, across, up, xs: places(x, across), ys: places(y, up) };
}

export const has = ({ xs, ys }, place) => xs[place] === xs[place] && ys[place] === ys[place];

const nameOf = ({ label, isLog }, { common }) => `${label}${isLog ? " (log)" : ""}${common && ` ${common}`}`;

export function draw(pen, picture, kept, colors, theme) {
  const { plot, across, up, xs, ys, x, y } = picture;
  frame(pen, { plot, ticksX: across, ticksY: up, scaleX: across.scale, scaleY: up.scale, colors: theme, nameX: nameOf(x, across) });
  pen.font = FONT;
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillStyle = theme.dim;
  pen.fillText(nameOf(y, up), plot.left + 6, 4);
  for (const isKept of [0, 1]) {
    pen.globalAlpha = isKept === 1 ? INK : FAINT;
    for (let place = 0; place < kept.length; place += 1) {
      if (kept[place] !== isKept || !has(picture, place)) continue;
      pen.fillStyle = isKept === 1 ? colors[place] : theme.dim;
      pen.beginPath();
      pen.arc(xs[place], ys[place], RADIUS, 0, 2 * Math.PI);
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
}

// The experiment nearest to a point, no farther than `reach`; those that are kept come first.
export function nearest(picture, kept, x, y, reach) {
  let [best, least] = [null, Infinity];
  for (let place = 0; place < kept.length; place += 1) {
    const distance = Math.hypot(picture.xs[place] - x, picture.ys[place] - y);
    const weight = distance + (kept[place] === 1 ? 0 : 2 * reach);
    if (distance <= reach && weight < least) [best, least] = [place, weight];
  }
  return best;
}
