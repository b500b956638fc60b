// Axes: where the ticks are and how they are written. Numbers only: nothing here draws.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const SECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 5 * DAY, 10 * DAY, 30 * DAY, 90 * DAY, 365 * DAY, 1000 * DAY];

// A scale from values to pixels: `least` is drawn at `start` and `greatest` at `end`. `at` and `value` are each other's inverse.
export function scale(least, greatest, start, end, isLog = false) {
  const [low, high] = isLog ? [Math.log10(least), Math.log10(greatest)] : [least, greatest];
  const factor = (end - start) / (high - low || 1);
  const offset = start - low * factor;
  const at = isLog ? (value) => Math.log10(value) * factor + offset : (value) => value * factor + offset;
  const value = isLog ? (place) => 10 ** ((place - offset) / factor) : (place) => (place - offset) / factor;
  return { least, greatest, factor, offset, isLog, at, value };
}

// A little room around what is drawn, so that no line lies on the frame; a range of one value gets a range of its own.
export function roomy(least, greatest, isLog) {
  if (isLog) {
    const room = least === greatest ? 2 : (greatest / least) ** 0.04;
    return [least / room, greatest * room];
  }
  const room = (greatest - least) * 0.04 || Math.abs(least) * 0.1 || 1;
  return [least - room, greatest + room];
}

// Ticks as `{ value, text }`, about as many as fit, and what they all share, such as a day.
export function ticks(kind, { least, greatest, isLog }, room) {
  const most = Math.max(2, Math.floor(room));
  if (!(greatest > least)) return { marks: [], common: "" };
  if (kind === "wall") return wallTicks(least, greatest, most);
  if (kind === "relative") return { marks: everyStep(least, greatest, timeStep(greatest - least, most)).map((value) => ({ value, text: span(value, greatest - least) })), common: "" };
  return { marks: isLog ? logTicks(least, greatest, most) : linearTicks(least, greatest, most), common: "" };
}

// 1, 2 or 5 times a power of ten, at least a `most`-th of the range.
export function niceStep(range, most) {
  const raw = range / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return (lead <= 1.0000001 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

function everyStep(least, greatest, step) {
  const values = [];
  const from = Math.ceil(least / step - 1e-9), to = Math.floor(greatest / step + 1e-9);
  for (let place = from; place <= to && values.length < 200; place += 1) values.push(place * step);
  return values;
}

function linearTicks(least, greatest, most) {
  const step = niceStep(greatest - least, most);
  const size = Math.max(Math.abs(least), Math.abs(greatest));
  return everyStep(least, greatest, step).map((value) => ({ value, text: short(value, step, size) }));
}

function logTicks(least, greatest, most) {
  const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(greatest));
  const stride = Math.max(1, Math.ceil((high - low) / most));
  const leads = stride > 1 || high - low > 3 ? [1] : high - low > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const values = [];
  for (let power = low; power <= high; power += stride) for (const lead of leads) values.push(Number(`${lead}e${power}`));
  const marks = values.filter((value) => value >= least && value <= greatest);
  // Within less than a decade the leads may lie too far apart.
  if (marks.length < 2) return linearTicks(least, greatest, most).filter(({ value }) => value > 0);
  return marks.map((value) => ({ value, text: short(value, value, value) }));
}

// A number beside an axis whose ticks are `step` apart and whose greatest has the size `size`.
export function short(value, step, size) {
  if (value === 0) return "0";
  if (size >= 1e15 || size < 1e-4) return value.toExponential(Math.min(6, Math.max(0, Math.round(Math.log10(size) - Math.log10(step))))).replace(/\.?0+e/, "e").replace("e+", "e");
  // Digits that a unit would push behind the point are better read in full.
  if (size >= 1e4 && size < 1e9 && step < 100 && Number.isInteger(value)) return value.toLocaleString("en-US").replaceAll(",", "\u202f");
  const [unit, letter] = size >= 1e12 ? [1e12, "T"] : size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)));
  return `${trimmed((value / unit).toFixed(digits))}${letter}`;
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

const timeStep = (range, most) => SECONDS.find((step) => range / step <= most) ?? niceStep(range, most);

// Seconds since the start, as long as the axis is wide.
export function span(value, range = Math.abs(value)) {
  if (value === 0) return "0";
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  if (size < MINUTE && range < 2 * MINUTE) {
    const digits = Math.max(0, -Math.floor(Math.log10(range / 10 || 1)));
    return size < 1e-3 ? `${sign}${trimmed((size * 1e6).toFixed(1))}us` : size < 1 ? `${sign}${trimmed((size * 1e3).toFixed(Math.max(0, digits - 3)))}ms` : `${sign}${trimmed(size.toFixed(digits))}s`;
  }
  const whole = Math.round(size);
  const parts = [[Math.floor(whole / DAY), "d"], [Math.floor(whole / HOUR) % 24, "h"], [Math.floor(whole / MINUTE) % 60, "m"], [whole % 60, "s"]];
  return sign + parts.filter(([count]) => count > 0).slice(0, 2).map(([count, letter]) => count + letter).join(" ");
}

const two = (part) => String(part).padStart(2, "0");
const dayOf = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const clockOf = (at, step) => {
  const minutes = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (step >= MINUTE) return minutes;
  return `${minutes}:${step >= 1 ? two(at.getSeconds()) : trimmed((at.getSeconds() + at.getMilliseconds() / 1000).toFixed(3)).padStart(2, "0")}`;
};

// Local time, in seconds since the epoch. The day is said once when all of it is in one day.
function wallTicks(least, greatest, most) {
  const step = timeStep(greatest - least, most);
  const shift = -new Date(least * 1000).getTimezoneOffset() * 60;
  const values = everyStep(least + shift, greatest + shift, step).map((value) => value - shift);
  const [first, last] = [dayOf(new Date(least * 1000)), dayOf(new Date(greatest * 1000))];
  const marks = values.map((value) => {
    const at = new Date(value * 1000);
    if (step >= DAY) return { value, text: dayOf(at) };
    const clock = clockOf(at, step);
    return { value, text: first !== last && clock === "00:00" ? dayOf(at).slice(5) : clock };
  });
  return { marks, common: step >= DAY ? "" : first };
}
