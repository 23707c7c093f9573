// Light or dark: as the system says, unless the reader chooses. Paper is always light. Whoever
// draws with colours of its own is told when they change.
import { el, fresh } from "./dom.js";

const KEY = "dvmsim-theme";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
let printing = false;
let chosen = remembered();

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

/** Sets the theme of the style sheet, and tells. */
function apply() {
  const auto = dark.matches ? "dark" : "light";
  root.dataset.theme = printing ? "light" : chosen === "auto" ? auto : chosen;
  for (const listener of listeners) listener();
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
  const radio = (value, text) =>
    el("label", {},
      el("input", {
        type: "radio", name, value, checked: value === chosen,
        on: {
          change: () => {
            chosen = value;
            remember(value);
            apply();
          },
        },
      }),
      el("span", {}, text));
  return el("fieldset", { class: "theme" }, el("legend", {}, "Colours"),
    radio("auto", "Auto"), radio("light", "Light"), radio("dark", "Dark"));
}

function onPaper(is) {
  printing = is;
  apply();
}
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));
dark.addEventListener("change", apply);
apply();
