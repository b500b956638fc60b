// The charts of what one experiment logged.

import { charts } from "./charts.js";
import { fill, h } from "./dom.js";
import { snippet } from "./empty.js";

// What neptune logs by itself has tabs of its own.
const MEASURED = /^(monitoring|timing)\//;

export const show = (place, page) => chartsOf(place, page, (path) => !MEASURED.test(path),
  () => h("div.empty", h("h2", "No numbers were logged yet"), h("p", "Each series of numbers becomes a chart, by itself:"), snippet()));

// The charts of the series that `isWanted`, or `nothing()` as long as there are none.
export async function chartsOf(place, page, isWanted, nothing, settings = {}) {
  let view = null;
  function take({ variables }) {
    const has = variables.some(({ path, kind }) => kind === "Series(float)" && isWanted(path));
    if (has && view === null) {
      place.replaceChildren();
      view = charts(place, { experiments: [page.id], paths: isWanted, ...settings });
    } else if (view === null) fill(place, nothing());
  }
  take(await page.variables());
  return {
    async changed() { if (view === null) take(await page.latest()); },
    update() { view?.update(); },
    close() { view?.close(); },
  };
}
