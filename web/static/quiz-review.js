// Comfort for trainers. Keys for reviewing: each presses the link or button that bears it as data-key, so that there
// is one way of doing it. Without this module the same links and buttons work by hand, and no key is told.

const OFF = "gongxue-review-keys-off";
const review = document.querySelector("[data-keys]");
const reject = document.getElementById("reject");
const toggle = document.getElementById("keys-off");

function isOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

function tell() {
  const off = isOff();
  document.body.classList.toggle("keyed", !off);
  toggle.textContent = off ? "打开快捷键" : "关掉快捷键";
  toggle.setAttribute("aria-pressed", String(off));
}

if (review) {
  document.getElementById("keys").hidden = false;
  toggle.addEventListener("click", () => {
    try {
      localStorage.setItem(OFF, isOff() ? "" : "1");
    } catch {
      // Nothing is remembered in this browser; the keys stay on.
    }
    tell();
  });
  tell();
  document.addEventListener("keydown", onKey);
}

function isTyping(target) {
  return target.closest?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing || isOff()) return;
  if (event.key === "Escape" && reject.open) {
    reject.open = false;
    reject.querySelector("summary").focus();
    return;
  }
  if (isTyping(event.target)) return;
  if (reject.open) {
    // While a reason is asked for, no other key decides.
    const choice = reject.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
    if (!choice) return;
    event.preventDefault();
    choice.checked = true;
    choice.focus();
    return;
  }
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!pressed) return;
  event.preventDefault();
  if (event.repeat) return;
  if (pressed.matches("summary")) openReject();
  else pressed.click();
}

function openReject() {
  reject.open = true;
  const chosen = reject.querySelector("input[type=radio]:checked") ?? reject.querySelector("input[type=radio]");
  chosen.focus();
  chosen.scrollIntoView({ block: "center" });
}

// -- picking all or none of what is offered ------------------------------------------------

const picks = document.querySelector(".picks");
if (picks) {
  picks.hidden = false;
  picks.addEventListener("click", (event) => {
    const which = event.target.closest("[data-picks]")?.dataset.picks;
    if (!which) return;
    for (const box of picks.closest("form").querySelectorAll(".pick input")) box.checked = which === "all";
  });
}
