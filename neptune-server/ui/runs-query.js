// The bar of the query: what is typed becomes a filter of the query language, with names of variables offered and the queries
// of before. What is no query are words, which are looked for in names, ids and tags.

import { fill, h, settled } from "./dom.js";

const RECENT = "neptune.queries.recent";
const SAVED = "neptune.queries.saved";
const MOST_RECENT = 8;
const OFFERED = 10;
// A pause in typing, after which the table follows.
const PAUSE = 150;

// What says that a text is a query and not words.
const QUERY = /[<>=!`]|\b(contains|exists|missing)\b/i;

export const isQuery = (text) => QUERY.test(text);

// The filter of the API for what was typed.
export function filterOf(text) {
  if (isQuery(text)) return text;
  const words = [...text.matchAll(/"([^"]*)"?|(\S+)/g)].map((match) => (match[1] ?? match[2]).replaceAll('"', "")).filter(Boolean);
  return words.map(anywhere).join(" AND ");
}

// Text is compared letter by letter, so each word is looked for in the ways in which it is commonly written.
function anywhere(word) {
  const [lower, upper] = [word.toLowerCase(), word.toUpperCase()];
  const ways = [...new Set([word, lower, upper, lower.charAt(0).toUpperCase() + lower.slice(1)])];
  const holds = (path, text) => `\`${path}\` CONTAINS ${quoted(text)}`;
  return `(${[...ways.map((way) => holds("sys/name", way)), holds("sys/id", upper), ...ways.map((way) => holds("sys/tags", way))].join(" OR ")})`;
}

export const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

const kept = (key) => { try { return JSON.parse(localStorage.getItem(key)) ?? []; } catch { return []; } };
const keep = (key, list) => localStorage.setItem(key, JSON.stringify(list));

// `names()` gives the names of variables; `ask(text, isDone)` is called while typing and, with true, when somebody is done.
export function queryBar({ names, ask }) {
  const input = h("input", { type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": "offered", "aria-autocomplete": "list",
    "aria-label": "Query", autocomplete: "off", spellcheck: "false", placeholder: 'Search, or a query: loss < 0.3 AND sys/tags CONTAINS "cnn"   ( / )' });
  const offered = h("ul.offered", { id: "offered", role: "listbox", hidden: true });
  const problem = h("pre.error", { role: "alert", hidden: true });
  const save = h("button.bare", { onclick: toggleSaved });
  const clear = h("button.bare", { title: "Clear the query", "aria-label": "Clear the query", onclick: () => { set(""); ask("", true); input.focus(); } }, "\u2715");
  const element = h("div.query", h("div.field", h("div.around", input, offered), save, clear), problem);
  let chosen = -1;
  const later = settled(PAUSE, () => ask(input.value.trim(), false));

  function set(text) { if (input.value !== text) input.value = text; buttons(); }

  function buttons() {
    const text = input.value.trim();
    const isSaved = kept(SAVED).includes(text);
    save.textContent = isSaved ? "\u2605" : "\u2606";
    save.title = isSaved ? "Forget this query" : "Keep this query";
    save.setAttribute("aria-label", save.title);
    save.disabled = text === "";
    clear.disabled = text === "";
  }

  function toggleSaved() {
    const text = input.value.trim();
    const saved = kept(SAVED);
    keep(SAVED, saved.includes(text) ? saved.filter((one) => one !== text) : [text, ...saved]);
    buttons();
  }

  // The word before the caret, which may be a name.
  function word() {
    const before = input.value.slice(0, input.selectionStart);
    const match = /`([^`]*)$|([\w./-]+)$/.exec(before);
    return match === null ? null : { text: match[1] ?? match[2], from: match.index, to: before.length };
  }

  function offers() {
    if (input.value.trim() === "") {
      const saved = kept(SAVED);
      return [...saved.map((text) => ({ text, note: "kept" })), ...kept(RECENT).filter((text) => !saved.includes(text)).map((text) => ({ text, note: "recent" }))];
    }
    const at = word();
    if (at === null || at.text.length < 2) return [];
    const lower = at.text.toLowerCase();
    const fits = names().filter((name) => name.toLowerCase().includes(lower) && name !== at.text);
    fits.sort((a, b) => a.toLowerCase().indexOf(lower) - b.toLowerCase().indexOf(lower) || a.length - b.length);
    return fits.map((name) => ({ text: name, note: "variable", at }));
  }

  function offer() {
    const list = document.activeElement === input ? offers().slice(0, OFFERED) : [];
    chosen = -1;
    fill(offered, list.map((one, index) => h("li", { role: "option", id: `offer-${index}`, onmousedown: (event) => { event.preventDefault(); take(one); } },
      h("span.cut", one.text), h("span.dim", one.note))));
    list.forEach((one, index) => { offered.children[index].taken = () => take(one); });
    hide(list.length === 0);
  }

  function hide(yes) {
    offered.hidden = yes;
    input.setAttribute("aria-expanded", String(!yes));
    input.removeAttribute("aria-activedescendant");
  }

  function take(one) {
    if (one.at === undefined) {
      set(one.text);
      finish();
      return;
    }
    const name = /^[A-Za-z_][\w./-]*$/.test(one.text) ? one.text : `\`${one.text}\``;
    input.setRangeText(`${name} `, one.at.from, one.at.to, "end");
    buttons();
    hide(true);
    later();
  }

  function choose(by) {
    if (offered.hidden) offer();
    const count = offered.children.length;
    if (count === 0) return;
    offered.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = (chosen + by + count + (chosen < 0 && by < 0 ? 1 : 0)) % count;
    offered.children[chosen].setAttribute("aria-selected", "true");
    offered.children[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `offer-${chosen}`);
  }

  function finish() {
    const text = input.value.trim();
    hide(true);
    if (text !== "") keep(RECENT, [text, ...kept(RECENT).filter((one) => one !== text)].slice(0, MOST_RECENT));
    ask(text, true);
  }

  input.addEventListener("input", () => { buttons(); offer(); later(); });
  input.addEventListener("focus", offer);
  input.addEventListener("blur", () => hide(true));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(event.key === "ArrowDown" ? 1 : -1); }
    else if ((event.key === "Enter" || event.key === "Tab") && !offered.hidden && chosen >= 0) { event.preventDefault(); offered.children[chosen].taken(); }
    else if (event.key === "Enter") finish();
  });
  buttons();

  return {
    element,
    set(text) { if (document.activeElement !== input) set(text); },
    clear() { set(""); },
    focus() { input.focus(); input.select(); },
    // Shows why a query was refused; null when it was not.
    problem(message) {
      problem.hidden = message === null;
      problem.textContent = message ?? "";
      input.setAttribute("aria-invalid", String(message !== null));
    },
  };
}
