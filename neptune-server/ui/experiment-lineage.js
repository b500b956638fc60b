// Where an experiment was forked from, and what was forked from it.

import { experimentPath, get } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";

// How many generations are shown.
const MOST = 20;

export async function lineage(place, page) {
  const [before, after] = await Promise.all([ancestors(page.id), children(page.id)]);
  place.hidden = before.length === 0 && after.length === 0;
  const entry = ({ id, step, name }, isHere = false) => h("li", isHere ? h("b", id) : h("a", { href: `/e/${encodeURIComponent(id)}` }, id),
    name && h("span.dim", ` ${name}`), step !== null && h("span.dim", ` from step ${format.value(step)}`));
  const nested = (chain) => (chain.length === 0
    ? h("ul", entry({ id: page.id, step: before[0]?.step ?? null, name: page.experiment.name }, true), after.length > 0 && h("ul", after.map((child) => entry(child))))
    : h("ul", entry({ ...chain[0], step: chain[0].own }), nested(chain.slice(1))));
  fill(place, h("h2", "Forks"), h("div.lineage", nested([...before].reverse())));
}

// The experiments that it came from, the nearest first: `step` is where the next one left it, `own` where it left its own.
async function ancestors(id) {
  const found = [];
  let at = id;
  while (found.length < MOST) {
    const { variables } = await get(experimentPath(at, "/variables"), { prefix: "sys/" });
    const of = (path) => variables.find((variable) => variable.path === path)?.value ?? null;
    if (found.length > 0) Object.assign(found.at(-1), { own: of("sys/fork_step"), name: of("sys/name") });
    const parent = of("sys/forked_from");
    if (parent === null || found.some((known) => known.id === parent)) return found;
    found.push({ id: parent, step: of("sys/fork_step"), own: null, name: null });
    at = parent;
  }
  return found;
}

async function children(id) {
  const columns = ["sys/fork_step", "sys/name"];
  const { rows } = await get("/experiments", { filter: `sys/forked_from = ${JSON.stringify(id)}`, column: columns, limit: 100, sort: "sys/creation_time" }).catch(() => ({ rows: [] }));
  return rows.map((row) => ({ id: row.id, step: row.cells[0], name: row.cells[1] }));
}
