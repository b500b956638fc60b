// Asks for the overviews of many charts in few requests.

import { post } from "./api.js";

// Series in a request: a few requests at once keep the server's processors busy, and the first charts need not wait for the last.
const SERIES = 50;
const AT_ONCE = 4;

const waiting = [];
// What waits, by what it asks for.
const byKey = new Map();
let timer = 0;
let running = 0;

// The overviews of some series, each `{ experiment, path, from, to }`, in at most `buckets` pieces each. What is asked within one
// turn of the page goes in the same requests, and what several ask for goes once.
export function ask(series, buckets) {
  const asked = { left: series.length, found: new Array(series.length) };
  return new Promise((done, fail) => {
    if (series.length === 0) { done([]); return; }
    series.forEach((one, place) => want(one, buckets, fail, (overview) => {
      asked.found[place] = overview;
      asked.left -= 1;
      if (asked.left === 0) done(asked.found);
    }));
    if (timer === 0) timer = setTimeout(() => { timer = 0; next(); }, 0);
  });
}

function want(one, buckets, fail, done) {
  const key = JSON.stringify([one, buckets]);
  const same = byKey.get(key);
  if (same !== undefined) { same.listeners.push({ fail, done }); return; }
  const entry = { key, one, buckets, listeners: [{ fail, done }] };
  byKey.set(key, entry);
  waiting.push(entry);
}

function next() {
  while (running < AT_ONCE && waiting.length > 0) {
    const { buckets } = waiting[0];
    const batch = [];
    for (let at = 0; at < waiting.length && batch.length < SERIES;) {
      if (waiting[at].buckets === buckets) batch.push(...waiting.splice(at, 1)); else at += 1;
    }
    for (const { key } of batch) byKey.delete(key);
    running += 1;
    send(batch, buckets).finally(() => { running -= 1; next(); });
  }
}

async function send(batch, buckets) {
  try {
    const { series } = await post("/overviews", { series: batch.map(({ one }) => one), buckets });
    batch.forEach(({ listeners }, place) => { for (const { done } of listeners) done(series[place]); });
  } catch (error) {
    for (const { listeners } of batch) for (const { fail } of listeners) fail(error);
  }
}
