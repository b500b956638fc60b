// The line of a metric within a cell of the table: asked for what is on the screen alone, and again once the metric has gone on.

import { ask } from "./charts-feed.js";
import { sparkline } from "./figure.js";
import { perFrame } from "./dom.js";

// The name of this way of writing a column, beside those of format.js.
export const LINE = "line";

const BUCKETS = 30;
const WIDTH = 100;
const HEIGHT = 24;

// `arrived` is called when there is more to draw than before. Gives a function that makes the content of a cell, as `cell` of
// runs-cells.js does; `last` is what the cell says without a line.
export function lines(arrived) {
  const known = new Map();
  const soon = perFrame(arrived);

  async function fetch_(line, experiment, path) {
    try {
      [line.overview] = await ask([{ experiment, path }], BUCKETS);
      line.version += 1;
      soon();
    } catch (error) { console.warn(error.message); }
  }

  return (id, path, last) => {
    const key = JSON.stringify([id, path]);
    if (last.text === "" || last.text === "\u2026") return last;
    const line = known.get(key) ?? { overview: null, version: 0, last: null };
    known.set(key, line);
    if (line.last !== last.title) { line.last = last.title; fetch_(line, id, path); }
    if (line.overview === null) return { ...last, text: "\u2026", content: () => "\u2026" };
    const { first_step: steps, minimum, maximum } = line.overview;
    return { text: `line ${key} ${line.version}`, title: last.title, content: () => sparkline(steps, minimum, maximum, WIDTH, HEIGHT) };
  };
}
