// The cursor that all charts of a page share, and the one table that says what is under it.

import { fill, h, perFrame } from "./dom.js";
import * as format from "./format.js";

const ORDERS = ["default", "ascending", "descending", "nearest"];
const MOST = 40;

const charts = new Set();
const listeners = new Set();
export const cursor = { x: null, y: null, source: null, isFrozen: false, highlighted: null };
let order = "nearest";
let place = null;
let table = null;

// A chart has `drawCursor()` and `valuesAt(x, y)`.
export function join(chart) { charts.add(chart); }

export function leave(chart) {
  charts.delete(chart);
  if (cursor.source === chart) hide();
}

// Moves the cursor. `at` is where on the screen the table goes.
export function move(source, x, y, at) {
  if (cursor.isFrozen) return;
  Object.assign(cursor, { x, y, source });
  place = at;
  redraw();
}

export function hide() {
  Object.assign(cursor, { x: null, y: null, source: null, isFrozen: false });
  light(null);
  redraw();
}

export function leaveAt(source) { if (!cursor.isFrozen && cursor.source === source) hide(); }

export function freeze(yes = !cursor.isFrozen) {
  cursor.isFrozen = yes && cursor.x !== null;
  redraw();
}

export function nextOrder() {
  order = ORDERS[(ORDERS.indexOf(order) + 1) % ORDERS.length];
  redraw();
}

// Draws the lines of this key thicker in all charts; null ends it.
export function highlight(key) { light(key); redraw(); }

// Calls `work` with the key that is drawn thicker, or null; returns what ends that.
export function onHighlight(work) { listeners.add(work); return () => listeners.delete(work); }

function light(key) {
  if (cursor.highlighted === key) return;
  cursor.highlighted = key;
  for (const listener of listeners) listener(key);
}

const redraw = perFrame(() => {
  const rows = cursor.source === null ? [] : cursor.source.valuesAt(cursor.x, cursor.y);
  if (rows.length > 0) light(rows.reduce((best, row) => (row.distance < best.distance ? row : best)).key);
  for (const chart of charts) chart.drawCursor();
  show(rows);
});

function sorted(rows) {
  const by = {
    ascending: (one, other) => one.shown - other.shown, descending: (one, other) => other.shown - one.shown,
    nearest: (one, other) => one.distance - other.distance,
  }[order];
  if (by === undefined) return rows;
  // What has no value comes last, whatever the order.
  const weight = (row) => (Number.isFinite(row.shown) ? 0 : 1);
  return [...rows].sort((one, other) => weight(one) - weight(other) || by(one, other));
}

function show(rows) {
  table ??= document.body.appendChild(h("div.chart-tip", { hidden: true }));
  table.hidden = rows.length === 0 || place === null;
  if (table.hidden) return;
  table.classList.toggle("frozen", cursor.isFrozen);
  const hasSmooth = rows.some((row) => row.smoothed !== null);
  const isGrouped = rows.some((row) => row.size !== undefined);
  const shown = sorted(rows).slice(0, MOST);
  fill(table,
    h("div.head", h("strong", cursor.source.textOf(cursor.x)), h("button.bare", { title: "Next order (s)", onclick: nextOrder }, `order: ${order}`)),
    h("table", { "aria-label": "Values under the cursor" },
      h("thead", h("tr", h("th"), h("th", isGrouped ? "group" : "series"), h("th.number", isGrouped ? "mean" : "value"), hasSmooth && h("th.number", "smoothed"),
        isGrouped ? [h("th.number", "band"), h("th.number", "here")] : [h("th.number", "step"), h("th", "time")])),
      h("tbody", shown.map((row) => line(row, hasSmooth)))),
    rows.length > shown.length && h("div.dim", `and ${rows.length - shown.length} more`),
    h("div.dim", cursor.isFrozen ? "Frozen; click the chart or press Escape to go on" : "Click to freeze"));
  settle();
}

function line(row, hasSmooth) {
  const swatch = h("span.swatch");
  swatch.style.borderTopColor = row.style.color;
  swatch.style.borderTopStyle = row.style.dash.length === 0 ? "solid" : row.style.dash[0] <= 2 ? "dotted" : "dashed";
  return h(row.key === cursor.highlighted ? "tr.lit" : "tr",
    h("td", swatch), h("td.cut", { title: row.label }, row.label), valueOf(row),
    hasSmooth && h("td.number", { title: String(row.smoothed) }, row.smoothed === null ? "" : format.number(row.smoothed)),
    row.size === undefined ? [h("td.number", { title: String(row.step) }, format.number(row.step)), h("td", { title: format.utc(row.time * 1e6) }, format.time(row.time * 1e6))]
      : [h("td.number", { title: `${row.minimum} to ${row.maximum}` }, row.minimum === row.maximum ? "" : `${format.number(row.minimum)} .. ${format.number(row.maximum)}`),
        h("td.number", { title: `${row.count} of the ${row.size} experiments of the group have a value here` }, `${row.count} of ${row.size}`)]);
}

function valueOf(row) {
  const isOne = row.size === undefined && row.count === 1;
  const extent = isOne || row.size !== undefined ? "" : ` (${format.number(row.minimum)} .. ${format.number(row.maximum)})`;
  const title = row.size === undefined && !isOne ? `mean of ${row.count} points` : String(row.value);
  return h("td.number", { title }, format.number(row.value), h("span.dim", extent, isOne ? "" : lostOf(row)));
}

// What is not in the mean, in words.
const lostOf = ({ lost }) => ["NaN", "inf", "-inf"].map((word, which) => (lost[which] > 0 ? ` ${lost[which]} ${word}` : "")).join("");

// Beside the cursor, and within the window.
function settle() {
  const { offsetWidth: width, offsetHeight: height } = table;
  const left = place.x + 16 + width > innerWidth ? place.x - 16 - width : place.x + 16;
  table.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  table.style.top = `${Math.max(4, Math.min(place.y + 12, innerHeight - height - 4))}px`;
}

// Escape lets the cursor go before it does anything else.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !cursor.isFrozen) return;
  event.stopImmediatePropagation();
  hide();
}, true);
