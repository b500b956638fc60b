// Files as a tree with their sizes, and beside it what the chosen one holds.

import { address } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";
import { write } from "./keyed.js";
import * as state from "./state.js";
import { flat, treeOf } from "./tree.js";
import { virtualBody } from "./virtual.js";

const HEIGHT = 26;
const FEW = 60;
// What a preview shows at most; the API gives the first MiB.
const MOST_TEXT = 1 << 20;
const IMAGES = /\.(png|jpe?g|gif|webp|svg)$/i;

export function fileView(page) {
  const list = h("div.list", { tabindex: 0, "aria-label": "Files" });
  const content = h("div.content", { "aria-label": "Preview" });
  const element = h("div.files", list, content);
  let files = [];
  let rows = [];
  let shown = null;
  let turn = 0;

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
    const now = JSON.stringify(file);
    if (now === shown) return;
    shown = now;
    turn += 1;
    const own = turn;
    if (file === null) { fill(content, h("div.empty", "Choose a file to see what is in it.")); return; }
    const inside = await contentOf(page, file);
    if (own !== turn) return;
    fill(content, h("h2", file.name), h("p.dim", format.bytes(file.size), "  ", h("code.cut", { title: "the BLAKE3 hash of its content" }, file.hash)),
      h("div.tools", h("a.button", { href: address(page.path("/file"), { path: file.path }), download: file.name.split("/").at(-1) }, "\u2193 download")), inside);
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
    close() { turn += 1; virtual.close(); },
  };
}

// How many bytes are within each namespace.
function weigh(node) {
  node.bytes = 0;
  for (const child of node.children.values()) node.bytes += child.isNamespace ? weigh(child) : child.variable.size;
  return node.bytes;
}

async function contentOf(page, { path, name, size }) {
  if (IMAGES.test(name)) return h("img", { src: address(page.path("/file"), { path }), alt: name });
  const text = await textOf(page, path).catch((error) => error);
  if (text instanceof Error) return h("div.error", text.message);
  if (isBinary(text)) return h("p.dim", "It is no text and no image that can be shown: download it.");
  return [h("pre", { tabindex: 0 }, text), size > MOST_TEXT && h("p.dim", "This is the first MiB of it.")];
}

// The first MiB of a file as text.
export async function textOf(page, path) {
  const response = await fetch(address(page.path("/file"), { path, inline: 1 }));
  const text = await response.text();
  if (response.ok) return text;
  let message = text;
  try { message = JSON.parse(text).error; } catch { /* as it is */ }
  throw new Error(message);
}

// What has zeros in it, or much that is no text.
export function isBinary(text) {
  const sample = text.slice(0, 4096);
  if (sample.includes("\u0000")) return true;
  const odd = [...sample].filter((letter) => letter === "\ufffd").length;
  return odd > sample.length / 20;
}
