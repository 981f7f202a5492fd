// The fields of a case as they are written on its page, of whichever shape they are.

const SAME_WORDS = 30;

/** A field of the form on the page: what stands in it, what of that is saved, and what is told beside it. */
export class Field {
  constructor(wrapper) {
    this.wrapper = wrapper;
    this.id = wrapper.dataset.field;
    this.shape = wrapper.dataset.shape;
    this.base = Number(wrapper.dataset.base);
    this.control = this.shape === "figures" ? null : wrapper.querySelector("input:not([type=hidden]), textarea, select");
    this.text = this.read();
    this.record = null;
    this.last = null;
    this.theirs = null;
    this.trouble = "";
    this.composing = null;
  }

  read() {
    if (this.control) return this.control.value;
    const lines = [...this.wrapper.querySelectorAll(".figure-row")].map((row) =>
      [...row.querySelectorAll("input")].map((cell) => cell.value.replace(/[|｜]/g, "／").trim().replace(/\s+/g, " ")));
    const rest = this.wrapper.querySelector("[name=figure_rest]").value;
    return [...lines.filter((cells) => cells.some(Boolean)).map((cells) => cells.join("|").replace(/\|$/, "")), rest.trim()]
      .filter(Boolean).join("\n");
  }

  /** Show a text; the place where one writes stays where it was in it. */
  write(text) {
    if (!this.control) return this.writeRows(text);
    const { value, selectionStart, selectionEnd } = this.control;
    if (value === text) return;
    this.control.value = text;
    if (document.activeElement !== this.control || selectionStart === undefined || selectionStart === null) return;
    this.control.setSelectionRange(samePlace(value, selectionStart, text), samePlace(value, selectionEnd, text));
  }

  writeRows(text) {
    if (text === this.read()) return;
    const lines = text.split("\n").map((line) => line.split(/[|｜]/).map((cell) => cell.trim()));
    const rows = lines.filter((cells) => (cells.length === 3 || cells.length === 4) && cells[0]);
    const rest = text.split("\n").filter((line, i) => line.trim() && !rows.includes(lines[i])).join("\n");
    while (this.rows.length < rows.length + 1) this.addRow();
    this.rows.forEach((row, i) => row.querySelectorAll("input").forEach((cell, j) => { cell.value = rows[i]?.[j] ?? ""; }));
    const more = this.wrapper.querySelector("[name=figure_rest]");
    more.value = rest;
    more.closest(".field").hidden = !rest;
  }

  get rows() {
    return [...this.wrapper.querySelectorAll(".figure-row")];
  }

  addRow() {
    const row = this.rows[0].cloneNode(true);
    row.setAttribute("aria-label", `第 ${this.rows.length + 1} 行`);
    for (const cell of row.querySelectorAll("input")) cell.value = "";
    this.wrapper.querySelector("[data-rows]").append(row);
  }

  get focused() {
    return this.wrapper.contains(document.activeElement);
  }

  /** What was written here last and is not saved, or what is saved. */
  get known() {
    return this.record ? this.record.save.text : this.text;
  }

  get changed() {
    return this.read() !== this.known;
  }

  /** What stands here is the server's. */
  settle(text, base) {
    this.text = text;
    this.base = base;
    this.theirs = null;
    this.wrapper.querySelector(`[name=base_${this.id}]`).value = base;
  }

  say(words, state) {
    const kept = this.wrapper.querySelector("[data-kept]");
    kept.textContent = words;
    kept.dataset.state = state;
  }

  sayOther(words) {
    this.wrapper.querySelector("[data-other]").textContent = words;
  }

  clash() {
    this.wrapper.querySelector("[data-clash]").hidden = false;
  }
}

/** The place in a text that follows the same words as place `at` in the old one: as many of them as are still there. */
function samePlace(old, at, text) {
  for (let n = Math.min(at, SAME_WORDS); n > 0; n -= 1) {
    const words = old.slice(at - n, at);
    let nearest = -1;
    for (let i = text.indexOf(words); i >= 0; i = text.indexOf(words, i + 1)) {
      if (nearest < 0 || Math.abs(i + n - at) < Math.abs(nearest - at)) nearest = i + n;
    }
    if (nearest >= 0) return nearest;
  }
  return 0;
}
