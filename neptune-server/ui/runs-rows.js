// The experiments of a query in pages, of which only what is looked at is fetched: the rows and the columns on the screen.

import { get } from "./api.js";

export const PAGE = 50;

// A row is { id, uuid, project, at, cells }: `cells` has the values by path, undefined where they are not fetched yet, and `at` is when
// they were.
export class Rows {
  constructor(query, arrived) {
    this.query = query;
    this.arrived = arrived;
    this.total = 0;
    this.pages = new Map();
    this.stop = new AbortController();
  }

  get count() { return this.total; }

  entry(index) { return this.pages.get(Math.floor(index / PAGE))?.rows[index % PAGE]; }

  // The place of a row among those that are here, or -1.
  placeOf(id) {
    for (const [number, page] of this.pages) {
      const at = page.rows.findIndex((row) => row.id === id);
      if (at >= 0) return number * PAGE + at;
    }
    return -1;
  }

  firstIds(most) {
    const ids = [];
    for (let index = 0; index < Math.min(most, this.total); index += 1) {
      const row = this.entry(index);
      if (row === undefined) break;
      ids.push(row.id);
    }
    return ids;
  }

  // Fetches rows first..last with these columns, unless they are here or under way.
  want(first, last, paths) {
    const missing = new Map();
    for (let number = Math.floor(first / PAGE); number <= Math.floor(last / PAGE); number += 1) {
      const page = this.pages.get(number) ?? this.#empty(number);
      const lacks = paths.filter((path) => !page.has.has(path) && !page.waits.has(path));
      if (lacks.length === 0) continue;
      for (const path of lacks) page.waits.add(path);
      const key = lacks.join("\u0000");
      missing.set(key, [...(missing.get(key) ?? []), { number, lacks }]);
    }
    for (const pages of missing.values()) this.#loadMore(pages);
  }

  // Fetches rows anew that are shown; what is not shown is forgotten.
  async refresh(first, last, paths) {
    const from = Math.max(0, Math.floor(first / PAGE) - 1);
    const to = Math.floor(last / PAGE) + 1;
    const fresh = await this.#load(from, to, paths);
    const kept = new Map();
    this.total = fresh.total;
    for (let number = from; number <= to; number += 1) {
      const rows = fresh.rows.slice((number - from) * PAGE, (number - from + 1) * PAGE);
      if (rows.length > 0) kept.set(number, { rows, has: new Set(paths), waits: new Set() });
    }
    if (from > 0 && this.pages.has(0)) kept.set(0, this.pages.get(0));
    this.pages = kept;
  }

  close() { this.stop.abort(); }

  #empty(number) {
    const page = { rows: [], has: new Set(), waits: new Set() };
    this.pages.set(number, page);
    return page;
  }

  async #load(from, to, paths) {
    const { project, filter, sort, hidden } = this.query;
    const wanted = { project, filter, sort, hidden: hidden ? "true" : null, column: paths, offset: from * PAGE, limit: (to - from + 1) * PAGE };
    const answer = await get("/experiments", wanted, this.stop.signal);
    const rows = answer.rows.map(({ id, uuid, project: of, cells }) => (
      { id, uuid, project: of, at: performance.now(), cells: new Map(paths.map((path, column) => [path, cells[column]])) }));
    return { total: answer.total, rows };
  }

  async #loadMore(pages) {
    const { lacks } = pages[0];
    const [from, to] = [pages[0].number, pages.at(-1).number];
    try {
      const { total, rows } = await this.#load(from, to, lacks);
      this.total = total;
      for (const { number } of pages) this.#merge(number, rows.slice((number - from) * PAGE, (number - from + 1) * PAGE), lacks);
      this.arrived();
    } catch (error) {
      for (const { number } of pages) for (const path of lacks) this.pages.get(number)?.waits.delete(path);
      if (error.name !== "AbortError") this.arrived(error);
    }
  }

  // Adds columns to a page; where other rows came than those that are here, the page begins anew with these.
  #merge(number, rows, paths) {
    const page = this.pages.get(number) ?? this.#empty(number);
    const isSame = page.rows.length === rows.length && rows.every((row, at) => row.id === page.rows[at].id);
    if (isSame) {
      rows.forEach((row, at) => {
        for (const [path, value] of row.cells) page.rows[at].cells.set(path, value);
        if (row.cells.has("sys/running_time")) page.rows[at].at = row.at;
      });
    } else {
      page.rows = rows;
      page.has.clear();
    }
    for (const path of paths) { page.has.add(path); page.waits.delete(path); }
  }
}
