// How the value of a variable stands in a cell of the table.

import { h } from "./dom.js";
import * as format from "./format.js";

// The most characters of a text that a cell takes; the title has more of it.
const SHOWN = 200;
const IN_TITLE = 2000;

// The value of a row at a path: what still runs has run longer than when it was asked for.
export function valueOf(row, path) {
  const value = row?.cells.get(path);
  if (path !== "sys/running_time" || !isRunning(row) || typeof value !== "number") return value;
  return Math.floor(value + (performance.now() - row.at) / 1000);
}

export const isRunning = (row) => row.cells.get("sys/state") === "running";

// { text, title, content }: the content is made only when the text has changed. `style` is one of format.js, or none.
export function cell(path, value, style = undefined) {
  if (value === undefined) return { text: "\u2026", title: "", content: () => "\u2026" };
  if (value === null) return { text: "", title: "", content: () => "" };
  if (path === "sys/state") return plain(value, value, () => h("span.state", { "data-state": value }, value));
  const written = format.STYLES.get(style);
  if (typeof value === "number" && written !== undefined) return plain(written.write(value), String(value));
  if (path === "sys/running_time") return plain(format.duration(value), `${value} s`);
  if (typeof value === "object" && "set" in value) {
    const text = value.set.join(", ");
    return plain(text, text, () => value.set.map((member) => h("span.tag", member.slice(0, SHOWN))));
  }
  if (typeof value === "object" && "datetime" in value) return plain(format.time(value.datetime), format.utc(value.datetime));
  const full = typeof value === "number" ? String(value) : format.value(value);
  return plain(format.value(value), full);
}

function plain(text, title, content = null) {
  const shown = text.slice(0, SHOWN);
  return { text: shown, title: title.slice(0, IN_TITLE), content: content ?? (() => shown) };
}

export const isNumeric = (kind) => /\((int|float)\)/.test(kind) && !kind.startsWith("Set");

// A value as it stands in a CSV file.
export function csvText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if ("datetime" in value) return format.utc(value.datetime);
  if ("file" in value) return String(value.file);
  return format.value(value);
}
