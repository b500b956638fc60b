// An experiment that is followed while it changes: what it is, and all its variables, asked for only when they may be others.

import { experimentPath, get } from "./api.js";

// How much longer nothing is asked than an answer took: great experiments are asked for less often.
const REST = 4;

export async function followed(asked) {
  const first = await get(experimentPath(asked));
  const watchers = new Set();
  let known = null;
  let isStale = false;
  let tookUntil = 0;
  let text = JSON.stringify(first);

  const page = {
    id: first.id,
    experiment: first,
    // The path of something of the experiment in the API.
    path: (rest = "") => experimentPath(first.id, rest),
    // Asks for the experiment again. What has ended and is as it was has no new variables either.
    async refresh() {
      page.experiment = await get(page.path());
      const now = JSON.stringify(page.experiment);
      isStale ||= page.experiment.state === "running" || now !== text;
      text = now;
    },
    // After an action of this page: asks again and tells the header.
    async act(work) {
      await work();
      await page.refresh();
      isStale = true;
      for (const watcher of watchers) watcher();
    },
    onRefresh(work) { watchers.add(work); },
    // The variables by path, `{ variables, total }`; those that are known already, if any are.
    variables: () => (known === null ? fetchAll() : known),
    // The variables of now.
    async latest() {
      if (known === null || isStale) {
        await new Promise((done) => setTimeout(done, Math.max(0, tookUntil - performance.now())));
        return fetchAll();
      }
      return known;
    },
  };

  function fetchAll() {
    isStale = false;
    const began = performance.now();
    const before = known;
    known = get(page.path("/variables")).then((answer) => {
      tookUntil = performance.now() + REST * (performance.now() - began);
      return answer;
    });
    known.catch(() => { known = before; });
    return known;
  }
  return page;
}
