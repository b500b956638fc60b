// What the mouse and the keyboard do in a chart.

import * as cursors from "./chart-cursor.js";
import { nearest } from "./chart-data.js";

// How far the mouse moves before it is no click.
const DRAG = 4;

// Listens to a chart; returns what ends that.
export function steer(chart) {
  const { plot } = chart;
  const listeners = { pointerdown, pointermove, pointerup, pointercancel, pointerleave, dblclick, keydown, blur };
  for (const [name, listener] of Object.entries(listeners)) plot.addEventListener(name, listener);
  let drag = null;

  function placeOf(event) {
    const box = plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function pointerdown(event) {
    if (event.button !== 0 || chart.picture === null || event.pointerType === "touch") return;
    drag = { from: placeOf(event), isHigh: event.shiftKey, isMoved: false };
    plot.setPointerCapture(event.pointerId);
  }

  function pointermove(event) {
    if (chart.picture === null) return;
    const at = placeOf(event);
    if (drag !== null) {
      drag.isMoved ||= Math.abs(drag.isHigh ? at.y - drag.from.y : at.x - drag.from.x) > DRAG;
      if (drag.isMoved) { select(at); return; }
    }
    const { scaleX, plot: inside } = chart.picture;
    const isInside = at.x >= inside.left - 4 && at.x <= inside.right + 4 && at.y <= inside.bottom + 4;
    if (isInside) cursors.move(chart, snapped(scaleX.value(at.x)), at.y, { x: event.clientX, y: event.clientY });
    else cursors.leaveAt(chart);
  }

  function select(at) {
    const { plot: inside } = chart.picture;
    const within = (value, least, greatest) => Math.min(greatest, Math.max(least, value));
    const [x0, x1] = [drag.from.x, at.x].map((x) => within(x, inside.left, inside.right)).sort((one, other) => one - other);
    const [y0, y1] = [drag.from.y, at.y].map((y) => within(y, inside.top, inside.bottom)).sort((one, other) => one - other);
    chart.selection = drag.isHigh ? { left: inside.left, top: y0, width: inside.width, height: y1 - y0 } : { left: x0, top: inside.top, width: x1 - x0, height: inside.height };
    chart.drawCursor();
  }

  function pointerup() {
    const done = drag;
    drag = null;
    const area = chart.selection;
    chart.selection = null;
    if (done === null) return;
    if (!done.isMoved || area === null) { cursors.freeze(); return; }
    const { scaleX, scaleY } = chart.picture;
    if (done.isHigh) chart.zoom(chart.options.zoom.x, [scaleY.value(area.top + area.height), scaleY.value(area.top)]);
    else chart.zoom([scaleX.value(area.left), scaleX.value(area.left + area.width)]);
  }

  function pointercancel() {
    drag = null;
    chart.selection = null;
    chart.drawCursor();
  }

  function pointerleave() { if (drag === null) cursors.leaveAt(chart); }
  function blur() { cursors.leaveAt(chart); }
  function dblclick() { cursors.freeze(false); chart.zoom(null, null); }

  // Where the mouse is between points, the cursor is on the nearest.
  function snapped(x) {
    const stops = chart.stops();
    return stops.length === 0 ? x : stops[nearest(stops, x)];
  }

  function step(by) {
    const stops = chart.stops();
    if (stops.length === 0) return;
    const isHere = cursors.cursor.x !== null && cursors.cursor.source === chart;
    const now = isHere ? nearest(stops, cursors.cursor.x) + by : by > 0 ? 0 : stops.length - 1;
    show(stops[Math.min(stops.length - 1, Math.max(0, now))]);
  }

  function end(which) {
    const stops = chart.stops();
    if (stops.length > 0) show(stops[which === "first" ? 0 : stops.length - 1]);
  }

  function show(x) {
    const { scaleX, plot: inside } = chart.picture;
    const box = plot.getBoundingClientRect();
    const isFrozen = cursors.cursor.isFrozen;
    cursors.freeze(false);
    cursors.move(chart, x, inside.top, { x: box.left + scaleX.at(x), y: box.top + inside.top });
    if (isFrozen) cursors.freeze(true);
    const rows = chart.valuesAt(x, inside.top).slice(0, 5);
    chart.spoken.textContent = `${chart.textOf(x)}: ${rows.map(({ label, shown }) => `${label} ${shown}`).join(", ")}`;
  }

  function scaled(factor) {
    const { scaleX } = chart.picture;
    const middle = cursors.cursor.source === chart ? cursors.cursor.x : (scaleX.least + scaleX.greatest) / 2;
    chart.zoom([middle - (middle - scaleX.least) * factor, middle + (scaleX.greatest - middle) * factor]);
  }

  const keys = {
    ArrowLeft: (event) => step(event.shiftKey ? -10 : -1), ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
    Home: () => end("first"), End: () => end("last"), Enter: () => cursors.freeze(), " ": () => cursors.freeze(),
    s: cursors.nextOrder, "+": () => scaled(0.5), "=": () => scaled(0.5), "-": () => scaled(2), 0: () => chart.zoom(null, null),
  };

  function keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || chart.picture === null) return;
    const work = keys[event.key];
    if (work === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    work(event);
  }

  return () => { for (const [name, listener] of Object.entries(listeners)) plot.removeEventListener(name, listener); };
}
