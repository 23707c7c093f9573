// A figure that matters, in a box: what it is, its value, what belongs to it.
import { el } from "./dom.js";

export function tile(label, value, ...below) {
  return el("div", { class: "tile" }, el("span", { class: "label" }, label), el("strong", {}, value),
    below.filter(Boolean).map((line) => el("span", { class: "below" }, line)));
}
