// Elements from names, attributes and children. Texts are only ever set as text.

/** Attributes: `class`, `on` (an object of listeners), `data`, booleans, anything else as it is. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (key === "style") {
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    } else if (key === "data") {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

let count = 0;
/** A name for an element that others refer to. */
export function fresh(prefix) {
  return `${prefix}-${++count}`;
}

/** A heading with what belongs to it; `id` is where links lead. */
export function section(id, title, ...children) {
  const heading = `${id}-title`;
  return el("section", { id, "aria-labelledby": heading, data: { title } },
    el("h2", { id: heading }, title), ...children);
}

export function choice(label, options, chosen, onchange) {
  const id = fresh("choice");
  const select = el("select", { id, on: { change: () => onchange(select.value) } },
    options.map(([value, text]) =>
      el("option", { value, selected: value === chosen }, text)));
  return el("span", { class: "field" }, el("label", { for: id }, label), select);
}

export function definitions(pairs) {
  return el("dl", { class: "facts" },
    pairs.filter(Boolean).map(([term, ...text]) =>
      el("div", {}, el("dt", {}, term), text.map((line) => el("dd", {}, line)))));
}
