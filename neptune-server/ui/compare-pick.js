// A dialog in which one of many variables is picked: by search, by the keyboard or by the mouse.

import { fill, h } from "./dom.js";

// The most that are listed at once; a search finds the others.
const LISTED = 300;

// `all` are the columns, `now` the one that is picked, `first` what stands above them as [text, work]; `choose` takes the column.
export function pick({ title, all, now, first = null, choose }) {
  const search = h("input", { type: "search", placeholder: "Search variables", "aria-label": "Search variables", oninput: draw, onkeydown: inSearch });
  const list = h("ul");
  const count = h("div.dim");
  const dialog = h("dialog.pick", { "aria-label": title, onclose: () => dialog.remove() }, h("h2", title), search, list, count);

  function take(work) { dialog.close(); work(); }

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter((column) => words.every((word) => column.toLowerCase().includes(word)));
    const one = (text, isNow, work) => h("li", h("button.bare.cut", { title: text, "aria-current": isNow ? "true" : null, onclick: () => take(work) }, text));
    fill(list, first !== null && words.length === 0 && one(first[0], now === null, first[1]), found.slice(0, LISTED).map((column) => one(column, column === now, () => choose(column))));
    count.textContent = found.length > LISTED ? `${found.length - LISTED} more; search for them` : found.length === 0 ? "nothing matches" : "";
  }

  function inSearch(event) {
    if (event.key === "Enter") { event.preventDefault(); list.querySelector("button")?.click(); }
    if (event.key === "ArrowDown") { event.preventDefault(); list.querySelector("button")?.focus(); }
  }

  list.addEventListener("keydown", (event) => {
    const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    (event.target.closest("li")?.[by]?.firstChild ?? search).focus();
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
  search.focus();
}
