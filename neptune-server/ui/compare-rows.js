// The variables of some experiments side by side: a row for each path, in sections by namespace.

import { experimentPath, get } from "./api.js";
import * as format from "./format.js";

// What people set and measure is first, and what the machine says of itself is last.
const FIRST = ["parameters", "logs"];
const LAST = ["sys", "monitoring", "source_code"];

// What each experiment is and has: { id, ...as the API tells, values }, in the order of `ids`.
export async function fetchAll(ids, signal) {
  return Promise.all(ids.map(async (id) => {
    const [about, { variables, total }] = await Promise.all([get(experimentPath(id), {}, signal), get(experimentPath(id, "/variables"), {}, signal)]);
    return { ...about, values: byPath(variables), left: total - variables.length };
  }));
}

// What a process records lies below its own number, which differs each time; here it lies below its place in the order.
function byPath(variables) {
  const writers = [];
  const values = new Map();
  for (const variable of variables) {
    const [, writer, rest] = /^monitoring\/([0-9a-f]{8})\/(.*)$/.exec(variable.path) ?? [];
    if (writer !== undefined && !writers.includes(writer)) writers.push(writer);
    const place = writers.indexOf(writer);
    const path = writer === undefined ? variable.path : `monitoring/${place === 0 ? "" : `process ${place + 1}/`}${rest}`;
    values.set(path, { ...variable, sameAs: JSON.stringify([variable.value, variable.series?.count]) });
  }
  return values;
}

// Sections of rows { path, cells, differs }, of which a cell is a variable or undefined.
export function sections(experiments) {
  const paths = new Set(experiments.flatMap(({ values }) => [...values.keys()]));
  const found = new Map();
  for (const path of [...paths].sort()) {
    const name = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
    if (!found.has(name)) found.set(name, []);
    const cells = experiments.map(({ values }) => values.get(path));
    found.get(name).push({ path, cells, differs: new Set(cells.map((cell) => cell?.sameAs)).size > 1 });
  }
  const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : LAST.includes(name) ? 100 + LAST.indexOf(name) : 50);
  return [...found].map(([name, rows]) => ({ name, rows, isLast: LAST.includes(name) })).sort((a, b) => place(a.name) - place(b.name) || (a.name < b.name ? -1 : 1));
}

// How a number differs from that of the reference: { text, title, isMore }, or null where there is nothing to say.
export function delta(variable, reference) {
  const [one, other] = [number(variable), number(reference)];
  if (one === null || other === null || one === other || !Number.isFinite(one - other)) return null;
  const by = one - other;
  const sign = by > 0 ? "+" : "\u2212";
  const share = other === 0 ? "" : ` (${sign}${format.number(Number(Math.abs((by / other) * 100).toPrecision(3)))}%)`;
  return { text: `${sign}${format.number(Number(Math.abs(by).toPrecision(4)))}${share}`, title: `${by} against the reference`, isMore: by > 0 };
}

function number(variable) {
  const value = variable?.value;
  if (value === undefined || (typeof value === "object" && value !== null && !("int" in value))) return null;
  return format.numeric(value);
}
