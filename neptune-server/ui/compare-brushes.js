// Brushes: of some axes a range, and whatever lies within all of them is kept. The address has them as a JSON list of
// [column, low, high, below]: `below` names the places below the axis that are kept too, `none` and `odd`.

import { collate, HERE, NONE } from "./compare-axes.js";
import * as state from "./state.js";

// What a brush may be off by at the ends of its places below the axis, in pixels.
const REACH = 8;

const isEnd = (end) => end === null || Number.isFinite(end) || typeof end === "string";

// The brushes of the address by column; what is none is left out.
export function read() {
  let list = [];
  try { list = JSON.parse(state.read("brush", "[]")); } catch { /* not ours */ }
  const found = new Map();
  for (const one of Array.isArray(list) ? list : []) {
    if (!Array.isArray(one)) continue;
    const [column, low, high, below = ""] = one;
    if (typeof column === "string" && isEnd(low) && isEnd(high) && typeof below === "string") found.set(column, { low, high, below: below.split(" ").filter(Boolean) });
  }
  return found;
}

export const textOf = (brushes) => (brushes.size === 0 ? null : JSON.stringify([...brushes].map(([column, { low, high, below }]) => [column, low, high, below.join(" ")])));
export const write = (brushes) => state.write({ brush: textOf(brushes) });

// The first and the last number of the axis that a brush has, or null.
export function bounds(axis, { low, high }) {
  if (low === null || high === null) return null;
  if (axis.kind !== "text") return typeof low === "number" && typeof high === "number" ? [low, high] : null;
  const places = axis.words.map((text, place) => (collate(text, String(low)) >= 0 && collate(text, String(high)) <= 0 ? place : -1)).filter((place) => place >= 0);
  return places.length === 0 ? null : [places[0], places.at(-1)];
}

// For each experiment 1 where all brushes have it; brushes of what is no axis count nothing.
export function kept(brushes, axisOf, count) {
  const all = new Uint8Array(count).fill(1);
  for (const [column, brush] of brushes) {
    const axis = axisOf(column);
    if (axis === undefined) continue;
    const range = bounds(axis, brush);
    for (let place = 0; place < count; place += 1) {
      const where = axis.where[place];
      const has = where === HERE ? range !== null && axis.numbers[place] >= range[0] && axis.numbers[place] <= range[1] : brush.below.includes(where === NONE ? "none" : "odd");
      if (!has) all[place] = 0;
    }
  }
  return all;
}

const short = (axis, value) => (axis.kind === "time" ? Math.round(value * 1000) / 1000 : Number(value.toPrecision(6)));

// What is brushed from one height to another on an axis whose scale goes from `bottom` up to `top`; null where nothing is.
export function between(axis, scale, { top, bottom, below }, one, other) {
  const [upper, lower] = [Math.min(one, other), Math.max(one, other)];
  const names = below.filter(({ y }) => y >= upper - REACH && y <= lower + REACH).map(({ name }) => name);
  let [low, high] = [null, null];
  if (upper < bottom && lower > top && !axis.isEmpty) {
    [low, high] = [scale.value(Math.min(lower, bottom)), scale.value(Math.max(upper, top))];
    if (axis.kind === "text") {
      const inside = axis.words.filter((_text, place) => place >= low && place <= high);
      [low, high] = [inside[0] ?? null, inside.at(-1) ?? null];
    } else [low, high] = [short(axis, low), short(axis, high)];
  }
  return low === null && names.length === 0 ? null : { low, high, below: names };
}
