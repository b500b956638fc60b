// The experiments of a query, grouped by the value of one variable: a row for each value, which opens to its experiments.

import { get } from "./api.js";
import * as format from "./format.js";

// The most experiments that are grouped: what one answer holds.
export const MOST = 10000;

// Has what `Rows` has for the table. A group is an entry { group, value, rows, isOpen }.
export class Groups {
  constructor(query, by, arrived) {
    this.query = query;
    this.by = by;
    this.arrived = arrived;
    this.total = 0;
    this.rows = [];
    this.has = new Set();
    this.waits = new Set();
    this.open = new Set();
    this.entries = [];
    this.stop = new AbortController();
  }

  get count() { return this.entries.length; }

  entry(index) { return this.entries[index]; }

  placeOf(id) { return this.entries.findIndex((entry) => entry.id === id); }

  firstIds(most) { return this.rows.slice(0, most).map((row) => row.id); }

  want(_first, _last, paths) {
    const lacks = paths.filter((path) => !this.has.has(path) && !this.waits.has(path));
    if (lacks.length === 0) return;
    for (const path of lacks) this.waits.add(path);
    this.#fetch(lacks).then(() => this.arrived(), (error) => { if (error.name !== "AbortError") this.arrived(error); })
      .finally(() => { for (const path of lacks) this.waits.delete(path); });
  }

  async refresh(_first, _last, paths) {
    this.has.clear();
    await this.#fetch([...new Set([this.by, ...paths])]);
  }

  toggle(key) {
    if (!this.open.delete(key)) this.open.add(key);
    this.#arrange();
  }

  close() { this.stop.abort(); }

  async #fetch(paths) {
    const { project, filter, sort, hidden } = this.query;
    const wanted = { project, filter, sort, hidden: hidden ? "true" : null, column: paths, limit: MOST };
    const answer = await get("/experiments", wanted, this.stop.signal);
    const known = new Map(this.rows.map((row) => [row.id, row]));
    this.total = answer.total;
    this.rows = answer.rows.map(({ id, uuid, project: of, cells }) => {
      const row = known.get(id) ?? { id, uuid, project: of, cells: new Map() };
      paths.forEach((path, column) => row.cells.set(path, cells[column]));
      if (paths.includes("sys/running_time")) row.at = performance.now();
      return row;
    });
    for (const path of paths) this.has.add(path);
    this.#arrange();
  }

  #arrange() {
    const groups = new Map();
    for (const row of this.rows) {
      const value = row.cells.get(this.by);
      const key = JSON.stringify(value ?? null);
      if (!groups.has(key)) groups.set(key, { group: key, value, rows: [], isOpen: this.open.has(key) });
      groups.get(key).rows.push(row);
    }
    const ordered = [...groups.values()].sort((a, b) => compared(a.value, b.value));
    this.entries = ordered.flatMap((group) => (group.isOpen ? [group, ...group.rows] : [group]));
  }
}

// Numbers before text, and nothing last.
export function compared(a, b) {
  const [one, other] = [format.numeric(a), format.numeric(b)];
  if (one !== null && other !== null) return one - other;
  if ((one === null) !== (other === null)) return one === null ? 1 : -1;
  if ((a ?? null) === null || (b ?? null) === null) return ((a ?? null) === null) - ((b ?? null) === null);
  return format.value(a).localeCompare(format.value(b));
}

// The mean of a variable over the rows that have a finite number there, or null.
export function mean(rows, path) {
  let [sum, count] = [0, 0];
  for (const row of rows) {
    const value = row.cells.get(path);
    const number = typeof value === "number" ? value : null;
    if (number !== null) { sum += number; count += 1; }
  }
  return count === 0 ? null : sum / count;
}
