// Files as a tree with their sizes, and beside it what the chosen one holds.

import { address, textAt } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";
import { write } from "./keyed.js";
import { isRichFigure, richFigure } from "./rich-figure.js";
import * as state from "./state.js";
import { flat, treeOf } from "./tree.js";
import { virtualBody } from "./virtual.js";

const HEIGHT = 26;
const FEW = 60;
// What a preview shows at most; the API gives the first MiB.
const MOST_TEXT = 1 << 20;
// The largest page that the API gives to look at.
const MOST_PAGE = 20 << 20;
const IMAGES = /\.(png|jpe?g|gif|webp|svg)$/i;
const PAGES = /\.html?$/i;

export function fileView(page) {
  const list = h("div.list", { tabindex: 0, "aria-label": "Files" });
  const content = h("div.content", { "aria-label": "Preview" });
  const element = h("div.files", list, content);
  let files = [];
  let rows = [];
  let shown = null;
  let turn = 0;
  let closeShown = null;

  const virtual = virtualBody(list, HEIGHT, {
    key: (at) => (rows[at].isNamespace ? `${rows[at].path}/` : rows[at].path),
    row: () => h("tr", h("td"), h("td.number.dim")),
    update(row, at) {
      const node = rows[at];
      row.onclick = () => press(node);
      row.className = node.isNamespace ? "namespace" : "";
      row.ariaSelected = String(!node.isNamespace && node.variable.path === state.read("file"));
      row.firstChild.style.paddingLeft = `${12 + node.depth * 16}px`;
      write(row.firstChild, node.isNamespace ? `${isOpen(node) ? "\u25be" : "\u25b8"} ${node.name}/` : node.name, node.path);
      const size = node.isNamespace ? node.bytes : node.variable.size;
      write(row.lastChild, format.bytes(size), `${size} bytes${node.isNamespace ? ` in ${node.size} files` : ""}`);
    },
  });
  list.append(h("table", h("colgroup", h("col"), h("col.size")), virtual.body));

  const folds = () => ({ open: new Set(state.readList("open")), shut: new Set(state.readList("shut")) });
  function isOpen(node) {
    const { open, shut } = folds();
    return open.has(node.path) || (!shut.has(node.path) && node.size <= FEW);
  }
  function press(node) {
    if (!node.isNamespace) { state.write({ file: node.variable.path }); return; }
    const { open, shut } = folds();
    const was = isOpen(node);
    (was ? shut : open).add(node.path);
    (was ? open : shut).delete(node.path);
    state.write({ open: open.size === 0 ? null : [...open], shut: shut.size === 0 ? null : [...shut] });
  }
  list.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const at = rows.findIndex((node) => !node.isNamespace && node.variable.path === state.read("file"));
    let next = at + way;
    while (rows[next]?.isNamespace) next += way;
    if (rows[next] === undefined) return;
    press(rows[next]);
    virtual.reveal(next);
  });

  async function preview() {
    const file = files.find(({ path }) => path === state.read("file")) ?? null;
    const now = JSON.stringify([file, state.read("as")]);
    if (now === shown) return;
    shown = now;
    turn += 1;
    const own = turn;
    closeShown?.();
    closeShown = null;
    if (file === null) { fill(content, h("div.empty", "Choose a file to see what is in it.")); return; }
    const inside = await contentOf(page, file);
    if (own !== turn) { inside.close?.(); return; }
    closeShown = inside.close;
    fill(content, h("h2", file.name), h("p.dim", format.bytes(file.size), "  ", h("code.cut", { title: "the BLAKE3 hash of its content" }, file.hash)),
      h("div.tools", h("a.button", { href: address(page.path("/file"), { path: file.path }), download: file.name.split("/").at(-1) }, "\u2193 download"), sides(file.name)), inside.element);
    content.scrollTop = 0;
  }

  function look() {
    const tree = treeOf(files, ({ name }) => name);
    weigh(tree);
    rows = flat(tree, isOpen);
    virtual.set(rows.length);
    preview();
  }
  return {
    element,
    set(now) { files = now; look(); },
    update: look,
    close() { turn += 1; closeShown?.(); virtual.close(); },
  };
}

// How many bytes are within each namespace.
function weigh(node) {
  node.bytes = 0;
  for (const child of node.children.values()) node.bytes += child.isNamespace ? weigh(child) : child.variable.size;
  return node.bytes;
}

// What a file that is drawn can be looked at as, in the address as `as`.
function sides(name) {
  if (!isRichFigure(name) && !PAGES.test(name)) return null;
  const isSource = state.read("as") === "source";
  const choice = (label, isChosen, as) => h("button", { "aria-pressed": String(isChosen), onclick: () => state.write({ as }) }, label);
  return h("span.parts", { role: "group", "aria-label": "Shown as" }, choice(PAGES.test(name) ? "page" : "figure", !isSource, null), choice("source", isSource, "source"));
}

// What shows a file: its element, and what ends it if there is something to end.
async function contentOf(page, { path, name, size }) {
  const url = address(page.path("/file"), { path });
  if (IMAGES.test(name)) return { element: h("img", { src: url, alt: name }) };
  if (state.read("as") !== "source") {
    if (isRichFigure(name)) return richFigure({ url, name, size });
    if (PAGES.test(name)) return { element: pageOf(address(page.path("/file"), { path, inline: 2 }), name, size) };
  }
  const text = await textOf(page, path).catch((error) => error);
  if (text instanceof Error) return { element: h("div.error", text.message) };
  if (isBinary(text)) return { element: h("p.dim", "It is no text and no image that can be shown: download it.") };
  return { element: [h("pre", { tabindex: 0 }, text), size > MOST_TEXT && h("p.dim", "This is the first MiB of it.")] };
}

// HTML to look at: nothing on it runs, and it loads nothing.
function pageOf(src, name, size) {
  if (size > MOST_PAGE) return h("p.dim", `Pages of more than ${format.bytes(MOST_PAGE)} are not shown: download it.`);
  return [h("p.dim", "Its scripts do not run here, and it loads nothing. Download it to see all of it."),
    h("iframe.page", { sandbox: "", src, title: `the page ${name}` })];
}

// The first MiB of a file as text.
export const textOf = (page, path) => textAt(address(page.path("/file"), { path, inline: 1 }));

// What has zeros in it, or much that is no text.
function isBinary(text) {
  const sample = text.slice(0, 4096);
  if (sample.includes("\u0000")) return true;
  const odd = [...sample].filter((letter) => letter === "\ufffd").length;
  return odd > sample.length / 20;
}
