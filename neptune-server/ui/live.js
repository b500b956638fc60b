// Changes of the store, as they happen: at most four times a second, and not while nobody looks.

const EVERY = 250;
const listeners = new Set();
const watchers = new Set();
let source = null;
let waiting = 0;
// What changed before it was listened is not told, so whoever begins to listen looks again.
let missed = true;
let state = "off";
let paused = false;

// Calls `work` after each change; returns what ends that. `work` may return a promise, which is waited for before the next call.
export function onChange(work) {
  const listener = { work, busy: false, again: false };
  listeners.add(listener);
  look();
  return () => { listeners.delete(listener); look(); };
}

// Calls `work` with `live`, `paused`, `lost` or `off`, now and when it changes.
export function onState(work) { watchers.add(work); work(state); }

export function pause(yes) { paused = yes; look(); if (!yes) changed(); }

function tell(now) {
  if (now === state) return;
  state = now;
  for (const watcher of watchers) watcher(state);
}

function look() {
  const wanted = listeners.size > 0 && !paused && document.visibilityState === "visible";
  if (wanted && source === null) {
    source = new EventSource("/api/v1/live");
    source.onopen = () => { tell("live"); if (missed) { missed = false; changed(); } };
    source.onerror = () => { missed = true; tell("lost"); };
    source.addEventListener("change", changed);
  } else if (!wanted && source !== null) {
    source.close();
    source = null;
    missed = true;
  }
  if (!wanted) tell(paused ? "paused" : "off");
}

function changed() {
  if (waiting !== 0) return;
  waiting = setTimeout(() => { waiting = 0; for (const listener of listeners) run(listener); }, EVERY);
}

async function run(listener) {
  if (listener.busy) { listener.again = true; return; }
  listener.busy = true;
  try { await listener.work(); } catch (error) { console.warn(error.message); }
  listener.busy = false;
  if (listener.again) { listener.again = false; changed(); }
}

document.addEventListener("visibilitychange", look);
