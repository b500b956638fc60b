// What the processes of an experiment wrote to their terminals: both streams by time, followed while they write, or from one line
// on that the address names as `line`.

import { get } from "./api.js";
import { coloured } from "./ansi.js";
import { fill, h, settled } from "./dom.js";
import * as format from "./format.js";
import * as keys from "./keys.js";
import * as state from "./state.js";

// How many lines are asked for at once, and how many of such pages are kept.
const LINES = 200;
const PAGES = 20;
// How near to its end, in pixels, the console follows what comes.
const NEAR = 40;
// How near to its beginning, in pixels, it asks for what was before.
const AHEAD = 600;

export async function show(place, page) {
  const field = h("input", { type: "search", placeholder: "search the lines  (/)", "aria-label": "search the console", value: state.read("search", "") });
  const streams = h("span.parts", { role: "group", "aria-label": "Streams" });
  const wrap = h("button", { onclick: () => state.write({ wrap: state.read("wrap") === "no" ? null : "no" }) }, "wrap lines");
  const told = h("span.dim");
  const body = h("div.console", { tabindex: 0, role: "log", "aria-label": "Console", "aria-live": "off" });
  const follow = h("button.main.follow", { hidden: true, onclick: goToEnd }, "\u2193 follow");
  fill(place, h("div.tools.top", field, streams, wrap, h("span.space"), told), body, follow);

  let pages = [];
  let isFollowing = true;
  let turn = 0;
  let asked = "";
  let isLoading = false;
  // Whether the last line that is shown is the last that was printed.
  let isWhole = true;

  const wanted = () => ({ stream: state.read("stream"), search: state.read("search") });
  const line = () => (wanted().search ? null : state.read("line"));
  const ask = (cursor) => get(page.path("/console"), { ...wanted(), ...cursor, limit: LINES });
  const isAtEnd = () => body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
  function toEnd() { body.scrollTop = body.scrollHeight; follow.hidden = true; }
  function goToEnd() {
    if (line() !== null) { state.write({ line: null }); return; }
    isFollowing = true;
    toEnd();
  }

  async function start() {
    turn += 1;
    const own = turn;
    asked = JSON.stringify([wanted(), line()]);
    isFollowing = line() === null;
    isLoading = false;
    const first = await ask({ line: line() });
    if (own !== turn) return;
    isWhole = line() === null || first.lines.length < LINES;
    pages = [pageOf(first)];
    fill(body, pages[0].element);
    tell();
    if (isFollowing) toEnd();
    follow.hidden = isFollowing;
    await more();
    if (own === turn && !isFollowing) body.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
    if (own === turn && count() === 0) fill(body, nothing(wanted()));
  }

  function pageOf({ lines, before, after }) { return { count: lines.length, before, after, element: h("div.page", lines.map(rowOf)) }; }
  const rowOf = (one) => row(one, wanted().search, line());
  const count = () => pages.reduce((sum, { count }) => sum + count, 0);
  const hasMore = () => pages.length > 0 && pages[0].before !== null;

  function tell() {
    const all = count();
    told.textContent = all === 0 ? "" : `${hasMore() && isWhole ? "the last " : ""}${all} ${all === 1 ? "line" : "lines"}${wanted().search ? " that match" : ""}`;
  }

  // What came since.
  async function changed() {
    if (pages.length === 0 || !isWhole) return;
    const own = turn;
    for (;;) {
      const from = pages.at(-1).after;
      const answer = await ask({ after: from });
      if (own !== turn) return;
      if (answer.lines.length > 0) {
        addBelow(answer);
        if (isFollowing) toEnd();
        else follow.hidden = false;
      }
      pages.at(-1).after = answer.after;
      if (answer.lines.length < LINES && (answer.after === from || !wanted().search)) break;
    }
    tell();
  }

  function addBelow(answer) {
    const last = pages.at(-1);
    if (count() === 0) fill(body, pages.map(({ element }) => element));
    if (last.count + answer.lines.length <= LINES) {
      last.element.append(...answer.lines.map(rowOf));
      last.count += answer.lines.length;
      return;
    }
    const next = pageOf(answer);
    pages.push(next);
    body.append(next.element);
    if (isFollowing) while (pages.length > PAGES) pages.shift().element.remove();
  }

  // What was before, as far as it is seen: of a search an answer may have few lines or none, and yet there are more.
  async function more() {
    if (isLoading) return;
    isLoading = true;
    const own = turn;
    while (own === turn && hasMore() && body.scrollTop < AHEAD) {
      const answer = await ask({ before: pages[0].before }).catch(() => null);
      if (own !== turn) return;
      if (answer === null) break;
      const fromEnd = body.scrollHeight - body.scrollTop;
      if (answer.lines.length > 0) {
        pages.unshift(pageOf(answer));
        body.prepend(pages[0].element);
        body.scrollTop = body.scrollHeight - fromEnd;
      }
      pages[0].before = answer.before;
      tell();
    }
    isLoading = false;
  }

  // What is behind the lines that are shown, where they do not reach to the end.
  async function below() {
    if (isLoading || isWhole) return;
    isLoading = true;
    const own = turn;
    const answer = await ask({ after: pages.at(-1).after }).catch(() => null);
    if (own !== turn) return;
    isLoading = false;
    if (answer === null) return;
    addBelow(answer);
    pages.at(-1).after = answer.after;
    isWhole = answer.lines.length < LINES;
    tell();
  }

  body.addEventListener("scroll", () => {
    isFollowing = isWhole && isAtEnd();
    if (isFollowing) follow.hidden = true;
    if (body.scrollTop < AHEAD) more();
    if (body.scrollHeight - body.scrollTop - body.clientHeight < AHEAD) below();
  }, { passive: true });

  function showChoices() {
    const chosen = state.read("stream");
    fill(streams, [[null, "both"], ["stdout", "stdout"], ["stderr", "stderr"]].map(([stream, label]) => h("button", {
      "aria-pressed": String(chosen === stream), onclick: () => state.write({ stream }),
    }, label)));
    const isWrapped = state.read("wrap") !== "no";
    wrap.setAttribute("aria-pressed", String(isWrapped));
    body.dataset.wrap = isWrapped ? "yes" : "no";
  }

  const search = settled(150, () => state.write({ search: field.value === "" ? null : field.value, line: null }));
  field.addEventListener("input", search);
  const unbind = [keys.bind("/", "search", () => field.focus()), keys.bind("g", "go to the end and follow", goToEnd)];
  showChoices();
  await start();
  requestAnimationFrame(() => { if (isFollowing) toEnd(); else body.querySelector("[aria-current]")?.scrollIntoView({ block: "center" }); });
  return {
    changed,
    update() {
      showChoices();
      if (document.activeElement !== field) field.value = state.read("search", "");
      if (JSON.stringify([wanted(), line()]) !== asked) start();
    },
    close() { turn += 1; for (const end of unbind) end(); },
  };
}

// A line; one that a search found leads to the lines around it.
function row({ process, stream, number, time, text }, search, current) {
  const name = `${process}/${stream}/${number}`;
  const title = `${format.utc(time)}, process ${process}`;
  const at = format.time(time).slice(11);
  return h("div.row", { "data-stream": stream, "aria-current": name === current ? "true" : null },
    search ? h("a", { href: around(name), title: `${title}\nshows the lines around it` }, at) : h("span", { title }, at),
    h("span", stream), h("pre", coloured(text, (piece) => marked(piece, search))));
}

function around(name) {
  const query = new URLSearchParams(location.search);
  query.delete("search");
  query.set("line", name);
  return `${location.pathname}?${query}`;
}

// The text with what was searched for marked.
function marked(text, search) {
  if (!search) return text;
  const [low, wanted] = [text.toLowerCase(), search.toLowerCase()];
  const pieces = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    pieces.push(text.slice(from, at), h("mark", text.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

function nothing({ search, stream }) {
  if (search) return h("div.empty", h("h2", "No line has this in it"), h("p", "The search looks for the text as it is, in capitals or not."));
  return h("div.empty", h("h2", `Nothing was written${stream ? ` to ${stream}` : ""} yet`),
    h("p", "On Linux what the program prints appears here by itself, unless without_console or NEPTUNE_CONSOLE=off say otherwise:"),
    h("pre", "let experiment = session.experiment().start()?;\nprintln!(\"epoch 1\");"));
}
