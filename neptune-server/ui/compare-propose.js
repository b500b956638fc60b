// What there is to draw of many experiments, and what is drawn until somebody chooses: parameters that differ, and metrics.

import { BESIDE } from "./runs-columns.js";

// So many axes are proposed, of which so many metrics; of so many parameters it is looked whether they differ.
const AXES = 10;
const METRICS = 3;
const LOOKED_AT = 120;
// A parameter with more words than this, such as a name, is no axis unless it is chosen.
const WORDS = 24;

const isAtom = ({ kinds }) => [...kinds].every((kind) => /^Atom\((int|float|bool|string|datetime)\)$/.test(kind));
const isSeries = ({ kinds }) => kinds.has("Series(float)") || kinds.has("Series(int)");

// Single values beside the work: what people set, most of it in `parameters`.
export function parameters(known) {
  const paths = [...known].filter(([path, one]) => !BESIDE.test(path) && isAtom(one)).map(([path]) => path);
  const isFirst = (path) => path.startsWith("parameters/");
  return [...paths.filter(isFirst), ...paths.filter((path) => !isFirst(path))].slice(0, LOOKED_AT);
}

// Series of numbers, those that most experiments have first.
export function metrics(known) {
  const found = [...known].filter(([path, one]) => !BESIDE.test(path) && isSeries(one));
  return found.sort((one, other) => other[1].experiments - one[1].experiments).map(([path]) => path);
}

const distinct = (values) => new Set(values.map((value) => JSON.stringify(value)));

// Those parameters that are not the same everywhere; their values must be here.
export const differing = (values) => parameters(values.known).filter((path) => distinct(values.columns.get(path)).size > 1);

// Whether most people would look at it as an axis: numbers, or few words.
function isAxis(values) {
  const words = values.filter((value) => typeof value === "string");
  return words.length === 0 || new Set(words).size <= WORDS;
}

export function axes(values) {
  const measured = metrics(values.known);
  const set = differing(values).filter((path) => isAxis(values.columns.get(path)));
  const most = AXES - Math.min(METRICS, measured.length);
  return [...set.slice(0, most), ...measured.slice(0, AXES - Math.min(most, set.length))];
}

// Everything that can be an axis, the most useful first.
export function choices(values) {
  const differ = new Set(differing(values));
  const measured = new Set(metrics(values.known));
  const weight = (path) => (differ.has(path) ? 0 : measured.has(path) ? 1 : BESIDE.test(path) ? 3 : 2);
  const offered = [...values.known].filter(([, one]) => isSeries(one) || isAtom(one) || one.kinds.has("Set(string)")).sort((one, other) => weight(one[0]) - weight(other[0]) || (one[0] < other[0] ? -1 : 1));
  return offered.flatMap(([path, one]) => (isSeries(one) ? [path, `min(${path})`, `max(${path})`] : [path]));
}
