// All variables of an experiment: a tree of namespaces, of any size, and beside it what the chosen one holds.

import { fill, h, settled } from "./dom.js";
import { detail } from "./experiment-variable.js";
import * as format from "./format.js";
import { brief } from "./media.js";
import * as keys from "./keys.js";
import { write } from "./keyed.js";
import * as state from "./state.js";
import { flat, treeOf } from "./tree.js";
import { virtualBody } from "./virtual.js";

const HEIGHT = 27;
// A namespace with more variables than this begins closed.
const FEW = 40;
const CLOSED = new Set(["source_code", "monitoring", "timing"]);
const HEADS = ["name", "type", "value", "min", "max", "last step", "points"];

export async function show(place, page) {
  const field = h("input", { type: "search", placeholder: "search paths and types  (/)", "aria-label": "search variables", value: state.read("search", "") });
  const counted = h("span.dim");
  const beside = h("aside.detail", { "aria-label": "The chosen variable" });
  const scrolled = h("div.scrolled", { tabindex: 0, "aria-label": "All variables" });
  let list = [];
  let total = 0;
  let tree = null;
  let rows = [];
  const shown = detail(beside, page);

  const virtual = virtualBody(scrolled, HEIGHT, {
    key: (at) => (rows[at].isNamespace ? `${rows[at].path}/` : rows[at].path),
    row: () => h("tr", h("td.name"), HEADS.slice(1).map((head, column) => h(column > 1 ? "td.number" : "td.cut"))),
    update: showRow,
  });
  const table = h("table.variables", { role: "treegrid" },
    h("colgroup", h("col.wide"), h("col.type"), h("col.value"), h("col"), h("col"), h("col"), h("col")),
    h("thead", h("tr", HEADS.map((head, column) => h(column > 2 ? "th.number" : "th", { scope: "col" }, head)))), virtual.body);
  scrolled.append(table);
  fill(place, h("div.tools.top", field, counted, h("span.space"), h("button", { onclick: () => openAll(true) }, "open all"), h("button", { onclick: () => openAll(false) }, "close all")),
    h("div.halves", scrolled, beside));

  const chosen = () => state.read("path");
  function isOpen(node) {
    if (field.value.trim() !== "") return true;
    const { open, shut, all } = folds();
    if (open.has(node.path)) return true;
    if (shut.has(node.path)) return false;
    return all === null ? node.size <= FEW && !CLOSED.has(node.path) : all === "open";
  }
  const folds = () => ({ open: new Set(state.readList("open")), shut: new Set(state.readList("shut")), all: state.read("all") });

  function openAll(yes) { state.write({ open: null, shut: null, all: yes ? "open" : "shut" }); }

  function fold(node, yes) {
    const { open, shut } = folds();
    (yes ? open : shut).add(node.path);
    (yes ? shut : open).delete(node.path);
    state.write({ open: orNothing(open), shut: orNothing(shut) });
  }

  function press(node) {
    if (node.isNamespace) fold(node, !isOpen(node));
    else state.write({ path: node.path });
    scrolled.focus({ preventScroll: true });
  }

  function showRow(row, at) {
    const node = rows[at];
    row.onclick = () => press(node);
    row.setAttribute("aria-level", node.depth + 1);
    const isChosen = (node.isNamespace ? `${node.path}/` : node.path) === (cursor ?? chosen());
    row.setAttribute("aria-selected", String(isChosen));
    const [name, ...cells] = row.children;
    name.style.paddingLeft = `${10 + node.depth * 16}px`;
    if (node.isNamespace) {
      row.className = "namespace";
      row.setAttribute("aria-expanded", String(isOpen(node)));
      write(name, `${isOpen(node) ? "\u25be" : "\u25b8"} ${node.name}/`, node.path);
      cells.forEach((cell, column) => write(cell, column === 0 ? `${node.size} ${node.size === 1 ? "variable" : "variables"}` : "", ""));
      return;
    }
    const { kind, value, series } = node.variable;
    write(name, node.name, node.path);
    const text = brief(kind, value);
    const figures = series ? [series.minimum, series.maximum, series.last_step, series.count] : [null, null, null, null];
    write(cells[0], kind.replace("(", " ").replace(")", ""), kind);
    write(cells[1], text.slice(0, 200), text.slice(0, 2000));
    cells[1].colSpan = series ? 1 : HEADS.length - 2;
    for (const cell of cells.slice(2)) cell.hidden = !series;
    figures.forEach((figure, column) => write(cells[column + 2], format.value(figure), figure === null ? "" : String(figure)));
  }

  // The row that the keys are at, when it is not the chosen variable.
  let cursor = null;

  function look(shouldReveal = false) {
    const words = field.value.trim().toLowerCase().split(/\s+/).filter((word) => word !== "");
    const found = words.length === 0 ? list : list.filter(({ path, kind }) => { const text = `${path} ${kind}`.toLowerCase(); return words.every((word) => text.includes(word)); });
    tree = treeOf(found);
    rows = flat(tree, isOpen);
    table.ariaRowCount = String(rows.length);
    counted.textContent = `${found.length === list.length ? "" : `${found.length} of `}${total} variables${total > list.length ? `; the first ${list.length} are shown` : ""}`;
    virtual.set(rows.length);
    const at = rows.findIndex((node) => !node.isNamespace && node.path === chosen());
    if (shouldReveal && at >= 0) virtual.reveal(at);
    shown.show(list.find(({ path }) => path === chosen()) ?? null, list.length);
  }

  function take(answer) { list = answer.variables; total = answer.total; }

  function move(by) {
    const at = rows.findIndex((node) => (node.isNamespace ? `${node.path}/` : node.path) === (cursor ?? chosen()));
    const next = Math.max(0, Math.min(rows.length - 1, at + by));
    const node = rows[next];
    if (node === undefined) return;
    if (node.isNamespace) { cursor = `${node.path}/`; virtual.set(rows.length); } else { cursor = null; state.write({ path: node.path }); }
    virtual.reveal(next);
  }

  scrolled.addEventListener("keydown", (event) => {
    const at = rows.findIndex((node) => node.isNamespace && `${node.path}/` === cursor);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
    else if (at >= 0 && (event.key === "ArrowRight" || event.key === "Enter")) fold(rows[at], event.key === "Enter" ? !isOpen(rows[at]) : true);
    else if (at >= 0 && event.key === "ArrowLeft") fold(rows[at], false);
    else return;
    event.preventDefault();
  });
  const search = settled(80, () => state.write({ search: field.value.trim() === "" ? null : field.value }));
  field.addEventListener("input", () => { scrolled.scrollTop = 0; look(); search(); });
  const unbind = [keys.bind("/", "search", () => field.focus()), keys.bind("j", "next row", () => move(1)), keys.bind("k", "row before", () => move(-1))];

  take(await page.variables());
  requestAnimationFrame(() => look(true));
  return {
    async changed() { take(await page.latest()); look(); },
    update() { if (document.activeElement !== field) field.value = state.read("search", ""); if (chosen() !== null && !rows.some(({ path }) => path === chosen())) cursor = null; look(); },
    close() { virtual.close(); shown.close(); for (const end of unbind) end(); },
  };
}

const orNothing = (names) => (names.size === 0 ? null : [...names]);
