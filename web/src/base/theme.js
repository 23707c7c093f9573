// Light or dark: as the system says, unless the reader chooses. Paper is always light. Whoever
// draws with colours of its own is told when they change.
import { el, fresh } from "./dom.js";

const KEY = "dvmsim-theme";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
let printing = false;

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return "auto"; // a file of its own has no storage in some browsers
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // the choice lasts as long as the page
  }
}

function tell() {
  for (const listener of listeners) listener();
}

function apply(choice) {
  if (choice === "auto") delete root.dataset.theme;
  else root.dataset.theme = choice;
  tell();
}

export function onTheme(listener) {
  listeners.add(listener);
}

export function isPrinting() {
  return printing;
}

/** The value of a custom property of the style sheet, as a colour. */
export function colour(name) {
  return getComputedStyle(root).getPropertyValue(`--${name}`).trim();
}

export function themeSwitch() {
  const name = fresh("theme");
  const chosen = remembered();
  const radio = (value, text) =>
    el("label", {},
      el("input", {
        type: "radio", name, value, checked: value === chosen,
        on: { change: () => (remember(value), apply(value)) },
      }),
      el("span", {}, text));
  if (chosen !== "auto") apply(chosen);
  return el("fieldset", { class: "theme" }, el("legend", {}, "Colours"),
    radio("auto", "Auto"), radio("light", "Light"), radio("dark", "Dark"));
}

dark.addEventListener("change", tell);
function onPaper(is) {
  printing = is;
  root.toggleAttribute("data-paper", is);
  tell();
}
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));
