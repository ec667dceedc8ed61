// A table that is drawn again in place: rows keep their nodes, so that focus and selection stay.
//
//   const targets = table({
//     caption: t("..."),                        // for screen readers
//     key: (item) => item.id,
//     columns: [
//       { label: t("..."), text: (item) => item.name, head: true },          // the cell that names the row
//       { label: t("..."), make: () => state(), value: (item) => item.state },   // a node with draw(item)
//       { label: t("..."), text: (item) => number(item.served), value: (item) => item.served, numeric: true },
//     ],
//   });
//   root.append(targets); targets.draw(items);
//
// A column with `value` can be sorted by it; without a choice the items keep their order. In a narrow place each row
// becomes a card whose cells name themselves; the roles keep it a table for screen readers. `width` is a CSS width.

import { attribute, h, keyed, put, write } from "./dom.js";

export function table({ caption, key, columns, rowProps = () => ({}) }) {
  let items = [];
  let sorted = null;
  const heads = columns.map(makeHead);
  const rows = h("tbody", { role: "rowgroup" });
  const node = h("div", { class: "table-box" },
    h("table", { role: "table" },
      h("caption", { class: "hidden" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)), rows));
  node.draw = (next) => {
    items = next;
    keyed(rows, inOrder(), key, makeRow);
  };

  function makeHead(column) {
    const props = { scope: "col", role: "columnheader", class: column.numeric ? "number" : null, style: column.width ? { width: column.width } : {} };
    if (!column.value) return h("th", props, column.label);
    return h("th", props, h("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, column.label));
  }

  function sortBy(column) {
    const again = sorted?.column === column;
    sorted = again && sorted.step < 0 ? null : { column, step: again ? -1 : 1 };
    heads.forEach((head, place) => {
      const mine = sorted && columns[place] === sorted.column;
      attribute(head, "aria-sort", mine ? (sorted.step > 0 ? "ascending" : "descending") : null);
    });
    node.draw(items);
  }

  function inOrder() {
    if (!sorted) return items;
    const { column, step } = sorted;
    const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
    return [...items].sort((a, b) => step * compare(column.value(a), column.value(b)));
  }

  function makeRow(item) {
    const cells = columns.map((column) => {
      const inner = column.make?.(item);
      const cell = h(column.head ? "th" : "td",
        { role: column.head ? "rowheader" : "cell", scope: column.head ? "row" : null, class: column.numeric ? "number" : null, "data-label": column.label }, inner);
      cell.draw = inner ? (each) => inner.draw(each) : (each) => write(cell, column.text(each));
      return cell;
    });
    const row = h("tr", { role: "row", ...rowProps(item) }, cells);
    row.draw = (each) => cells.forEach((cell) => cell.draw(each));
    return row;
  }
  return node;
}

// A cell of two lines, the second in soft colour: make: () => lines((item) => [item.name, item.address])
export function lines(texts) {
  const [first, second] = [h("span"), h("span", { class: "soft" })];
  const node = h("span", { class: "lines" }, first, second);
  node.draw = (item) => {
    const [above, below] = texts(item);
    write(first, above);
    write(second, below);
    put(second, "hidden", !below);
  };
  return node;
}
