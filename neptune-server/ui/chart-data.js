// What a chart draws of a series: the buckets of the API as columns of numbers, on an axis, smoothed.

import { number } from "./api.js";

// Plain loops: an iterator of each column would take most of the time between an answer and its picture.
function floats(values) {
  const result = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    result[at] = typeof value === "number" ? value : value === null ? NaN : number(value);
  }
  return result;
}

function seconds(times) {
  const result = new Float64Array(times.length);
  for (let at = 0; at < times.length; at += 1) result[at] = times[at] / 1e6;
  return result;
}

// Most series have no infinite values, and share one column that says so.
let none = new Float64Array(1024);

function countsOf(values, length) {
  if (values?.length > 0) return floats(values);
  if (none.length < length) none = new Float64Array(2 * length);
  return none.subarray(0, length);
}

// The columns of an overview of the API as arrays of numbers; what is null there is NaN.
export function columns(overview) {
  return {
    length: overview.count.length,
    count: floats(overview.count), nonfinite: floats(overview.nonfinite),
    positive: countsOf(overview.positive_infinite, overview.count.length), negative: countsOf(overview.negative_infinite, overview.count.length),
    firstStep: floats(overview.first_step), lastStep: floats(overview.last_step),
    firstTime: seconds(overview.first_time), lastTime: seconds(overview.last_time),
    first: floats(overview.first), last: floats(overview.last),
    minimumStep: floats(overview.minimum_step), minimum: floats(overview.minimum),
    maximumStep: floats(overview.maximum_step), maximum: floats(overview.maximum), mean: floats(overview.mean),
  };
}

// The whole series with the buckets of a window in finer ones: what is left and right of the window stays, so that lines run
// out of the picture and an average has a history.
export function spliced(whole, window) {
  if (window === null || window.length === 0) return whole;
  const [from, to] = [window.firstStep[0], window.lastStep[window.length - 1]];
  let before = 0;
  while (before < whole.length && whole.lastStep[before] < from) before += 1;
  let after = whole.length;
  while (after > before && whole.firstStep[after - 1] > to) after -= 1;
  const result = { length: before + window.length + whole.length - after };
  for (const name of Object.keys(whole)) {
    if (name === "length") continue;
    const column = new Float64Array(result.length);
    column.set(whole[name].subarray(0, before));
    column.set(window[name], before);
    column.set(whole[name].subarray(after), before + window.length);
    result[name] = column;
  }
  return result;
}

// The columns in the order of time, which need not be that of steps: a later process may log an earlier step.
export function inOrderOfTime(data) {
  let isSorted = true;
  for (let at = 1; at < data.length && isSorted; at += 1) isSorted = data.firstTime[at - 1] <= data.firstTime[at];
  if (isSorted) return data;
  const order = Uint32Array.from({ length: data.length }, (_, at) => at).sort((one, other) => data.firstTime[one] - data.firstTime[other]);
  const sorted = { length: data.length };
  for (const name of Object.keys(data)) if (name !== "length") sorted[name] = Float64Array.from(order, (at) => data[name][at]);
  return sorted;
}

// The columns on an axis: `step`, `relative` (seconds since `start`) or `wall` (seconds since the epoch). `x` is the middle of a
// bucket, `left` and `right` are its ends, `minimumX` and `maximumX` are where its extremes are.
export function onAxis(data, axis, start) {
  const { length } = data;
  if (axis === "step") {
    const x = new Float64Array(length);
    for (let at = 0; at < length; at += 1) x[at] = (data.firstStep[at] + data.lastStep[at]) / 2;
    return { x, left: data.firstStep, right: data.lastStep, minimumX: data.minimumStep, maximumX: data.maximumStep };
  }
  const zero = axis === "relative" ? start : 0;
  const result = { x: new Float64Array(length), left: new Float64Array(length), right: new Float64Array(length), minimumX: new Float64Array(length), maximumX: new Float64Array(length) };
  for (let at = 0; at < length; at += 1) {
    // When an extreme was logged is not told; within a bucket time is taken to pass evenly.
    const [from, to] = [data.firstTime[at] - zero, data.lastTime[at] - zero];
    const width = data.lastStep[at] - data.firstStep[at];
    const share = (step) => (width > 0 ? from + (to - from) * (step - data.firstStep[at]) / width : from);
    result.left[at] = from;
    result.right[at] = to;
    result.x[at] = (from + to) / 2;
    result.minimumX[at] = share(data.minimumStep[at]);
    result.maximumX[at] = share(data.maximumStep[at]);
  }
  return result;
}

// A line through the first, the least, the greatest and the last point of each bucket. A bucket of no finite value breaks it.
export function extremes(data, axis) {
  if (!data.count.some((count) => count > 1)) return { x: axis.x, y: data.first.map((value) => (Number.isFinite(value) ? value : NaN)) };
  const x = new Float64Array(data.length * 4), y = new Float64Array(data.length * 4);
  let length = 0;
  const put = (atX, atY) => { x[length] = atX; y[length] = atY; length += 1; };
  for (let at = 0; at < data.length; at += 1) {
    const least = data.minimum[at];
    if (least !== least) { put(axis.x[at], NaN); continue; }
    if (data.count[at] === 1) { put(axis.x[at], least); continue; }
    if (Number.isFinite(data.first[at])) put(axis.left[at], data.first[at]);
    const isRising = axis.minimumX[at] <= axis.maximumX[at];
    if (isRising) put(axis.minimumX[at], least);
    put(axis.maximumX[at], data.maximum[at]);
    if (!isRising) put(axis.minimumX[at], least);
    if (Number.isFinite(data.last[at])) put(axis.right[at], data.last[at]);
  }
  return { x: x.subarray(0, length), y: y.subarray(0, length) };
}

// The exponential moving average at the end of each bucket. A bucket of n values is n steps of it, all with its mean, so that
// the line is about the same however many buckets there are. It begins at zero and is divided by the weight it has had so far,
// so that it is not drawn to zero at the beginning (as in Adam, Kingma and Ba 2015, section 3).
export function smoothed(values, weight, counts = null) {
  const result = new Float64Array(values.length);
  let average = 0, left = 1;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (!Number.isFinite(value)) { result[at] = NaN; continue; }
    const kept = counts === null || counts[at] === 1 ? weight : weight ** counts[at];
    average = average * kept + value * (1 - kept);
    left *= kept;
    result[at] = average / (1 - left);
  }
  return result;
}

// How many values an average goes back until what was before them weighs a thousandth.
export const memory = (weight) => (weight > 0 ? Math.ceil(Math.log(0.001) / Math.log(weight)) : 0);

// The steps of the buckets that reach into a window of the axis, as at most `most` ranges [from, to, the place of the first
// bucket]: a line that comes back to the window later has several, and those with the least steps between them become one.
export function stepsWithin({ data, axis }, [from, to], most = 8) {
  const found = [];
  for (let at = 0; at < data.length; at += 1) {
    if (!isWithin(axis, at, from, to)) continue;
    const last = found[found.length - 1];
    if (last !== undefined && last.end === at) { last.to = Math.max(last.to, data.lastStep[at]); last.end = at + 1; }
    else found.push({ from: data.firstStep[at], to: data.lastStep[at], at, end: at + 1 });
  }
  while (found.length > most || found.some((one, place) => place > 0 && one.from <= found[place - 1].to)) {
    let least = 1;
    for (let place = 2; place < found.length; place += 1) if (found[place].from - found[place - 1].to < found[least].from - found[least - 1].to) least = place;
    const [before, behind] = [found[least - 1], found[least]];
    found.splice(least - 1, 2, { from: Math.min(before.from, behind.from), to: Math.max(before.to, behind.to), at: before.at, end: behind.end });
  }
  return found;
}

// The steps of so many points before the bucket at a place, or null when there are none.
export function stepsBefore(data, place, points) {
  let [at, count] = [place, 0];
  while (at > 0 && count < points) { at -= 1; count += data.count[at]; }
  return at === place ? null : { from: data.firstStep[at], to: data.lastStep[place - 1] };
}

// The places of a line through `x` in a window: those in it and one to each side, or all where the line goes back and forth.
export function around(x, from, to, isFolded) {
  return isFolded ? [0, x.length] : [Math.max(0, firstFrom(x, from) - 1), Math.min(x.length, lastTo(x, to) + 1)];
}

// The first of the buckets in a window and what is behind the last. Where the line goes back and forth, `isWithin` says which.
export function inside(axis, from, to) {
  return axis.isFolded ? [0, axis.x.length] : [firstFrom(axis.right, from), lastTo(axis.left, to)];
}

export const isWithin = (axis, at, from, to) => Math.max(axis.left[at], axis.right[at]) >= from && Math.min(axis.left[at], axis.right[at]) <= to;

// The place of the value nearest to `wanted` in numbers that do not fall, or in any if `isFolded`; -1 in none.
export function nearest(values, wanted, isFolded = false) {
  if (values.length === 0) return -1;
  if (isFolded) return values.reduce((best, value, at) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? at : best), 0);
  const at = firstFrom(values, wanted);
  if (at === 0) return 0;
  if (at === values.length) return at - 1;
  return wanted - values[at - 1] <= values[at] - wanted ? at - 1 : at;
}

// The place of the first value that is at least `wanted`.
export function firstFrom(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low;
}

// The place behind the last value that is at most `wanted`.
function lastTo(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1; else high = middle;
  }
  return low;
}

// The least and the greatest of what lies in the window, of all lines; without the outer twentieths if `isTrimmed`.
export function range(lines, [from, to], { isLog, isTrimmed }) {
  const values = [];
  const floor = isLog ? 0 : -Infinity;
  let least = Infinity, greatest = -Infinity;
  for (const { axis, data: { minimum, maximum } } of lines) {
    const [begin, end] = inside(axis, from, to);
    for (let at = begin; at < end; at += 1) {
      if (axis.isFolded && !isWithin(axis, at, from, to)) continue;
      // NaN is in no order, so that it passes none of these.
      const low = minimum[at], high = maximum[at];
      if (low > floor && low < least) least = low;
      if (high > floor && high > greatest) greatest = high;
      if (high > floor && high < least) least = high;
      if (isTrimmed && low > floor) values.push(low);
      if (isTrimmed && high > floor) values.push(high);
    }
  }
  if (isTrimmed && values.length >= 20) {
    const sorted = Float64Array.from(values).sort();
    return [sorted[Math.floor(sorted.length * 0.05)], sorted[Math.ceil(sorted.length * 0.95) - 1]];
  }
  return least <= greatest ? [least, greatest] : isLog ? [1, 10] : [0, 1];
}
