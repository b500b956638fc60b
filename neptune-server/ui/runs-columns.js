// Which columns the table has: what every experiment has, then the parameters that differ and the metrics that most have,
// unless somebody chose others.

import { get } from "./api.js";
import { STYLES } from "./format.js";
import { isNumeric } from "./runs-cells.js";
import { LINE } from "./runs-lines.js";

// What every experiment has, with what it is called at the head of a column.
const EVERY = new Map([
  ["sys/state", "state"], ["sys/tags", "tags"], ["sys/creation_time", "created"], ["sys/running_time", "duration"], ["sys/owner", "owner"],
]);
const LABELS = new Map([...EVERY, ["sys/id", "id"], ["sys/name", "name"], ["sys/completion_time", "finished"]]);
const WIDTHS = new Map([
  ["sys/state", 110], ["sys/tags", 170], ["sys/creation_time", 172], ["sys/running_time", 96], ["sys/owner", 96], ["sys/completion_time", 172],
]);

// What is beside the work: found by search, and not proposed.
export const BESIDE = /^(sys|monitoring|source_code|artifacts|environment|properties)\//;
const ALWAYS_THERE = ["sys/id", "sys/name"];

// At most so many parameters and metrics are proposed; more are chosen.
const PARAMETERS = 8;
const METRICS = 6;
// Of so many rows it is looked which columns differ.
export const LOOKED_AT = 200;

export const base = [...EVERY.keys()];

// Everything that the experiments of a project have: a map from path to { kind, experiments }.
export async function paths(project) {
  const { paths: found } = await get("/paths", { project });
  const known = new Map([["sys/running_time", { kind: "Atom(float)", experiments: Infinity }]]);
  for (const { path, type: kind, experiments } of found) {
    if (known.has(path)) known.get(path).experiments += experiments;
    else known.set(path, { kind, experiments });
  }
  return known;
}

const key = (project) => `neptune.columns.${project}`;

// What was proposed when the project was last looked at, so that the table begins as it will be.
export function remembered(project) {
  try {
    const kinds = JSON.parse(localStorage.getItem(key(project))) ?? [];
    if (kinds.length > 0) return { known: new Map(kinds.map(([path, kind]) => [path, { kind, experiments: 0 }])), proposed: kinds.map(([path]) => path) };
  } catch { /* not ours */ }
  return { known: null, proposed: base };
}

export function remember(project, known, proposed) {
  localStorage.setItem(key(project), JSON.stringify(proposed.map((path) => [path, known.get(path)?.kind ?? ""])));
}

// What a column can have of a series of numbers instead of its last value.
export const FIGURES = ["min", "max", "argmin", "argmax"];

// The figure that a column asks for, and of which series: `min(logs/loss)`.
const FIGURE = new RegExp(`^(${FIGURES.join("|")})\\((.+)\\)$`);

// Whether the experiments can be put into the order of a column: they cannot by the step of a value.
export const isOrdered = (path) => !/^arg(min|max)\(/.test(path);

export const isMetric = (kind) => kind === "Series(float)" || kind === "Series(int)";

// How the numbers of columns are written, as the address has it: a map from path to a style of format.js, or LINE.
export function stylesOf(list) {
  const pairs = list.map((one) => { const [style, ...path] = one.split(":"); return [path.join(":"), style]; });
  return new Map(pairs.filter(([, style]) => STYLES.has(style) || style === LINE));
}

// What an address has for it.
export const stylesText = (styles) => [...styles].map(([path, style]) => `${style}:${path}`);

// A column of the table.
export function column(path, known, styles = new Map()) {
  const [, figure, series] = FIGURE.exec(path) ?? [];
  const numeric = path === "sys/running_time" || figure !== undefined || isNumeric(known?.get(path)?.kind ?? "");
  const name = (series ?? path).replace(/^(parameters|logs|properties)\//, "");
  const label = LABELS.get(path) ?? (figure === undefined ? name : `${figure}(${name})`);
  const isLine = styles.get(path) === LINE;
  const width = isLine ? 120 : WIDTHS.get(path) ?? Math.min(240, Math.max(numeric ? 90 : 120, label.length * 8.4 + (numeric ? 48 : 34)));
  return { path, label, width: Math.round(width), isNumeric: numeric, isMetric: isMetric(known?.get(path)?.kind), style: styles.get(path) };
}

// What is proposed for a project.
export async function propose(project, known) {
  const all = [...known].filter(([path]) => !BESIDE.test(path));
  const atoms = all.filter(([, { kind }]) => /^Atom\((int|float|bool|string)\)$/.test(kind)).map(([path]) => path);
  const parameters = [...atoms.filter((path) => path.startsWith("parameters/")), ...atoms.filter((path) => !path.startsWith("parameters/"))];
  const differ = await differing({ project }, parameters.slice(0, 100));
  const metrics = all.filter(([, { kind }]) => isMetric(kind));
  const most = Math.max(0, ...metrics.map(([, { experiments }]) => experiments));
  const common = metrics.filter(([, { experiments }]) => experiments * 2 >= most);
  common.sort((a, b) => b[1].experiments - a[1].experiments);
  return [...base, ...parameters.filter((path) => differ.has(path)).slice(0, PARAMETERS), ...common.slice(0, METRICS).map(([path]) => path)];
}

// Those of `wanted` that are not the same in the first rows of a query.
export async function differing(query, wanted) {
  if (wanted.length === 0) return new Set();
  const { project, filter, sort, hidden } = query;
  const { rows } = await get("/experiments", { project, filter, sort, hidden: hidden ? "true" : null, column: wanted, limit: LOOKED_AT });
  return new Set(wanted.filter((_path, at) => new Set(rows.map((row) => JSON.stringify(row.cells[at]))).size > 1));
}

// What can be chosen: paths that are no column of every table, the most useful first.
export const choices = (known) => [...known.keys()].filter((path) => !ALWAYS_THERE.includes(path)).sort((a, b) => BESIDE.test(a) - BESIDE.test(b) || (a < b ? -1 : 1));
