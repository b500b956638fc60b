// The spans of one step that was kept whole, as bars over its time: one lane for each thread and depth.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { svg } from "./figure.js";
import * as format from "./format.js";
import { styleAt } from "./palette.js";
import * as state from "./state.js";

const PREFIX = "monitoring/steps/";
const LANE = 20;
const WIDTH = 1000;
// How many of the last steps can be chosen.
const TAIL = 200;

export function gantt(place, page) {
  let known = null;
  let steps = [];

  async function look({ variables }) {
    const kept = variables.filter(({ path, series }) => series && path.startsWith(PREFIX));
    place.hidden = kept.length === 0;
    const now = JSON.stringify(kept.map(({ path, series }) => [path, series.count, series.last_time]));
    if (kept.length === 0 || now === known) return;
    known = now;
    const answers = await Promise.all(kept.map(({ path }) => get(page.path("/points"), { path, tail: TAIL })));
    steps = answers.flatMap((answer, at) => answer.values.map((text, place) => stepOf(kept[at].path, answer.steps[place], text))).filter((step) => step !== null);
    draw();
  }

  const name = ({ path, step }) => `${path.slice(PREFIX.length)}@${step}`;
  function draw() {
    if (steps.length === 0) return;
    const slowest = steps.reduce((most, step) => (step.seconds > most.seconds ? step : most));
    const chosen = steps.find((step) => name(step) === state.read("kept")) ?? slowest;
    const choice = h("select", { "aria-label": "step", onchange: () => state.write({ kept: choice.value === name(slowest) ? null : choice.value }) },
      steps.map((step) => h("option", { value: name(step), selected: step === chosen }, `${step.path.slice(PREFIX.length)} ${format.value(step.step)}: ${format.duration(step.seconds)}${step === slowest ? " (the slowest)" : ""}`)));
    fill(place, h("div.title", h("h2", "One step in time"), choice), h("p.dim", "The slowest step of each minute is kept, and every thousandth.",
      chosen.isWhole ? "" : " Of this one not all spans were kept."), bars(chosen));
  }
  return { look, update: draw };
}

// A step as it was kept: a document that other programs draw too. Null when it is none.
function stepOf(path, step, text) {
  try {
    const { otherData, traceEvents } = JSON.parse(text);
    const threads = new Map(traceEvents.filter(({ ph }) => ph === "M").map(({ tid, args }) => [tid, args.name]));
    const spans = traceEvents.filter(({ ph, ts, dur }) => ph === "X" && Number.isFinite(ts) && Number.isFinite(dur));
    return { path, step, seconds: otherData.seconds, isWhole: otherData.isWhole, threads, spans };
  } catch { return null; }
}

// Each span below the one that it lies within.
function lanesOf(spans) {
  const open = [];
  return [...spans].sort((one, other) => one.ts - other.ts || other.dur - one.dur).map((span) => {
    let depth = 0;
    while (open[depth] !== undefined && open[depth] > span.ts + span.dur * 1e-6) depth += 1;
    open.length = depth;
    open.push(span.ts + span.dur);
    return { span, depth };
  });
}

function bars({ spans, threads }) {
  const [from, until] = [Math.min(...spans.map(({ ts }) => ts)), Math.max(...spans.map(({ ts, dur }) => ts + dur))];
  const names = [...new Set(spans.map(({ cat }) => cat))];
  const x = (micros) => ((micros - from) / Math.max(1e-9, until - from)) * WIDTH;
  return [...new Set(spans.map(({ tid }) => tid))].map((tid) => {
    const lanes = lanesOf(spans.filter((span) => span.tid === tid));
    const tall = LANE * (1 + Math.max(...lanes.map(({ depth }) => depth)));
    const drawn = svg("svg", { class: "gantt", viewBox: `0 0 ${WIDTH} ${tall}`, height: tall, preserveAspectRatio: "none", role: "img", "aria-label": `spans of thread ${threads.get(tid) ?? tid}` },
      ...lanes.map(({ span, depth }) => bar(span, depth, x, names.indexOf(span.cat))));
    return h("div.thread", h("h3", threads.get(tid) ?? `thread ${tid}`), h("div.lanes", drawn, lanes.filter(({ span }) => x(span.ts + span.dur) - x(span.ts) > 60).map(({ span, depth }) => label(span, depth, x))));
  });
}

function bar(span, depth, x, color) {
  const drawn = svg("rect", { x: x(span.ts).toFixed(3), y: depth * LANE, width: Math.max(0.4, x(span.ts + span.dur) - x(span.ts)).toFixed(3), height: LANE - 2, fill: styleAt(color).color, "fill-opacity": 0.4 });
  drawn.append(svg("title", {}, `${span.cat ?? span.name}\n${format.duration(span.dur / 1e6)}, ${format.duration(span.ts / 1e6)} after its beginning`));
  return drawn;
}

// A name over its bar: text in the drawing itself would be stretched with it.
function label(span, depth, x) {
  const percent = (value) => `${value / WIDTH * 100}%`;
  return h("span.cut", { style: { left: percent(x(span.ts)), width: percent(x(span.ts + span.dur) - x(span.ts)), top: `${depth * LANE}px` } }, span.name);
}
