// What a chart shows, in words and in rows.

import { inside, isWithin } from "./chart-data.js";
import { h } from "./dom.js";
import * as format from "./format.js";

const SERIES = ["series", "first_step", "last_step", "first_time", "last_time", "points", "nan", "inf", "minus_inf", "first", "last", "minimum", "maximum", "mean", "smoothed"];
const GROUPS = ["group", "x", "experiments_here", "experiments", "mean", "low", "high", "smoothed"];

// What is seen, in rows for CSV, the names of the columns first.
export function rowsOf(lines, { least, greatest }) {
  const isGrouped = lines.some(({ size }) => size !== undefined);
  return [isGrouped ? GROUPS : SERIES, ...lines.flatMap((line) => {
    const rows = [];
    const [from, end] = inside(line.axis, least, greatest);
    for (let at = from; at < end; at += 1) if (!line.axis.isFolded || isWithin(line.axis, at, least, greatest)) rows.push(isGrouped ? groupRow(line, at) : seriesRow(line, at));
    return rows;
  })];
}

const bare = (value) => (value === undefined ? "" : format.plain(value));

function groupRow({ label, size, data, axis, smooth }, at) {
  return [label, bare(axis.x[at]), data.count[at], size, ...[data.mean, data.minimum, data.maximum].map((column) => bare(column[at])), bare(smooth?.[at])];
}

function seriesRow({ label, data, smooth }, at) {
  const time = (seconds) => format.utc(seconds * 1e6);
  const figures = [data.first, data.last, data.minimum, data.maximum, data.mean].map((column) => bare(column[at]));
  return [label, data.firstStep[at], data.lastStep[at], time(data.firstTime[at]), time(data.lastTime[at]), data.count[at], data.nonfinite[at] - data.positive[at] - data.negative[at], data.positive[at], data.negative[at], ...figures, bare(smooth?.[at])];
}

// How much of the data is seen: the caption of a chart.
export function told(members, lines, picture, nameX) {
  const out = members.reduce((sum, { leftOut, data }) => sum + (data.length > 0 ? leftOut : 0), 0);
  const lacking = members.filter(({ data }) => data.length === 0).length;
  const without = lacking > 0 ? `${lacking} without ${nameX}` : "";
  const before = out > 0 ? `${out} ${out === 1 ? "point" : "points"} before the first ${nameX} left out` : "";
  return [lines.length === 0 ? "" : density(members, picture), without, before].filter(Boolean).join("; ");
}

function density(members, { scaleX, plot }) {
  let most = 1, isWhole = true;
  for (const member of members) {
    const { axis } = member;
    const [from, end] = inside(axis, scaleX.least, scaleX.greatest);
    const [points, pieces] = counted(member, from, end, scaleX);
    if (points === 0) continue;
    if (points > pieces) isWhole = false;
    const [left, right] = axis.isFolded ? [scaleX.least, scaleX.greatest] : [Math.max(scaleX.least, axis.left[from]), Math.min(scaleX.greatest, axis.right[end - 1])];
    most = Math.max(most, points / Math.max(1, Math.min(plot.width, (right - left) * scaleX.factor)));
  }
  if (isWhole) return "raw points";
  return `about ${most < 10 ? Number(most.toPrecision(2)) : Math.round(most)} points per pixel`;
}

// How many points are in a window, and in how many pieces.
function counted({ data, axis, isBucketed }, from, end, { least, greatest }) {
  if (!isBucketed && !axis.isFolded) return [end - from, end - from];
  let [points, pieces] = [0, 0];
  for (let at = from; at < end; at += 1) {
    if (axis.isFolded && !isWithin(axis, at, least, greatest)) continue;
    points += data.count[at];
    pieces += 1;
  }
  return [points, pieces];
}

// A table of the lines, for those who do not see the picture.
export function summaryOf(lines, caption) {
  const cells = ({ label, size, whole: data }) => {
    const count = size ?? data.count.reduce((sum, points) => sum + points, 0);
    const best = (column, isBetter) => column.reduce((found, value) => (value === value && (found !== found || isBetter(value, found)) ? value : found), NaN);
    const last = data.length - 1;
    return [label, ...[count, best(data.minimum, (one, other) => one < other), best(data.maximum, (one, other) => one > other), data.last[last], data.lastStep[last]].map(format.number)];
  };
  const isGrouped = lines.some(({ size }) => size !== undefined);
  const head = isGrouped ? ["group", "experiments", "lowest", "highest", "last mean", "at"] : ["series", "points", "minimum", "maximum", "last", "last step"];
  return h("table", h("caption", caption), h("thead", h("tr", head.map((name) => h("th", name)))),
    h("tbody", lines.slice(0, 100).map((line) => h("tr", cells(line).map((text) => h("td", text))))));
}
