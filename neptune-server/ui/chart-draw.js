// Draws the picture of a chart with a pen: a canvas, or what writes SVG (chart-svg.js). Both have the same calls.

import { around, firstFrom, inside, isWithin } from "./chart-data.js";

export const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

// The size of a mark on the edge for what has no place in the picture.
const MARK = 5;

// How much of its colour a band has, and the raw line behind a smoothed one.
const BAND = 0.18;
const FAINT = 0.3;

// More lines than this are drawn as thinly as can be: browsers without a graphics processor take thirty times as long for a line
// that is wider than a pixel, as it is an area to them.
const CROWD = 12;

// Of more lines than this two columns of pixels are one: each is hidden by the others anyway, and its spikes are still there.
const MASS = 48;

// A line, at most four points for each column of pixels: its first, least, greatest and last there. More would not be seen; among
// many lines not even the first and the last are.
function trace(pen, { x, y }, picture, isFolded = false) {
  const { scaleX, scaleY, plot, density } = picture;
  const isCrowd = picture.lines.length > CROWD;
  const { factor, offset } = scaleX;
  const columns = picture.lines.length > MASS ? density / 2 : density;
  const grain = factor * columns, shift = offset * columns;
  const [from, end] = around(x, scaleX.least, scaleX.greatest, isFolded);
  const at = scaleY.isLog ? (value) => (value > 0 ? scaleY.at(value) : plot.bottom + 2 * plot.height) : scaleY.at;
  let isOpen = false, column = NaN, place = 0, first = 0, least = 0, greatest = 0, last = 0, isRising = true;
  const flush = () => {
    if (column !== column) return;
    const one = isRising ? least : greatest, other = isRising ? greatest : least;
    const start = at(isCrowd ? one : first);
    if (isOpen) pen.lineTo(place, start); else pen.moveTo(place, start);
    isOpen = true;
    if (least !== greatest) {
      if (one !== first && !isCrowd) pen.lineTo(place, at(one));
      if (other !== last || isCrowd) pen.lineTo(place, at(other));
      if (!isCrowd) pen.lineTo(place, at(last));
    }
    column = NaN;
  };
  pen.beginPath();
  for (let index = from; index < end; index += 1) {
    const value = y[index];
    if (value !== value) { flush(); isOpen = false; continue; }
    const inColumn = Math.floor(x[index] * grain + shift);
    if (inColumn !== column) {
      flush();
      column = inColumn;
      place = x[index] * factor + offset;
      first = least = greatest = last = value;
      isRising = true;
      continue;
    }
    last = value;
    if (value < least) { least = value; isRising = false; }
    if (value > greatest) { greatest = value; isRising = true; }
  }
  flush();
  pen.stroke();
}

// Points that have no neighbour to be joined with, as dots.
function dots(pen, { x, y }, { scaleX, scaleY }, isFolded) {
  const [from, end] = around(x, scaleX.least, scaleX.greatest, isFolded);
  for (let at = from; at < end; at += 1) {
    if (x[at] < scaleX.least || x[at] > scaleX.greatest || y[at] !== y[at] || (scaleY.isLog && y[at] <= 0)) continue;
    pen.beginPath();
    pen.arc(scaleX.at(x[at]), scaleY.at(y[at]), 2, 0, 2 * Math.PI);
    pen.fill();
  }
}

// The band from the least to the greatest of each column.
function band(pen, { data, axis }, { scaleX, scaleY, plot }) {
  const at = scaleY.isLog ? (value) => (value > 0 ? scaleY.at(value) : plot.bottom) : scaleY.at;
  const upper = [], lower = [];
  let column = NaN, low = 0, high = 0;
  const flush = () => {
    if (column === column) { upper.push(column, at(high)); lower.push(column, at(low)); }
    column = NaN;
  };
  const fill = () => {
    flush();
    if (upper.length >= 4) {
      pen.beginPath();
      pen.moveTo(upper[0], upper[1]);
      for (let place = 2; place < upper.length; place += 2) pen.lineTo(upper[place], upper[place + 1]);
      for (let place = lower.length - 2; place >= 0; place -= 2) pen.lineTo(lower[place], lower[place + 1]);
      pen.closePath();
      pen.fill();
    }
    upper.length = lower.length = 0;
  };
  const [from, end] = around(axis.x, scaleX.least, scaleX.greatest, axis.isFolded);
  for (let index = from; index < end; index += 1) {
    const least = data.minimum[index], greatest = data.maximum[index];
    if (least !== least) { fill(); continue; }
    const inColumn = Math.round(scaleX.at(axis.x[index]));
    if (inColumn !== column) { flush(); column = inColumn; low = least; high = greatest; }
    else { if (least < low) low = least; if (greatest > high) high = greatest; }
  }
  fill();
}

// Marks on the edge for points that have no place in the picture: infinite ones at the end where they would be, as are those not
// above zero on a logarithmic axis, and NaN below, as a cross.
function marks(pen, { data, axis, hasLost }, { scaleX, scaleY, plot }) {
  if (!hasLost && !scaleY.isLog) return;
  const last = { up: -Infinity, down: -Infinity, cross: -Infinity };
  const [from, end] = inside(axis, scaleX.least, scaleX.greatest);
  for (let index = from; index < end; index += 1) {
    const isBelow = scaleY.isLog && data.minimum[index] <= 0;
    const odd = data.nonfinite[index];
    if ((odd === 0 && !isBelow) || (axis.isFolded && !isWithin(axis, index, scaleX.least, scaleX.greatest))) continue;
    const place = Math.min(plot.right, Math.max(plot.left, scaleX.at(axis.x[index])));
    const isDue = (kind) => { const isFar = Math.abs(place - last[kind]) >= 2; if (isFar) last[kind] = place; return isFar; };
    const isDown = isBelow || data.negative[index] > 0;
    if (data.positive[index] > 0 && isDue("up")) triangle(pen, place, plot.top + 2 * MARK, plot.top + 1);
    if (isDown && isDue("down")) triangle(pen, place, plot.bottom - 2 * MARK, plot.bottom - 1);
    if (odd > data.positive[index] + data.negative[index] && isDue("cross")) cross(pen, place, plot.bottom - (isDown ? 4 : 2) * MARK);
  }
}

function triangle(pen, place, base, tip) {
  pen.beginPath();
  pen.moveTo(place - MARK, base); pen.lineTo(place + MARK, base); pen.lineTo(place, tip);
  pen.closePath();
  pen.fill();
}

function cross(pen, place, top) {
  const reach = MARK - 1;
  pen.beginPath();
  pen.moveTo(place - reach, top); pen.lineTo(place + reach, top + 2 * reach);
  pen.moveTo(place + reach, top); pen.lineTo(place - reach, top + 2 * reach);
  pen.stroke();
}

// A line of the picture: how it is drawn depends on what the chart shows.
export function line(pen, one, picture, isLit = false) {
  const { scaleX, plot, density, lines } = picture;
  const isCrowd = lines.length > CROWD;
  const { hasBand, axis: { isFolded } } = one;
  // An average is that of the end of a bucket.
  const drawn = one.smooth !== null ? { x: one.axis.right, y: one.smooth } : hasBand ? { x: one.axis.x, y: one.data.mean } : one.extremes;
  const seen = (x) => (isFolded ? x.length : firstFrom(x, scaleX.greatest) - firstFrom(x, scaleX.least));
  const hair = 1 / density;
  pen.strokeStyle = pen.fillStyle = one.style.color;
  pen.setLineDash([]);
  if (hasBand && !isCrowd) {
    pen.globalAlpha = BAND;
    band(pen, one, picture);
  } else if (drawn !== one.extremes && !isLit) {
    pen.globalAlpha = FAINT;
    pen.lineWidth = isCrowd || seen(one.extremes.x) > 2 * plot.width ? hair : 1;
    trace(pen, one.extremes, picture, isFolded);
  }
  const isDense = seen(drawn.x) > 2 * plot.width;
  pen.globalAlpha = 1;
  pen.lineWidth = isLit ? 3 : isCrowd || isDense ? hair : 1.4;
  // Dashes in a line that turns at each pixel are not seen.
  if (!isDense) pen.setLineDash(one.style.dash);
  trace(pen, drawn, picture, isFolded);
  pen.setLineDash([]);
  pen.lineWidth = 1.4;
  if (one.data.length === 1 || (!isCrowd && seen(one.axis.x) * 12 < plot.width)) dots(pen, drawn, picture, isFolded);
  marks(pen, one, picture);
}

// The frame: grid, ticks and what the axes are.
export function frame(pen, { plot, ticksX, ticksY, scaleX, scaleY, colors, nameX }) {
  pen.font = FONT;
  pen.lineWidth = 1;
  pen.strokeStyle = colors.line;
  pen.fillStyle = colors.dim;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const crisp = (place) => Math.round(place) + 0.5;
  for (const { value, text } of ticksY.marks) {
    const y = crisp(scaleY.at(value));
    pen.beginPath();
    pen.moveTo(plot.left, y);
    pen.lineTo(plot.right, y);
    pen.stroke();
    pen.fillText(text, plot.left - 6, y);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { value, text } of ticksX.marks) {
    const x = crisp(scaleX.at(value));
    pen.beginPath();
    pen.moveTo(x, plot.bottom);
    pen.lineTo(x, plot.bottom + 4);
    pen.stroke();
    if (x > plot.left - 4 && x < plot.right - 2) pen.fillText(text, x, plot.bottom + 6);
  }
  pen.beginPath();
  pen.moveTo(plot.left, crisp(plot.bottom));
  pen.lineTo(plot.right, crisp(plot.bottom));
  pen.stroke();
  pen.textAlign = "right";
  pen.fillText(nameX, plot.right, plot.bottom + 20);
}

// Everything but the cursor.
export function draw(pen, picture) {
  const { plot, lines } = picture;
  frame(pen, picture);
  pen.save();
  pen.beginPath();
  pen.rect(plot.left, plot.top, plot.width, plot.height);
  pen.clip();
  pen.lineJoin = "bevel";
  for (const one of lines) line(pen, one, picture);
  pen.restore();
}
