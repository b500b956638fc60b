// In which groups the experiments of some charts are drawn: those with the same values of the variables that were chosen.

import * as format from "./format.js";
import * as palette from "./palette.js";
import { column } from "./runs-columns.js";
import { compared } from "./runs-groups.js";
import * as state from "./state.js";

// In the address, where the table beside the charts is grouped and they are not.
const NOT = "-";

// What can be grouped by.
export const canGroup = ({ type }) => /^Atom\(|^Set\(/.test(type);

// The variables of the groups: those that were chosen for the charts, or those of the table beside them.
export function groupedBy(ofTable = []) {
  const own = state.readList("chart-group");
  return own.length === 0 ? ofTable : own[0] === NOT ? [] : own;
}

// Writes the choice into the address; what the table says need not be said again.
export function groupBy(paths, ofTable) {
  const isSame = paths.length === ofTable.length && paths.every((path, at) => path === ofTable[at]);
  state.write({ "chart-group": isSame ? null : paths.length === 0 ? [NOT] : paths });
}

// The group { key, label, style, size, place } of each experiment by its id. `cells` has the values of `paths` by id.
export function groupsOf(cells, paths) {
  const groups = new Map();
  const of = new Map();
  for (const [id, values] of cells) {
    const key = JSON.stringify(values);
    if (!groups.has(key)) groups.set(key, { key, values, size: 0 });
    groups.get(key).size += 1;
    of.set(id, groups.get(key));
  }
  const firstOther = (one, other) => paths.reduce((found, _path, at) => found || compared(one.values[at], other.values[at]), 0);
  [...groups.values()].sort(firstOther).forEach((group, place) => {
    const named = paths.map((path, at) => `${column(path).label}=${group.values[at] === null ? "none" : format.value(group.values[at])}`);
    group.place = place;
    group.label = `${named.join(", ")}, n=${group.size}`;
    Object.defineProperty(group, "style", { get: () => palette.styleAt(place) });
  });
  return of;
}
