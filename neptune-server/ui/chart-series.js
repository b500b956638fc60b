// An axis that is another series of numbers: a point at step s is drawn at the value which that series has at s.

import { firstFrom } from "./chart-data.js";

// What a series has at a step: its last value at or before it. Within a bucket of several points, which are not told, it is taken
// to go evenly from the first to the last. NaN before the first point.
function valueAt(data, step) {
  let at = firstFrom(data.firstStep, step);
  if (at === data.length || data.firstStep[at] > step) at -= 1;
  if (at < 0) return NaN;
  if (step >= data.lastStep[at]) return data.last[at];
  if (data.count[at] === 1) return data.first[at];
  const share = (step - data.firstStep[at]) / (data.lastStep[at] - data.firstStep[at]);
  return data.first[at] + (data.last[at] - data.first[at]) * share;
}

// `data` on the values of the series `other`, in the order of steps. What lies before the first of them, or where it is not
// finite, has no place: `kept` says which buckets have one, and `leftOut` how many points have none.
export function onSeries(data, other) {
  const begin = other.length > 0 ? other.firstStep[0] : Infinity;
  const kept = [];
  let leftOut = 0;
  for (let at = 0; at < data.length; at += 1) {
    if (data.lastStep[at] >= begin && Number.isFinite(valueAt(other, data.lastStep[at]))) kept.push(at); else leftOut += data.count[at];
  }
  const place = (step) => valueAt(other, Math.max(begin, step));
  // Within a bucket the series may begin, or have a value that is no place.
  const near = (step, at) => { const x = place(step); return Number.isFinite(x) ? x : place(data.lastStep[at]); };
  const column = (stepOf) => Float64Array.from(kept, (at) => near(stepOf(at), at));
  const axis = {
    x: column((at) => (data.firstStep[at] + data.lastStep[at]) / 2), left: column((at) => data.firstStep[at]), right: column((at) => data.lastStep[at]),
    minimumX: column((at) => data.minimumStep[at]), maximumX: column((at) => data.maximumStep[at]),
  };
  axis.isFolded = [axis.x, axis.left, axis.right].some((column) => column.some((x, at) => at > 0 && x < column[at - 1]));
  return { axis, kept, leftOut };
}

// Some buckets of columns.
export function picked(data, places) {
  if (places.length === data.length) return data;
  const result = { length: places.length };
  for (const name of Object.keys(data)) if (name !== "length") result[name] = Float64Array.from(places, (at) => data[name][at]);
  return result;
}

// The steps of a series that say what it has from `from` to `to`: with the bucket that has the value before.
export function stepsFor(data, from, to) {
  if (data.length === 0) return null;
  let first = firstFrom(data.firstStep, from);
  if (first > 0 && (first === data.length || data.firstStep[first] > from)) first -= 1;
  let last = firstFrom(data.firstStep, to);
  if (last > 0 && (last === data.length || data.firstStep[last] > to)) last -= 1;
  return { from: data.firstStep[first], to: data.lastStep[Math.max(first, last)] };
}
