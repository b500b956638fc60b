// Colours of experiments: each keeps its own on every page. They are told apart by people who see colours differently, and
// beyond ten of them by the dashes of their lines as well.

const LIGHT = ["#2458e6", "#d95f02", "#1b9e77", "#c2207e", "#7a5195", "#8a6d00", "#00829b", "#b3261e", "#5b7a1f", "#5c6670"];
const DARK = ["#7aa2ff", "#ff9e57", "#4fd1a5", "#ff7ac2", "#c39bf0", "#e0c04a", "#4cc9e6", "#ff8a80", "#a9cf5a", "#aab4bf"];
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export const isDark = () => document.documentElement.dataset.theme === "dark";

// The colour and the dashes of an experiment, by the number in its short id.
export function styleOf(id) {
  const digits = /(\d+)$/.exec(id);
  const place = digits ? Number(digits[1]) - 1 : [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7);
  return styleAt(place);
}

// The colour and the dashes of the n-th of some lines.
export function styleAt(place) {
  const colors = isDark() ? DARK : LIGHT;
  return { color: colors[place % colors.length], dash: DASHES[Math.floor(place / colors.length) % DASHES.length] };
}
