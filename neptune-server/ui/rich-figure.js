// A figure of plotly that was logged as JSON: drawn in a frame that reaches neither this page nor anything else.

import { textAt } from "./api.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import { isDark } from "./palette.js";

// The largest figure that is drawn, in bytes.
const MOST = 20 * 2 ** 20;
const LEAST_HEIGHT = 120;
const MOST_HEIGHT = 4000;
// How much of what the frame tells is shown.
const MOST_TEXT = 400;

export const isRichFigure = (name) => /\.plotly\.json$/i.test(name);

// Shows the figure of `size` bytes at `url`; `close` ends what belongs to it.
export function richFigure({ url, name, size }) {
  if (size > MOST) return { element: h("p.dim", `Figures of more than ${format.bytes(MOST)} are not drawn: download it.`), close() {} };
  const told = h("p.dim", { role: "status" }, "it is being drawn\u2026");
  const frame = h("iframe", { sandbox: "allow-scripts", src: "/ui/drawing.html", title: `the figure ${name}` });
  const element = h("div.rich-figure", told, frame);
  const ended = new AbortController();
  const { signal } = ended;
  let refused = "";
  const loaded = textAt(url, signal);
  // Whoever waits for it says what went wrong.
  loaded.catch(() => {});

  const send = (message) => frame.contentWindow?.postMessage({ ...message, theme: theme() }, "*");
  function say(text, kind) {
    told.textContent = text.slice(0, MOST_TEXT);
    told.className = kind;
    told.hidden = text === "";
  }
  function wrong(message) {
    say(`This figure cannot be drawn: ${message}\n${refused}`.trim(), "error");
    frame.hidden = true;
  }
  async function start() {
    try { send({ text: await loaded }); } catch (error) { if (!signal.aborted) wrong(error.message); }
  }

  // The frame runs what may be hostile: of what it tells only texts are shown.
  function heard({ source, data }) {
    if (source !== frame.contentWindow || typeof data?.state !== "string") return;
    const message = String(data.message);
    if (data.state === "ready") start();
    if (data.state === "wrong") wrong(message);
    if (data.state === "refused") { refused = `What it asks for from elsewhere is not loaded: ${message}`; say(refused, "dim"); }
    if (data.state !== "drawn") return;
    say(refused, "dim");
    frame.style.height = `${Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, Number(data.height) || 0))}px`;
    frame.dataset.drawn = "yes";
  }
  addEventListener("message", heard, { signal });
  addEventListener("themechange", () => send({}), { signal });
  return { element, close() { ended.abort(); } };
}

function theme() {
  const of = getComputedStyle(document.documentElement);
  const color = (name) => of.getPropertyValue(name).trim();
  return { isDark: isDark(), ground: color("--ground"), line: color("--line"), text: color("--text") };
}
