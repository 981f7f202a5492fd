// Comfort for the document page: copy the address of a place, follow the outline, bring the hit into view.
// Without this module every heading and clause is still a plain link to itself.

const text = document.querySelector(".text");
const outline = document.getElementById("outline");

// -- copying an address: one button that goes to the heading or clause in hand ------------

const copy = document.createElement("button");
copy.type = "button";
copy.className = "copy";
const status = document.createElement("div");
status.className = "sr";
status.setAttribute("role", "status");
document.body.append(status);

function offerCopy(event) {
  const link = event.target.closest?.(".head > a, .label");
  if (!link || copy.previousSibling === link) return;
  copy.textContent = "复制链接";
  copy.setAttribute("aria-label", `复制“${link.textContent.trim()}”的链接`);
  copy.dataset.hash = link.hash;
  link.after(copy);
}
text.addEventListener("focusin", offerCopy);
text.addEventListener("click", offerCopy);

copy.addEventListener("click", async () => {
  const address = location.origin + location.pathname + copy.dataset.hash;
  const done = await toClipboard(address);
  copy.textContent = done ? "已复制" : "没能复制，请从地址栏复制";
  status.textContent = copy.textContent;
});

async function toClipboard(address) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    // No clipboard on plain http, or it was refused: the older way.
    const field = document.createElement("textarea");
    field.value = address;
    field.className = "sr";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    copy.focus();
    return done;
  }
}

// -- outline --------------------------------------------------------------------------------

if (outline) {
  const wide = window.matchMedia("(min-width: 64rem)");
  const unfold = () => { outline.open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();
  outline.addEventListener("click", (event) => {
    if (event.target.closest("a") && !wide.matches) outline.open = false;
  });

  const links = new Map([...outline.querySelectorAll("a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const places = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let current = null;
  const follow = () => {
    const line = window.innerHeight * 0.3;
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle].getBoundingClientRect().top <= line) low = middle + 1;
      else high = middle;
    }
    const link = links.get(places[Math.max(low - 1, 0)]?.id);
    if (!link || link === current) return;
    current?.removeAttribute("aria-current");
    current = link;
    current.setAttribute("aria-current", "location");
    if (wide.matches) keepInView(outline.parentElement, current);
  };
  const watcher = new IntersectionObserver(follow, { rootMargin: "0px 0px -70% 0px" });
  for (const place of places) watcher.observe(place);
}

function keepInView(frame, link) {
  const outer = frame.getBoundingClientRect();
  const inner = link.getBoundingClientRect();
  if (inner.top < outer.top) frame.scrollTop -= outer.top - inner.top + 40;
  else if (inner.bottom > outer.bottom) frame.scrollTop += inner.bottom - outer.bottom + 40;
}

// -- the hit: its first marked words may stand far below the head of a long clause -------------

const marked = document.querySelector(".clause.current mark");
if (marked) {
  requestAnimationFrame(() => {
    const { top, bottom } = marked.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight - 80) marked.scrollIntoView({ block: "center" });
  });
}

