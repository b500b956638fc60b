// What one variable holds: the value as a whole, or the last points of a series.

import { coloured } from "./ansi.js";
import { address, get, number, post } from "./api.js";
import { fill, h } from "./dom.js";
import { histogram, sparkline } from "./figure.js";
import * as format from "./format.js";
import { aboutHistogram, histogramOf } from "./media.js";
import { attempt, say } from "./notice.js";
import { isRichFigure, richFigure } from "./rich-figure.js";

// How many of the last points are listed.
const TAIL = 100;
// How much of a text is shown; the rest can be downloaded.
const MOST_TEXT = 200_000;

export function detail(place, page) {
  let shown = null;
  let turn = 0;
  let figure = null;

  async function show(variable, howMany) {
    const now = variable === null ? `none of ${howMany}` : JSON.stringify([variable.path, variable.kind, variable.series ?? variable.value]);
    if (now === shown) return;
    shown = now;
    turn += 1;
    const own = turn;
    figure?.close();
    figure = variable?.kind === "Atom(file)" && isRichFigure(variable.path) ? figureOf(variable, page) : null;
    if (variable === null) { fill(place, h("div.empty", howMany === 0 ? "Nothing was logged yet." : "Choose a variable to see what it holds.")); return; }
    const content = await contents(variable, page).catch((error) => h("div.error", error.message));
    if (own !== turn) return;
    const top = place.scrollTop;
    const isSame = place.dataset.path === variable.path;
    place.dataset.path = variable.path;
    fill(place, h("div.title", h("h2.path", variable.path), h("button.bare", { title: "Copy the path", onclick: () => copy(variable.path) }, "copy")),
      h("p.dim", variable.kind.replace("(", " of ").replace(")", "").replace("Atom of ", "Atom: ")), content, figure?.element);
    place.scrollTop = isSame ? top : 0;
  }
  return { show, close() { turn += 1; figure?.close(); } };
}

function figureOf({ path, value }, page) {
  return richFigure({ url: address(page.path("/file"), { path }), name: path, size: value.file });
}

async function copy(text) {
  await attempt(async () => { await navigator.clipboard.writeText(text); say("copied"); });
}

async function contents(variable, page) {
  const { path, kind, value, series } = variable;
  if (series === undefined) return atom(path, kind, value, page);
  const figures = h("table.pairs", h("tbody", Object.entries(summary(variable)).map(([name, figure]) => h("tr", h("th", { scope: "row" }, name), h("td", { title: String(figure.full ?? figure.text) }, figure.text)))));
  if (kind === "Series(float)") return [figures, await line(variable, page), await points(variable, page)];
  if (kind === "Series(histogram)") return [figures, lastHistogram(value)];
  if (kind === "Series(image)") {
    return [figures, h("p", h("a", { href: `${location.pathname}?tab=images&search=${encodeURIComponent(path)}` }, "all its images")),
      h("img.last", { src: address(page.path("/file"), { path, step: series.last_step }), alt: path })];
  }
  return [figures, await texts(variable, page)];
}

function summary({ series, kind }) {
  const of = (value) => ({ text: format.value(value), full: value });
  const rows = { points: of(series.count), "first step": of(series.first_step), "last step": of(series.last_step), "last logged": { text: `${format.time(series.last_time)}, ${format.age(series.last_time)}`, full: format.utc(series.last_time) } };
  if (kind !== "Series(float)") return rows;
  if (series.nonfinite > 0) rows["NaN or infinite"] = of(series.nonfinite);
  if (series.minimum !== null) Object.assign(rows, { minimum: of(series.minimum), maximum: of(series.maximum), mean: of(series.mean) });
  return rows;
}

function atom(path, kind, value, page) {
  if (kind === "Atom(file)") {
    const inline = address(page.path("/file"), { path, inline: 1 });
    return [h("p", format.bytes(value.file)), h("div.tools", h("a.button", { href: address(page.path("/file"), { path }), download: true }, "\u2193 download"), h("a.button", { href: inline, target: "_blank" }, "show as text"))];
  }
  if (kind === "Set(string)") return h("ul", value.set.map((member) => h("li", member)));
  let text = typeof value === "object" && "datetime" in value ? `${format.time(value.datetime)}\n${format.utc(value.datetime)}\n${value.datetime}` : typeof value === "number" ? String(value) : format.value(value);
  if (kind === "Atom(json)") try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* as it was logged */ }
  const isCut = text.length > MOST_TEXT;
  return [h("pre.value", { tabindex: 0 }, isCut ? text.slice(0, MOST_TEXT) : text), isCut && h("p.dim", `${text.length - MOST_TEXT} more characters`),
    h("button", { onclick: () => copy(text) }, "copy the value")];
}

async function line({ path }, page) {
  const { series: [overview] } = await post("/overviews", { series: [{ experiment: page.id, path }], buckets: 400 });
  return [h("p", h("a", { href: `${location.pathname}?tab=${/^monitoring\//.test(path) ? "hardware" : "charts"}&full=${encodeURIComponent(path)}` }, "as a chart")),
    h("div.preview", sparkline(overview.first_step, overview.minimum, overview.maximum, 400, 120))];
}

async function points({ path }, page) {
  const { steps, times, values } = await get(page.path("/points"), { path, tail: TAIL });
  const rows = steps.map((step, place) => h("tr", h("td.number", format.value(step)), h("td.number", { title: String(values[place]) }, format.number(number(values[place]))), h("td.dim", { title: format.utc(times[place]) }, format.time(times[place])))).reverse();
  return h("table", h("caption", rows.length === 1 ? "the last point" : `the last ${rows.length} points`), h("thead", h("tr", h("th.number", { scope: "col" }, "step"), h("th.number", { scope: "col" }, "value"), h("th", { scope: "col" }, "time"))), h("tbody", rows));
}

async function texts({ path }, page) {
  const { steps, times, values } = await get(page.path("/points"), { path, tail: TAIL });
  return h("table.texts", h("caption", steps.length === 1 ? "the last text" : `the last ${steps.length} texts`), h("tbody", steps.map((step, place) => h("tr", h("td.number.dim", { title: format.utc(times[place]) }, format.value(step)), h("td", h("pre", coloured(values[place].slice(0, MOST_TEXT / TAIL))))))));
}

function lastHistogram(value) {
  const read = histogramOf(format.value(value));
  if (read === null) return h("pre.value", format.value(value));
  return [h("p", aboutHistogram(read)), h("div.preview", histogram(read, (low, high, count) => `${format.number(low)} to ${format.number(high)}: ${count}`))];
}
