// How long the spans of a program took: which part of the time went where.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { gantt } from "./experiment-gantt.js";
import * as format from "./format.js";
import { keyed, whenChanged, write } from "./keyed.js";
import * as state from "./state.js";

const COLUMNS = [
  ["count", "count", "how many there were"],
  ["total", "total", "how long they took together"],
  ["own", "own", "the total without that of the spans within"],
  ["mean", "mean", "of one"],
  ["p50", "p50", "half of them took no longer"],
  ["p99", "p99", "99 of 100 took no longer"],
  ["max", "max", "the longest"],
  ["busy", "busy", "of calls that await: the mean time in them"],
  ["idle", "idle", "of calls that await: the mean time between"],
];

export async function show(place, page) {
  const body = h("div.table");
  const steps = h("section.card.steps", { hidden: true });
  const chart = gantt(steps, page);
  fill(place, h("div.timings", body, steps));

  async function look() {
    const { spans } = await get(page.path("/timings"));
    const rows = ordered(withOwn(spans));
    whenChanged(body, [rows.length === 0, rows.some(({ busy }) => busy !== null && busy !== undefined), state.read("sort")], () => (rows.length === 0 ? fill(body, nothing()) : fill(body, table(rows))));
    if (rows.length > 0) keyed(body.querySelector("tbody"), rows, ({ path }) => path, makeRow(rows), updateRow);
  }
  await Promise.all([look(), page.variables().then(chart.look)]);
  return {
    changed: () => Promise.all([look(), page.latest().then(chart.look)]),
    update: () => { chart.update(); return look(); },
  };
}

// The share is of all the time of the outermost spans; `own` is what no inner span has.
function withOwn(spans) {
  const outermost = spans.filter(({ path }) => !spans.some((other) => path.startsWith(`${other.path}/`)));
  const whole = outermost.reduce((sum, { total }) => sum + total, 0);
  return spans.map((span) => {
    const inner = spans.filter((other) => isChild(span.path, other.path, spans));
    const own = Math.max(0, span.total - inner.reduce((sum, { total }) => sum + total, 0));
    const above = spans.filter((other) => span.path.startsWith(`${other.path}/`)).length;
    return { ...span, own, depth: above, share: whole > 0 ? span.total / whole : 0 };
  });
}

const isChild = (path, other, spans) => other.startsWith(`${path}/`) && !spans.some((between) => between.path.startsWith(`${path}/`) && other.startsWith(`${between.path}/`));

function ordered(spans) {
  const by = state.read("sort");
  if (by === null) return spans.sort((left, right) => (left.path < right.path ? -1 : 1));
  return spans.sort((left, right) => (right[by] ?? -1) - (left[by] ?? -1));
}

const columnsOf = (rows) => COLUMNS.filter(([key]) => rows.some((row) => row[key] !== null && row[key] !== undefined));

function table(rows) {
  const sorted = state.read("sort");
  const head = (key, label, title, kind) => h(kind, { scope: "col", title, "aria-sort": key !== null && sorted === key ? "descending" : null },
    h("button", { onclick: () => state.write({ sort: sorted === key ? null : key }) }, label, key !== null && sorted === key ? " \u2193" : ""));
  return h("table", h("thead", h("tr", head(null, "span", "as they lie within each other", "th"), head("share", "share", "of all the time of the outermost spans", "th.share"),
    columnsOf(rows).map(([key, label, title]) => head(key, label, title, "th.number")))), h("tbody"));
}

const makeRow = (rows) => () => {
  const columns = columnsOf(rows);
  const row = h("tr", h("th", { scope: "row" }), h("td.share", h("span.bar-room", h("span.bar")), h("span")), columns.map(() => h("td.number")));
  row.columns = columns;
  return row;
};

function updateRow(row, span) {
  const [name, share, ...cells] = row.children;
  const isTree = state.read("sort") === null;
  name.style.paddingLeft = `${10 + (isTree ? span.depth * 18 : 0)}px`;
  const parts = span.path.split("/");
  write(name, isTree && span.depth > 0 ? parts.at(-1) : span.path, span.path);
  const percent = `${(span.share * 100).toFixed(span.share < 0.1 ? 1 : 0)} %`;
  share.firstChild.firstChild.style.width = `${Math.min(100, span.share * 100)}%`;
  write(share.lastChild, percent, `${format.duration(span.total)} in all`);
  cells.forEach((cell, place) => {
    const key = row.columns[place][0];
    const value = span[key];
    if (value === null || value === undefined) write(cell, "", "");
    else if (key === "count") write(cell, format.number(value), String(value));
    else write(cell, format.duration(value), `${value} s`);
  });
}

function nothing() {
  return h("div.empty", h("h2", "No spans were timed yet"), h("p", "The layer for tracing fills this: each span of level INFO and above is timed."),
    h("pre", `use tracing_subscriber::prelude::*;
tracing_subscriber::registry().with(neptune_tracing::layer(&experiment)).init();

for step in 0..1000 {
    let _step = tracing::info_span!("step", step).entered();
    train();
}`));
}
