// The table of experiments. Only the rows and columns on the screen are elements, however many there are; a row keeps its
// elements while it is on the screen, so that focus and selection stay when values change.

import { highlight, onHighlight } from "./chart-cursor.js";
import { fill, h, perFrame } from "./dom.js";
import * as format from "./format.js";
import { cell, isRunning, valueOf } from "./runs-cells.js";
import { isOrdered } from "./runs-columns.js";
import { LINE, lines } from "./runs-lines.js";
import { eye, line } from "./runs-marks.js";
import { mean } from "./runs-groups.js";

// The height of a row, rows beyond what is seen at each end, and columns that come and go together.
const HEIGHT = 30;
const BEYOND = 6;
const AT_ONCE = 4;
// The widths of the eye, the line, the id and the name, which stay when the table is scrolled sideways.
const FIXED = [34, 44, 86];
const NAME = 220;
const OWN = ["sys/name"];

// `actions`: toggle(id, range), toggleAll(), sort(path, isAlso), move(path, before), shift(path, by), write(path, style),
// openGroup(key), at(id).
export function runsTable(actions) {
  let source = null;
  let columns = [];
  let eyes = new Set();
  let sort = [];
  let at = null;
  let drawn = "";
  let onScreen = [];
  const rows = new Map();
  const group = h("colgroup");
  const head = h("tr");
  const above = h("tr", { "aria-hidden": "true" }, h("td"));
  const below = h("tr", { "aria-hidden": "true" }, h("td"));
  const body = h("tbody");
  const table = h("table", group, h("thead", head), body);
  const scroller = h("div.runs", { tabindex: 0, role: "region", "aria-label": "Experiments: j and k move, x shows in the charts, Enter opens" }, table);
  const draw = perFrame(render);
  const lineOf = lines(render);
  scroller.addEventListener("scroll", () => draw(), { passive: true });
  const watch = new ResizeObserver(() => draw());
  watch.observe(scroller);
  const clock = setInterval(() => { if (onScreen.some(([, index]) => { const row = source.entry(index); return row?.cells !== undefined && isRunning(row); })) draw(); }, 1000);
  const unlit = onHighlight((id) => { for (const [key, row] of rows) row.element.classList.toggle("lit", key === id); });

  function window_() {
    const top = Math.max(0, Math.floor(scroller.scrollTop / HEIGHT) - BEYOND);
    const rowsShown = Math.ceil(scroller.clientHeight / HEIGHT) + 2 * BEYOND;
    const left = scroller.scrollLeft;
    const right = scroller.scrollLeft + scroller.clientWidth;
    let [x, from, to] = [0, -1, 0];
    columns.forEach((column, index) => {
      if (x + column.width > left && from < 0) from = index;
      if (x < right) to = index + 1;
      x += column.width;
    });
    // By several at once, so that not every step sideways makes all cells anew.
    const [begin, end] = [Math.floor(Math.max(0, from) / AT_ONCE) * AT_ONCE, Math.min(columns.length, Math.ceil(to / AT_ONCE) * AT_ONCE)];
    return { first: top, last: Math.min((source?.count ?? 0) - 1, top + rowsShown), from: begin, to: end };
  }

  const paths = ({ from, to }) => [...OWN, ...columns.slice(from, to).map((column) => column.path)];

  function render() {
    if (source === null || !scroller.isConnected) return;
    follow();
    const seen = window_();
    const layout = JSON.stringify([seen.from, seen.to, columns, sort]);
    const isNew = layout !== drawn;
    if (isNew) { drawn = layout; header(seen); }
    if (seen.last >= seen.first) source.want(seen.first, seen.last, paths(seen));
    const wanted = [];
    const used = new Set();
    for (let index = seen.first; index <= seen.last; index += 1) {
      const entry = source.entry(index);
      const key = entry === undefined ? `#${index}` : entry.group === undefined ? entry.id : `group ${entry.group}`;
      used.add(key);
      let row = rows.get(key);
      if (row === undefined) { row = make(entry); rows.set(key, row); }
      paint(row, entry, index, seen, isNew);
      wanted.push(row.element);
    }
    for (const [key, row] of rows) if (!used.has(key)) { row.element.remove(); rows.delete(key); }
    above.firstChild.style.height = `${seen.first * HEIGHT}px`;
    below.firstChild.style.height = `${Math.max(0, source.count - seen.last - 1) * HEIGHT}px`;
    place([above, ...wanted, below]);
    table.setAttribute("aria-rowcount", source.count + 1);
    const [top, bottom] = [Math.ceil(scroller.scrollTop / HEIGHT), Math.floor((scroller.scrollTop + scroller.clientHeight) / HEIGHT) - 2];
    onScreen = [];
    for (let index = top; index <= Math.min(bottom, seen.last); index += 1) if (source.entry(index)?.id !== undefined) onScreen.push([source.entry(index).id, index]);
  }

  // Where rows came or went above, the rows on the screen stay where they are: by so many as most of them have moved.
  function follow() {
    if (scroller.scrollTop === 0) return;
    const shifts = new Map();
    for (const [id, index] of onScreen) {
      const now = source.placeOf(id);
      if (now >= 0) shifts.set(now - index, (shifts.get(now - index) ?? 0) + 1);
    }
    const [shift] = [...shifts].reduce((most, one) => (one[1] > most[1] ? one : most), [0, 0]);
    if (shift === 0) return;
    onScreen = [];
    above.firstChild.style.height = `${Math.max(0, parseFloat(above.firstChild.style.height) + shift * HEIGHT)}px`;
    scroller.scrollTop += shift * HEIGHT;
  }

  // Puts the rows into order and moves only those that are not where they belong.
  function place(wanted) {
    const focused = document.activeElement;
    let next = body.firstChild;
    for (const element of wanted) {
      if (element === next) next = next.nextSibling;
      else body.insertBefore(element, next);
    }
    if (focused !== document.activeElement && body.contains(focused)) focused.focus({ preventScroll: true });
  }

  function make(entry) {
    const element = h("tr");
    const row = { element, cells: [], eyes: null, fixed: null };
    if (entry === undefined) {
      row.fixed = [h("td"), h("td"), h("td"), h("td.name", "\u2026")];
    } else if (entry.group !== undefined) {
      const button = h("button.bare.twist", { onclick: () => actions.openGroup(entry.group) });
      row.fixed = [h("td.group", { colspan: 4 }, button)];
      row.button = button;
      element.classList.add("of-group");
    } else {
      const look = h("button.bare.eye", { onclick: (event) => actions.toggle(entry.id, event.shiftKey) }, eye());
      const to = `/e/${encodeURIComponent(entry.id)}`;
      row.eye = look;
      row.name = h("a.cut", { href: to });
      row.mark = h("td.mark", line(entry.id));
      row.fixed = [h("td", look), row.mark, h("td.id", h("a", { href: to, tabindex: -1 }, entry.id)), h("td.name", row.name)];
      element.addEventListener("mousedown", () => actions.at(entry.id));
      element.addEventListener("pointerenter", () => highlight(entry.id));
      element.addEventListener("pointerleave", () => highlight(null));
    }
    return row;
  }

  function paint(row, entry, index, seen, isNew) {
    row.element.setAttribute("aria-rowindex", index + 2);
    if (entry?.id !== undefined) paintRow(row, entry);
    if (entry?.group !== undefined) fill(row.button, entry.isOpen ? "\u25be " : "\u25b8 ", h("b", format.value(entry.value) || "nothing"), h("span.dim", ` ${entry.rows.length}`));
    if (isNew || row.cells.length === 0) {
      if (row.element.firstChild === null) row.element.append(...row.fixed, h("td"));
      while (row.element.children.length > row.fixed.length + 1) row.element.lastChild.remove();
      row.cells = columns.slice(seen.from, seen.to).map((column) => ({ element: h(column.isNumeric ? "td.number.cut" : "td.cut"), text: null }));
      row.element.append(...row.cells.map((one) => one.element), h("td"));
    }
    columns.slice(seen.from, seen.to).forEach((column, place_) => {
      const it = entry?.group === undefined ? ofRow(entry, column) : ofGroup(entry, column);
      const one = row.cells[place_];
      if (one.text === it.text && one.title === it.title) return;
      fill(one.element, it.content());
      one.element.title = it.title;
      [one.text, one.title] = [it.text, it.title];
    });
  }

  function paintRow(row, entry) {
    const isShown = eyes.has(entry.id);
    if (row.eyes !== isShown) {
      row.eyes = isShown;
      row.eye.setAttribute("aria-pressed", isShown);
      row.eye.setAttribute("aria-label", `${entry.id} in the charts`);
      row.eye.title = isShown ? "Leave out of the charts (x)" : "Show in the charts (x)";
      row.element.classList.toggle("shown", isShown);
    }
    row.element.classList.toggle("at", at === entry.id);
    row.element.setAttribute("aria-selected", at === entry.id);
    const name = entry.cells.get("sys/name");
    const text = name === undefined ? "\u2026" : name === null ? entry.id : format.value(name).slice(0, 200);
    if (row.text !== text) { row.text = text; row.name.textContent = text; row.name.title = text; }
  }

  function ofRow(entry, column) {
    const last = cell(column.path, valueOf(entry, column.path), column.style);
    return column.style === LINE && column.isMetric && entry !== undefined ? lineOf(entry.id, column.path, last) : last;
  }

  function ofGroup(entry, column) {
    const value = column.isNumeric ? mean(entry.rows, column.path) : null;
    const { text } = cell(column.path, value, column.style);
    return { text, title: value === null ? "" : `mean of ${entry.rows.length}: ${value}`, content: () => h("span.dim", text) };
  }

  function header(seen) {
    const before = columns.slice(0, seen.from).reduce((sum, column) => sum + column.width, 0);
    const after = columns.slice(seen.to).reduce((sum, column) => sum + column.width, 0);
    const inside = columns.slice(seen.from, seen.to);
    const widths = [...FIXED, NAME, before, ...inside.map((column) => column.width), after];
    fill(group, widths.map((width) => h("col", { style: { width: `${width}px` } })));
    table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
    table.setAttribute("aria-colcount", columns.length + 4);
    const isMenu = document.activeElement?.matches("th .style");
    const focused = document.activeElement?.closest?.("th")?.dataset.path;
    fill(head,
      h("th", h("button.bare.eye", { title: "The first five in the charts, or none", "aria-label": "The first five in the charts, or none", onclick: actions.toggleAll }, eye())),
      h("th"), heading({ path: "sys/id", label: "id" }, false), heading({ path: "sys/name", label: "name" }, false, "name"),
      h("th"), inside.map((column) => heading(column, true)), h("th"));
    if (focused !== undefined) [...head.children].find((one) => one.dataset.path === focused)?.[isMenu ? "lastChild" : "firstChild"].focus({ preventScroll: true });
  }

  function heading(column, moves, kind = null) {
    const key = sort.findIndex((one) => one.replace(/^-/, "") === column.path);
    const isDown = key >= 0 && sort[key].startsWith("-");
    const arrow = key < 0 ? "" : `${isDown ? " \u25bc" : " \u25b2"}${sort.length > 1 ? key + 1 : ""}`;
    const sorts = isOrdered(column.path) ? "click sorts, shift-click adds a key" : "it has no order";
    const button = h("button.bare", { title: `${column.path}\n${sorts}${moves ? ", drag or alt and arrow moves" : ""}`,
      onclick: (event) => { if (isOrdered(column.path)) actions.sort(column.path, event.shiftKey); } }, h("span.cut", column.label), arrow && h("span", arrow));
    const name = ["th", column.isNumeric && "number", kind, kind === null && column.path === "sys/id" && "id"].filter(Boolean).join(".");
    const element = h(name, { "aria-sort": key < 0 ? "none" : isDown ? "descending" : "ascending", draggable: moves ? "true" : null }, button, moves && column.isNumeric && styleMenu(column));
    element.dataset.path = column.path;
    if (moves) movable(element, button, column.path);
    return element;
  }

  // How the numbers of a column are written.
  function styleMenu({ path, label, style, isMetric }) {
    const menu = h("select.style", { "aria-label": `How ${label} is written`, title: "How its numbers are written", onchange: () => actions.write(path, menu.value) },
      h("option", { value: "" }, "as they are"), [...format.STYLES].map(([name, { label: text }]) => h("option", { value: name }, text)),
      isMetric && h("option", { value: LINE }, "as a line"));
    menu.value = style ?? "";
    return menu;
  }

  function movable(element, button, path) {
    element.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-column", path));
    element.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-column")) { event.preventDefault(); element.classList.add("target"); } });
    element.addEventListener("dragleave", () => element.classList.remove("target"));
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      element.classList.remove("target");
      const moved = event.dataTransfer.getData("text/x-column");
      if (moved !== "" && moved !== path) actions.move(moved, path);
    });
    button.addEventListener("keydown", (event) => {
      if (!event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
      event.preventDefault();
      actions.shift(path, event.key === "ArrowLeft" ? -1 : 1);
    });
  }

  // Scrolls so that the row at `index` is on the screen.
  function reveal(index) {
    const top = index * HEIGHT;
    const room = scroller.clientHeight - 2 * HEIGHT;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
    draw();
  }

  return {
    element: scroller,
    // What is shown is told as { source, columns, eyes, sort, at }, or some of these.
    show(changes) {
      if (changes.source !== undefined && changes.source !== source) { source = changes.source; rows.clear(); fill(body); drawn = ""; onScreen = []; }
      ({ columns = columns, eyes = eyes, sort = sort, at = at } = changes);
      draw();
    },
    reveal,
    draw,
    seen() { const seen = window_(); return { ...seen, paths: paths(seen) }; },
    // Draws all marks anew, in the colours of another theme.
    recolor() { for (const [id, row] of rows) if (row.mark) fill(row.mark, line(id)); },
    top(value) { if (value === undefined) return scroller.scrollTop; render(); scroller.scrollTop = value; return value; },
    close() { watch.disconnect(); unlit(); clearInterval(clock); },
  };
}
