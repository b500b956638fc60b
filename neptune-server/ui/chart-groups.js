// The mean of the lines of a group, and how far they are spread around it. Numbers only: nothing here draws.

import { nearest } from "./chart-data.js";

// The most places in which a mean is drawn: more than most screens have pixels.
const PLACES = 4000;

// Columns of what has no place in the picture.
const LOST = ["nonfinite", "positive", "negative"];

export const SPREADS = [["range", "min to max"], ["deviation", "standard deviation"], ["error", "standard error"], ["none", "no band"]];

// The mean of `members`, lines of chart-lines.js, as what else a line has. It has a value wherever a member has a point; another
// member is taken to go straight from its point before to its point behind, and counts only between its first and its last. Where
// lines are smoothed, so are the mean and the spread: a band is around what is drawn.
export function combined(members, spread) {
  const tracks = members.map(trackOf);
  const { x, isThinned } = placesOf(tracks);
  const means = tracks.map((track) => sampled(track.x, track.mean, x, track));
  const isSmooth = tracks.every(({ smooth }) => smooth !== null);
  const drawn = isSmooth ? tracks.map((track) => sampled(track.smoothX, track.smooth, x, track)) : means;
  const { mean, count } = meanOf(means, x.length);
  const smooth = isSmooth ? meanOf(drawn, x.length).mean : null;
  const [minimum, maximum] = spread === "deviation" || spread === "error" ? around(smooth ?? mean, drawn, spread === "error")
    : spread === "range" ? (isSmooth ? extremes(drawn, drawn) : extremes(...bounds(tracks, x, isThinned))) : [mean, mean];
  const axis = { x, left: x, right: x, minimumX: x, maximumX: x, isFolded: false };
  const data = { length: x.length, count, minimum, maximum, mean, first: mean, last: mean, firstStep: x, lastStep: x, ...lost(tracks, x) };
  return { data, whole: data, axis, smooth, extremes: { x, y: mean }, hasBand: spread !== "none", hasLost: data.nonfinite.some((count) => count > 0) };
}

// A line in the order of the axis, with one value for each place: what comes back to a place is put together there.
function trackOf({ data, axis, smooth }) {
  const track = { x: axis.x, smoothX: axis.right, mean: data.mean, low: data.minimum, high: data.maximum, smooth, lost: LOST.map((name) => data[name]) };
  let isRising = true;
  for (let at = 1; at < data.length && isRising; at += 1) isRising = axis.x[at - 1] < axis.x[at] && axis.right[at - 1] <= axis.right[at];
  return isRising ? track : inOrder(track);
}

function inOrder(track) {
  const order = Uint32Array.from(track.x.keys()).sort((one, other) => track.x[one] - track.x[other] || one - other);
  const starts = [...order.keys()].filter((at) => at === 0 || track.x[order[at - 1]] !== track.x[order[at]]);
  const gather = (column, work) => (column === null ? null : Float64Array.from(starts, (start, at) => work(Array.from(order.subarray(start, starts[at + 1]), (place) => column[place]))));
  const finite = (values) => values.filter((value) => Number.isFinite(value));
  const average = (values) => finite(values).reduce((sum, value) => sum + value, 0) / finite(values).length;
  const x = gather(track.x, (values) => values[0]);
  return {
    x, smoothX: x, mean: gather(track.mean, average), smooth: gather(track.smooth, average), low: gather(track.low, (values) => finite(values).reduce((best, value) => Math.min(best, value), Infinity)),
    high: gather(track.high, (values) => finite(values).reduce((best, value) => Math.max(best, value), -Infinity)), lost: track.lost.map((column) => gather(column, (values) => values.reduce((sum, value) => sum + value, 0))),
  };
}

// Where any of the lines has a point; of very many, some.
function placesOf(tracks) {
  const [first, ...others] = tracks;
  const isSame = others.every(({ x }) => x.length === first.x.length && x.every((place, at) => place === first.x[at]));
  let x = first.x;
  if (!isSame) {
    const all = new Float64Array(tracks.reduce((sum, track) => sum + track.x.length, 0));
    tracks.reduce((at, track) => { all.set(track.x, at); return at + track.x.length; }, 0);
    x = all.sort().filter((place, at) => at === 0 || place !== all[at - 1]);
  }
  if (x.length <= PLACES) return { x, isThinned: false };
  const stride = (x.length - 1) / (PLACES - 1);
  return { x: Float64Array.from({ length: PLACES }, (_, at) => x[Math.round(at * stride)]), isThinned: true };
}

// The values of a line at places of the axis, straight between its points; NaN outside of the range of `track`.
function sampled(xs, values, places, track) {
  const result = new Float64Array(places.length).fill(NaN);
  const [from, to, last] = [track.x[0], track.x[track.x.length - 1], xs.length - 1];
  let at = 0;
  for (let place = 0; place < places.length; place += 1) {
    const x = places[place];
    if (x < from || x > to) continue;
    while (at < last && xs[at + 1] <= x) at += 1;
    if (at === last || x <= xs[at]) { result[place] = values[at]; continue; }
    result[place] = values[at] + (values[at + 1] - values[at]) * (x - xs[at]) / (xs[at + 1] - xs[at]);
  }
  return result;
}

function meanOf(lines, length) {
  const mean = new Float64Array(length), count = new Float64Array(length);
  for (const line of lines) {
    for (let at = 0; at < length; at += 1) if (Number.isFinite(line[at])) { mean[at] += line[at]; count[at] += 1; }
  }
  for (let at = 0; at < length; at += 1) mean[at] /= count[at];
  return { mean, count };
}

// So many standard deviations of the members, or errors of their mean, to each side; nothing around a single one.
function around(mean, lines, isError) {
  const minimum = Float64Array.from(mean), maximum = Float64Array.from(mean);
  for (let at = 0; at < mean.length; at += 1) {
    let [sum, count] = [0, 0];
    for (const line of lines) if (Number.isFinite(line[at])) { sum += (line[at] - mean[at]) ** 2; count += 1; }
    if (count < 2) continue;
    const width = Math.sqrt(sum / (count - 1)) / (isError ? Math.sqrt(count) : 1);
    minimum[at] -= width;
    maximum[at] += width;
  }
  return [minimum, maximum];
}

function extremes(lows, highs) {
  const minimum = new Float64Array(lows[0].length).fill(NaN), maximum = new Float64Array(highs[0].length).fill(NaN);
  const take = (best, line, isBetter) => { for (let at = 0; at < best.length; at += 1) if (Number.isFinite(line[at]) && !(isBetter(best[at], line[at]))) best[at] = line[at]; };
  for (const line of lows) take(minimum, line, (ours, theirs) => ours <= theirs);
  for (const line of highs) take(maximum, line, (ours, theirs) => ours >= theirs);
  return [minimum, maximum];
}

// The least and the greatest values of each line. Those between places that were left out are in the next of them, so that no spike is lost.
function bounds(tracks, x, isThinned) {
  const lows = tracks.map((track) => sampled(track.x, track.low, x, track));
  const highs = tracks.map((track) => sampled(track.x, track.high, x, track));
  if (isThinned) {
    tracks.forEach((track, which) => track.x.forEach((place, at) => {
      const to = nearest(x, place);
      if (!(lows[which][to] <= track.low[at])) lows[which][to] = track.low[at];
      if (!(highs[which][to] >= track.high[at])) highs[which][to] = track.high[at];
    }));
  }
  return [lows, highs];
}

// How many values of the members are not finite, at the place nearest to each.
function lost(tracks, x) {
  return Object.fromEntries(LOST.map((name, which) => {
    const sums = new Float64Array(x.length);
    for (const track of tracks) track.lost[which].forEach((count, at) => { if (count > 0) sums[nearest(x, track.x[at])] += count; });
    return [name, sums];
  }));
}
