// How values are written for people.

// About five significant digits; whole numbers as they are.
export function number(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return size < 1e6 ? String(value) : value.toLocaleString("en-US").replaceAll(",", "\u202f");
  if (size >= 1e6 || size < 1e-4) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(5)));
}

// The shortest text that is read back as the same number.
export const plain = (value) => (Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf");

// A value of the API (see `Value` in its document), as text.
export function value(it) {
  if (it === null || it === undefined) return "";
  if (typeof it === "number") return number(it);
  if (typeof it !== "object") return String(it);
  if ("float" in it) return it.float;
  if ("int" in it) return it.int;
  if ("datetime" in it) return time(it.datetime);
  if ("set" in it) return it.set.join(", ");
  if ("json" in it) return it.json;
  if ("file" in it) return bytes(it.file);
  return JSON.stringify(it);
}

// A number to sort and draw by, or null.
export function numeric(it) {
  if (typeof it === "number") return it;
  if (it !== null && typeof it === "object") {
    if ("float" in it) return { NaN: NaN, inf: Infinity, "-inf": -Infinity }[it.float];
    if ("datetime" in it) return it.datetime;
    if ("int" in it) return Number(it.int);
  }
  return null;
}

const SI = new Map([[24, "Y"], [21, "Z"], [18, "E"], [15, "P"], [12, "T"], [9, "G"], [6, "M"], [3, "k"], [0, ""], [-3, "m"], [-6, "\u00b5"], [-9, "n"], [-12, "p"]]);

// A number with the letter of its size: 12.3k.
function si(number_) {
  if (number_ === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(Number(number_.toPrecision(4)))) / 3) * 3;
  const shown = Math.min(24, Math.max(-12, power));
  return `${Number((number_ / 10 ** shown).toPrecision(4))}${SI.get(shown)}`;
}

// The ways in which numbers can be written, by the name that an address has for them.
export const STYLES = new Map([
  [".0", { label: "no decimals", write: (it) => it.toFixed(0) }],
  [".2", { label: "2 decimals", write: (it) => it.toFixed(2) }],
  [".4", { label: "4 decimals", write: (it) => it.toFixed(4) }],
  [".6", { label: "6 decimals", write: (it) => it.toFixed(6) }],
  ["percent", { label: "percent", write: (it) => `${(it * 100).toFixed(2)} %` }],
  ["scientific", { label: "scientific", write: (it) => it.toExponential(3) }],
  ["si", { label: "k, M, G", write: si }],
  ["duration", { label: "duration", write: (it) => (it < 0 ? `-${duration(-it)}` : duration(it)) }],
]);

export function duration(seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 1e-6) return `${number(seconds * 1e9)} ns`;
  if (seconds < 1e-3) return `${number(Number((seconds * 1e6).toPrecision(3)))} us`;
  if (seconds < 1) return `${number(Number((seconds * 1e3).toPrecision(3)))} ms`;
  if (seconds < 60) return `${number(Number(seconds.toPrecision(3)))} s`;
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days}d ${hours}h`;
  return hours > 0 ? `${hours}h ${minutes}m` : `${minutes}m ${whole % 60}s`;
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${unit === 0 ? count : count.toFixed(count < 10 ? 2 : 1)} ${units[unit]}`;
}

const two = (part) => String(part).padStart(2, "0");

// Microseconds since the epoch as local time.
export function time(micros) {
  const at = new Date(micros / 1000);
  if (Number.isNaN(at.getTime())) return `${micros} us`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// The same in UTC, for a title.
export function utc(micros) {
  const at = new Date(micros / 1000);
  return Number.isNaN(at.getTime()) ? `${micros} us` : at.toISOString();
}

export function age(micros) {
  const seconds = Math.max(0, Date.now() / 1000 - micros / 1e6);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ago`;
  return `${Math.floor(seconds / 86400)}d ago`;
}
