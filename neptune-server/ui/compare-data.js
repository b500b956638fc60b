// The values of many experiments, by column: a variable, or `min(...)` or `max(...)` of a series of numbers.

import { get } from "./api.js";

// So many experiments and columns are named in one request, as an address has an end.
const PIECE = 200;
const COLUMNS = 40;
const NAME = "sys/name";

const pieces = (list, size) => Array.from({ length: Math.ceil(list.length / size) }, (_none, at) => list.slice(at * size, (at + 1) * size));

export class Values {
  constructor(ids) {
    this.ids = ids;
    // Those that are there, as { id, project, name }, in the order of `ids`; their variables as a map from path to { kinds,
    // experiments }; and of each fetched column a value for each row, null where there is none.
    this.rows = [];
    this.known = new Map();
    this.columns = new Map();
  }

  async start() {
    await this.#look();
    const found = await Promise.all(pieces(this.rows, PIECE).map((rows) => get("/paths", { experiment: rows.map(({ id }) => id) })));
    for (const { path, type, experiments } of found.flatMap(({ paths }) => paths)) {
      const one = this.known.get(path) ?? { kinds: new Set(), experiments: 0 };
      one.kinds.add(type);
      one.experiments += experiments;
      this.known.set(path, one);
    }
    this.known.set("sys/running_time", { kinds: new Set(["Atom(float)"]), experiments: this.rows.length });
  }

  // Which experiments are there, and what they are called.
  async #look() {
    const answers = await this.#ask(this.ids, [NAME]);
    const byId = new Map(answers.flatMap((row) => [[row.id, row], [row.uuid, row]]));
    const rows = [...new Set(this.ids.map((id) => byId.get(id)).filter(Boolean))];
    this.rows = rows.map(({ id, project, cells }) => ({ id, project, name: typeof cells[0] === "string" ? cells[0] : "" }));
  }

  async #ask(ids, column) {
    const answers = await Promise.all(pieces(ids, PIECE).map((id) => get("/experiments", { id, column, hidden: "true", limit: id.length })));
    return answers.flatMap(({ rows }) => rows);
  }

  // Fetches these columns, unless they are here.
  async want(columns) {
    const lacking = columns.filter((column) => !this.columns.has(column));
    const places = new Map(this.rows.map(({ id }, place) => [id, place]));
    await Promise.all(pieces(lacking, COLUMNS).map(async (some) => {
      const answers = await this.#ask(this.rows.map(({ id }) => id), some);
      const fetched = some.map(() => new Array(places.size).fill(null));
      for (const { id, cells } of answers) cells.forEach((cell, at) => { if (places.has(id)) fetched[at][places.get(id)] = cell; });
      some.forEach((column, at) => this.columns.set(column, fetched[at]));
    }));
  }

  // The same experiments as they are now, with these columns; what does not differ from this is told as null.
  async anew(columns) {
    const next = new Values(this.ids);
    await next.start();
    await next.want(columns);
    const isSame = JSON.stringify(next.rows) === JSON.stringify(this.rows) && next.known.size === this.known.size
      && columns.every((column) => JSON.stringify(next.columns.get(column)) === JSON.stringify(this.columns.get(column)));
    return isSame ? null : next;
  }
}
