// An axis over many experiments: whether their values are numbers, times or words, and where each of them lies on it.

import { roomy, scale, ticks } from "./chart-axes.js";
import * as format from "./format.js";

// Where a value lies: on the axis, or below it as there is none, or as it is not finite.
export const [HERE, NONE, ODD] = [0, 1, 2];

// From this ratio of the greatest to the least on, an axis is logarithmic unless somebody chose.
const WIDE = 1000;
// The most characters of a word.
const CUT = 200;

const isTime = (value) => typeof value === "object" && "datetime" in value;
const isNumber = (value) => format.numeric(value) !== null && !isTime(value);
export const collate = (one, other) => (one === other ? 0 : one.localeCompare(other, "en", { numeric: true }) || (one < other ? -1 : 1));

// A value as a word of an axis.
function word(value) {
  const text = format.value(value);
  return text.length <= CUT ? text : `${text.slice(0, CUT)}\u2026 (${text.length} characters)`;
}

export const labelOf = (column) => column.replace(/^((?:min|max)\()?(?:parameters|logs|properties)\//, "$1");

// The axis of a column with one value for each experiment. `wantsLog` is undefined where nobody chose.
export function axisOf(column, raw, wantsLog = undefined) {
  const there = raw.filter((value) => value !== null);
  const kind = there.every(isNumber) ? "number" : there.every(isTime) ? "time" : "text";
  const words = kind === "text" ? [...new Set(there.map(word))].sort(collate) : [];
  const index = new Map(words.map((text, place) => [text, place]));
  const numberOf = (value) => (kind === "text" ? index.get(word(value)) : kind === "time" ? value.datetime / 1e6 : format.numeric(value));
  const numbers = Float64Array.from(raw, (value) => (value === null ? NaN : numberOf(value)));
  const where = Uint8Array.from(raw, (value, place) => (value === null ? NONE : Number.isFinite(numbers[place]) ? HERE : ODD));
  let [least, greatest] = [Infinity, -Infinity];
  numbers.forEach((value, place) => { if (where[place] === HERE) { least = Math.min(least, value); greatest = Math.max(greatest, value); } });
  const isEmpty = least > greatest;
  const isWhole = kind === "number" && numbers.every((value, place) => where[place] !== HERE || Number.isInteger(value));
  const canLog = kind === "number" && !isEmpty && least > 0;
  const isLog = canLog && (wantsLog ?? greatest / least >= WIDE);
  return { column, label: labelOf(column), raw, kind, words, numbers, where, least, greatest, isEmpty, isWhole, canLog, isLog };
}

export const isNumeric = (axis) => axis.kind !== "text" && !axis.isEmpty;

// The scale of an axis from `start` to `end` in pixels, its marks and what they share.
export function ruled(axis, start, end, room) {
  if (axis.isEmpty) return { scale: scale(0, 1, start, end), marks: [], common: "" };
  if (axis.kind === "text") {
    const of = scale(-0.5, axis.words.length - 0.5, start, end);
    const stride = Math.ceil(axis.words.length / Math.max(1, room * 2.5));
    return { scale: of, marks: axis.words.map((text, value) => ({ value, text })).filter(({ value }) => value % stride === 0), common: "" };
  }
  const of = scale(...roomy(axis.least, axis.greatest, axis.isLog), start, end, axis.isLog);
  const kind = axis.kind === "time" ? "wall" : axis.column === "sys/running_time" && !axis.isLog ? "relative" : "step";
  const { marks, common } = ticks(kind, of, room);
  return { scale: of, marks: axis.isWhole ? marks.filter(({ value }) => Number.isInteger(value)) : marks, common };
}

// The value of one experiment as text, and in full.
export function textOf(axis, place) {
  const value = axis.raw[place];
  if (value === null) return ["none", "It is not there"];
  if (axis.kind === "time") return [format.value(value), format.utc(value.datetime)];
  return [format.value(value).slice(0, CUT), typeof value === "number" ? String(value) : format.value(value).slice(0, 2000)];
}
