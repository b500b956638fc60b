// Light or dark: as the system has it, or as somebody chose here.

const KEY = "neptune.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function apply() {
  const chosen = localStorage.getItem(KEY);
  document.documentElement.dataset.theme = chosen ?? (system.matches ? "dark" : "light");
  dispatchEvent(new Event("themechange"));
}

export function toggle() {
  localStorage.setItem(KEY, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  apply();
}

export function start() {
  system.addEventListener("change", apply);
  apply();
}
