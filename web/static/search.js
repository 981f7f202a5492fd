// Comfort for the search box: title suggestions (WAI-ARIA combobox), "/" to focus, pending state.
// Without this module the form and the folded filters work as they stand.

const WAIT_MS = 160;

const box = document.querySelector("input[data-suggest]");
if (box) suggestTitles(box);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// -- pending --------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.pending) {
    event.preventDefault();
    return;
  }
  form.dataset.pending = "1";
  for (const button of form.elements) {
    if (!button.dataset.pending) continue;
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.pending;
    button.setAttribute("aria-disabled", "true");
  }
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-pending]")) {
    delete form.dataset.pending;
    for (const button of form.elements) {
      if (!button.dataset.label) continue;
      button.textContent = button.dataset.label;
      button.removeAttribute("aria-disabled");
    }
  }
});

// -- folded filters stand open where there is room -----------------------------------

const filters = document.getElementById("filters");
if (filters && !CSS.supports("selector(::details-content)")) {
  const wide = window.matchMedia("(min-width: 64rem)");
  const unfold = () => { if (wide.matches) filters.open = true; };
  wide.addEventListener("change", unfold);
  unfold();
}

// -- suggestions -----------------------------------------------------------------------

function suggestTitles(input) {
  const list = document.createElement("ul");
  list.id = "q-options";
  list.className = "options";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "标题相符的文献，选择后打开");
  const status = document.createElement("div");
  status.className = "sr";
  status.setAttribute("role", "status");
  input.after(list, status);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  let timer = 0;
  let request = null;
  let active = -1;

  input.addEventListener("input", (event) => { if (!event.isComposing) schedule(); });
  input.addEventListener("compositionend", schedule);
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => open(event.target.closest("[role=option]")));

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const n = list.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) {
        if (event.key === "ArrowDown" && input.value.trim()) {
          event.preventDefault();
          ask();
        }
        return;
      }
      event.preventDefault();
      const from = active < 0 && event.key === "ArrowUp" ? n : active;
      choose(event.key === "ArrowDown" ? (from + 2) % (n + 1) - 1 : from - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      open(list.children[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });

  function schedule() {
    clearTimeout(timer);
    request?.abort();
    if (!input.value.trim()) return close();
    timer = setTimeout(ask, WAIT_MS);
  }

  async function ask() {
    clearTimeout(timer);
    request?.abort();
    const mine = request = new AbortController();
    const text = input.value.trim();
    try {
      const address = `${input.dataset.suggest}?q=${encodeURIComponent(text)}`;
      const response = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (!response.ok) return close();
      const { suggestions } = await response.json();
      if (mine === request && document.activeElement === input) show(suggestions);
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  }

  function show(suggestions) {
    active = -1;
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...suggestions.map(option));
    list.hidden = !suggestions.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = suggestions.length ? `有 ${suggestions.length} 份标题相符的文献，用上下键选择` : "没有标题相符的文献";
  }

  function option(suggestion, i) {
    const row = document.createElement("li");
    row.id = `q-option-${i}`;
    row.dataset.href = suggestion.href;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    const about = document.createElement("small");
    about.textContent = [suggestion.kind, suggestion.number, suggestion.validity].filter(Boolean).join("　");
    row.append(suggestion.title, about);
    return row;
  }

  function choose(i) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = i;
    const row = list.children[active];
    if (!row) return input.removeAttribute("aria-activedescendant");
    row.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  function open(row) {
    if (row) window.location.assign(row.dataset.href);
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    request = null;
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    status.textContent = "";
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}
