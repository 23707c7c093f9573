// A table that sorts by the heading clicked, filters by the words typed, and shows a bar behind
// shares. Rows are plain objects; a column says how to get, print and order its value.
import { el, fresh } from "./dom.js";
import { whole } from "./format.js";

const FIRST = 100; // rows shown before "all" is asked for

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

class Table {
  constructor({ caption, columns, rows, search, sort, onRow, selected, first }) {
    Object.assign(this, { columns, rows, onRow, selected });
    this.order = sort ?? null; // {key, down}
    this.words = [];
    this.limit = first ?? FIRST;
    this.body = el("tbody");
    this.count = el("span", { class: "count", role: "status" });
    this.more = el("button", { type: "button", class: "more", on: { click: () => this.showAll() } });
    this.heads = new Map(columns.map((column) => [column.key, this.head(column)]));
    const table = el("table", {}, el("caption", {}, caption),
      el("thead", {}, el("tr", {}, [...this.heads.values()])), this.body);
    this.element = el("div", { class: "table" },
      search ? this.searchField(search) : null,
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table),
      this.more);
    this.draw();
  }

  head(column) {
    const button = el("button", { type: "button", title: column.help, on: { click: () => this.sortBy(column) } },
      column.title, column.unit ? el("span", { class: "unit" }, ` ${column.unit}`) : null);
    return el("th", { scope: "col", class: column.number ? "number" : null, data: { key: column.key } },
      button);
  }

  searchField(label) {
    const id = fresh("search");
    const input = el("input", {
      id, type: "search", placeholder: label, autocomplete: "off",
      on: { input: () => this.search(input.value) },
    });
    return el("div", { class: "tools" },
      el("label", { for: id, class: "hidden" }, label), input, this.count);
  }

  sortBy(column) {
    const again = this.order?.key === column.key;
    this.order = { key: column.key, down: again ? !this.order.down : Boolean(column.number) };
    this.draw();
  }

  search(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.draw();
  }

  showAll() {
    this.limit = Infinity;
    this.draw();
  }

  found() {
    const texts = (row) =>
      this.columns.map((column) => this.textOf(column, row)).join(" ").toLowerCase();
    let found = this.rows;
    if (this.words.length > 0) {
      found = found.filter((row) => {
        const text = texts(row);
        return this.words.every((word) => text.includes(word));
      });
    }
    if (!this.order) return found;
    const column = this.columns.find(({ key }) => key === this.order.key);
    const sign = this.order.down ? -1 : 1;
    return [...found].sort((a, b) => sign * compare(column.value(a), column.value(b)));
  }

  textOf(column, row) {
    const value = column.value(row);
    if (value === null || value === undefined) return "";
    return column.text ? column.text(value, row) : String(value);
  }

  cell(column, row, place) {
    const share = column.bar?.(row);
    const attributes = {
      class: [column.number ? "number" : "", column.code ? "code" : "", share > 0 ? "bar" : ""].join(" ").trim() || null,
      style: share > 0 ? { "--share": `${(100 * Math.min(1, share)).toFixed(2)}%` } : undefined,
    };
    const text = this.textOf(column, row);
    if (place > 0) return el("td", attributes, text);
    if (!this.onRow || row.group) return el("th", { scope: "row", ...attributes }, text);
    return el("th", { scope: "row", ...attributes },
      el("button", { type: "button", class: "row" }, text));
  }

  draw() {
    for (const [key, head] of this.heads) {
      const on = this.order?.key === key;
      if (on) head.setAttribute("aria-sort", this.order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const found = this.found();
    const shown = found.slice(0, this.limit);
    this.body.replaceChildren(...shown.map((row) =>
      el("tr", {
        "aria-selected": this.selected?.(row) ? "true" : null,
        class: row.group ? "group" : null,
        on: this.onRow ? { click: () => this.onRow(row) } : {},
      }, this.columns.map((column, place) => this.cell(column, row, place)))));
    if (found.length === 0) {
      this.body.append(el("tr", {}, el("td", { colspan: this.columns.length, class: "none" }, "nothing found")));
    }
    this.count.textContent = `${whole(found.length)} of ${whole(this.rows.length)}`;
    this.more.hidden = shown.length === found.length;
    this.more.textContent = `Show all ${whole(found.length)}`;
  }
}

/**
 * columns: [{key, title, value(row), unit?, text?(value, row), number?, bar?(row), help?, code?}].
 * search: label of the search field; none without it. first: rows shown at first.
 */
export function table(options) {
  const made = new Table(options);
  made.element.redraw = () => made.draw();
  return made.element;
}
