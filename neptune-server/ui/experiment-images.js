// The images and histograms of an experiment in a grid, all at one step.

import { address, get } from "./api.js";
import { fill, h, settled } from "./dom.js";
import { enlarge } from "./enlarge.js";
import { histogram } from "./figure.js";
import * as format from "./format.js";
import { keyed, whenChanged, write } from "./keyed.js";
import * as keys from "./keys.js";
import { aboutHistogram, histogramOf, imageOf, sides } from "./media.js";
import * as state from "./state.js";

// How many series are shown; a search finds the others.
const MOST = 60;
// Images of so few pixels are drawn with their pixels as squares.
const SMALL = 160;
const SIDES = { small: 150, medium: 240, large: 420 };

export async function show(place, page) {
  const field = h("input", { type: "search", placeholder: "search series  (/)", "aria-label": "search series", value: state.read("search", "") });
  const range = h("input", { type: "range", "aria-label": "step", min: 0, max: 0, step: 1 });
  const told = h("output");
  const size = h("select", { "aria-label": "size", onchange: () => state.write({ size: size.value === "medium" ? null : size.value }) }, Object.keys(SIDES).map((name) => h("option", { value: name }, name)));
  const last = h("button", { title: "Follow the last step (Home)", onclick: () => state.write({ step: null }) }, "last");
  const counted = h("span.dim");
  const grid = h("div.images", { tabindex: -1 });
  const top = h("div.tools.top", field, h("label.slider", "step", h("button", { "aria-label": "step before (left)", onclick: () => move(-1) }, "\u2039"), range, h("button", { "aria-label": "next step (right)", onclick: () => move(1) }, "\u203a"), told), last, size, counted);
  fill(place, top, grid);

  let series = [];
  let steps = [];
  let larger = null;
  // The points of each series that is shown: their steps and documents.
  const points = new Map();

  const chosenStep = () => { const text = state.read("step"); return text === null ? steps.at(-1) ?? 0 : Number(text); };

  function move(by) {
    if (steps.length === 0) return;
    const at = steps.findLastIndex((step) => step <= chosenStep());
    choose(Math.max(0, Math.min(steps.length - 1, at + by)));
  }

  function choose(at) { state.write({ step: at >= steps.length - 1 ? null : steps[at] }); }

  range.addEventListener("input", () => choose(Number(range.value)));

  async function take({ variables }) {
    const media = variables.filter(({ kind, series }) => series && (kind === "Series(image)" || kind === "Series(histogram)"));
    const wanted = field.value.trim().toLowerCase();
    series = media.filter(({ path }) => path.toLowerCase().includes(wanted));
    counted.textContent = series.length > MOST ? `the first ${MOST} of ${series.length} series: search for others` : "";
    await Promise.all(series.slice(0, MOST).map(fetchPoints));
    steps = [...new Set(series.slice(0, MOST).flatMap(({ path }) => points.get(path)?.steps ?? []))].sort((left, right) => left - right);
    top.hidden = media.length === 0;
    whenChanged(grid, media.length === 0, () => { grid.keyed = undefined; grid.replaceChildren(); if (media.length === 0) fill(grid, nothing()); });
    if (media.length > 0) showAll();
  }

  async function fetchPoints({ path, series }) {
    const known = points.get(path);
    const now = JSON.stringify([series.count, series.last_step, series.last_time]);
    if (known?.told === now) return;
    const isLonger = known !== undefined && series.count > known.steps.length && series.last_step > known.steps.at(-1) && series.first_step === known.steps[0];
    const answer = await get(page.path("/points"), isLonger ? { path, from: known.steps.at(-1) } : { path });
    const kept = isLonger ? known.steps.length - 1 : 0;
    points.set(path, { told: now, steps: [...(known?.steps.slice(0, kept) ?? []), ...answer.steps], values: [...(known?.values.slice(0, kept) ?? []), ...answer.values], times: [...(known?.times.slice(0, kept) ?? []), ...answer.times] });
  }

  // Of a series the point at the chosen step, or the last before it.
  function pointOf(path) {
    const all = points.get(path);
    const at = all?.steps.findLastIndex((step) => step <= chosenStep()) ?? -1;
    return at < 0 ? null : { step: all.steps[at], text: all.values[at], time: all.times[at] };
  }

  function showAll() {
    const at = steps.findLastIndex((step) => step <= chosenStep());
    range.max = String(Math.max(0, steps.length - 1));
    range.value = String(Math.max(0, at));
    range.ariaValueText = `step ${steps[at] ?? ""}`;
    write(told, steps.length === 0 ? "" : `${format.value(steps[at] ?? steps[0])} (${at + 1} of ${steps.length})`);
    last.setAttribute("aria-pressed", String(state.read("step") === null));
    size.value = SIDES[state.read("size")] === undefined ? "medium" : state.read("size");
    grid.style.setProperty("--side", `${SIDES[size.value]}px`);
    keyed(grid, series.slice(0, MOST), ({ path }) => path, makeCard, updateCard);
    larger?.show(pointOf(larger.path));
  }

  function makeCard({ path, kind }) {
    const name = path.startsWith("logs/") ? path.slice(5) : path;
    return h("figure", { "data-kind": kind }, h("button.frame", { "aria-label": `enlarge ${name}`, onclick: () => open(path, kind) }),
      h("figcaption", h("div", { title: path }, h("b", name)), h("div.dim"), h("div.about")));
  }

  function updateCard(card, { path, kind }) {
    const point = pointOf(path);
    const [frame, caption] = card.children;
    whenChanged(card, point, () => {
      const drawn = picture(page, path, kind, point);
      if (drawn.nodeName === "IMG" && frame.firstChild?.nodeName === "IMG") { frame.firstChild.src = drawn.src; frame.firstChild.alt = drawn.alt; frame.firstChild.className = drawn.className; } else fill(frame, drawn);
      const [detail, about] = describe(kind, point);
      write(caption.children[1], point === null ? "nothing up to this step" : `step ${format.value(point.step)}  ${detail}`, point === null ? "" : `${format.utc(point.time)}  ${detail}`);
      write(caption.children[2], about, about);
    });
  }

  function open(path, kind) {
    larger = { path, ...enlarge(path, (point) => [picture(page, path, kind, point), describe(kind, point)], () => { larger = null; }) };
    larger.show(pointOf(path));
  }

  const search = settled(150, () => state.write({ search: field.value === "" ? null : field.value }));
  field.addEventListener("input", search);
  let searched = state.read("search", "");
  const unbind = [
    keys.bind("arrowleft", "step before", () => move(-1)), keys.bind("arrowright", "next step", () => move(1)),
    keys.bind("home", "follow the last step", () => state.write({ step: null })), keys.bind("/", "search", () => field.focus()),
  ];
  await take(await page.variables());
  return {
    changed: async () => take(await page.latest()),
    async update() {
      if (document.activeElement !== field) field.value = state.read("search", "");
      if (searched !== state.read("search", "")) { searched = state.read("search", ""); await take(await page.variables()); } else if (series.length > 0) showAll();
    },
    close() { larger?.close(); for (const end of unbind) end(); },
  };
}

// An image or a histogram as an element. An image is the browser's own business: what is in it cannot run.
function picture(page, path, kind, point) {
  if (point === null) return h("span.dim", "\u2013");
  if (kind === "Series(histogram)") {
    const read = histogramOf(point.text);
    return read === null ? h("span.dim", "it cannot be read") : histogram(read, (low, high, count) => `${format.number(low)} to ${format.number(high)}: ${count}`);
  }
  const image = imageOf(point.text);
  if (image === null) return h("span.dim", "it cannot be read");
  if (!image.object) return h("span.dim", "its bytes were not kept");
  const isSmall = image.width > 0 && image.width <= SMALL;
  return h(isSmall ? "img.small" : "img", { src: address(page.path("/file"), { path, step: point.step }), alt: image.name ?? path, decoding: "async" });
}

// What is said of it on one line, and what its author said.
function describe(kind, point) {
  if (point === null) return ["", ""];
  if (kind === "Series(histogram)") { const read = histogramOf(point.text); return [read === null ? "" : aboutHistogram(read), ""]; }
  const image = imageOf(point.text);
  if (image === null) return ["", ""];
  return [[image.format, sides(image), format.bytes(image.size)].filter(Boolean).join("  "), [image.name, image.description].filter(Boolean).join("\n")];
}

function nothing() {
  return h("div.empty", h("h2", "No images were logged yet"), h("p", "Images and histograms appear here by themselves:"),
    h("pre", `use neptune_core::{Histogram, Image, PixelRange};

let digit = vec![0.5_f32; 28 * 28];
let image = Image::from_f32(&digit, 28, 28, 1, PixelRange::Unit)?;
experiment.log_image("wrong", image.name("a 4, read as a 9"));
experiment.log_histogram("weights", &Histogram::of(weights, 40));`));
}
