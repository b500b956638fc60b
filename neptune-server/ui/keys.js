// The keyboard. Keys that are typed into a field are the field's, but for Escape, which leaves it.

import { fill, h } from "./dom.js";

const bindings = new Map();

// Binds `key` (such as `/`, `j`, `ctrl+k`) while the page is shown; returns what unbinds it.
export function bind(key, what, work) {
  bindings.set(key, { what, work });
  return () => { if (bindings.get(key)?.work === work) bindings.delete(key); };
}

export function start() {
  addEventListener("keydown", (event) => {
    const field = event.target instanceof Element && event.target.matches("input, textarea, select, [contenteditable]");
    if (field && event.key === "Escape") event.target.blur();
    const key = `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${event.key.toLowerCase()}`;
    if (field && !key.startsWith("ctrl+")) return;
    const bound = bindings.get(key);
    if (!bound) return;
    event.preventDefault();
    bound.work(event);
  });
  bind("?", "show the keys", help);
}

function help() {
  const known = document.querySelector("dialog.keys") ?? document.body.appendChild(h("dialog.keys"));
  const rows = [...bindings].map(([key, { what }]) => h("tr", h("td", h("code", key)), h("td", what)));
  fill(known, h("h2", "Keys"), h("table", h("tbody", rows)), h("form", { method: "dialog" }, h("button", "close")));
  known.showModal();
}
