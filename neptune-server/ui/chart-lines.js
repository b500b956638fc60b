// What a chart draws: a line for each of its series, or for each group of them.

import * as shape from "./chart-data.js";
import { combined } from "./chart-groups.js";
import { onSeries, picked } from "./chart-series.js";

// Overviews as columns: most stay the same when a chart is given its series again.
const converted = new WeakMap();

export function columnsOf(overview) {
  if (!converted.has(overview)) converted.set(overview, shape.columns(overview));
  return converted.get(overview);
}

const wholeWith = (overview, windows = []) => windows.reduce((all, window) => shape.spliced(all, columnsOf(window)), columnsOf(overview));

// The lines of series as they are given to a chart (see chart.js). What has no point on the axis gives none.
export function linesOf(series, options) {
  return series.filter(({ overview }) => overview.count.length > 0).map((one) => lineOf(one, options));
}

function lineOf({ key, label, style, start, overview, windows, x = null, group = null }, { axis, smoothing, band }) {
  const pieces = wholeWith(overview, windows);
  const all = axis === "step" || axis === "series" ? pieces : shape.inOrderOfTime(pieces);
  // An average goes on over points that have no place on the axis.
  const average = smoothing > 0 ? shape.smoothed(all.mean, smoothing, all.count.map((count, at) => count - all.nonfinite[at])) : null;
  const { data, smooth, placed, leftOut } = axis === "series" ? onOther(all, average, x) : { data: all, smooth: average, leftOut: 0, placed: shape.onAxis(all, axis, Math.min(start ?? Infinity, all.firstTime[0])) };
  const isBucketed = data.count.some((count) => count > 1);
  return {
    key, label, style, group, pieces, data, smooth, leftOut, isBucketed, hasLost: data.nonfinite.some((count) => count > 0), axis: placed, extremes: shape.extremes(data, placed), hasBand: band && isBucketed && !placed.isFolded,
    whole: columnsOf(overview), other: x === null ? null : columnsOf(x.overview),
  };
}

function onOther(all, average, x) {
  const { axis, kept, leftOut } = onSeries(all, x === null ? { length: 0 } : wholeWith(x.overview, x.windows));
  return { data: picked(all, kept), placed: axis, leftOut, smooth: average === null || kept.length === all.length ? average : Float64Array.from(kept, (at) => average[at]) };
}

// The lines of the groups that the members are in, in the order of the groups.
export function grouped(members, spread) {
  const groups = new Map();
  for (const one of members) {
    if (one.data.length === 0) continue;
    if (!groups.has(one.group.key)) groups.set(one.group.key, []);
    groups.get(one.group.key).push(one);
  }
  return [...groups.values()].sort((one, other) => one[0].group.place - other[0].group.place).map((of) => {
    const { key, label, style, size } = of[0].group;
    return { key, label, style, size, ...combined(of, spread) };
  });
}
