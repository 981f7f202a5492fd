// Comfort for handing in: sizes are told before anything is sent, and the list of jobs follows the work.
// Without this module the server tells the same, and the list has a link that loads it anew.

const form = document.querySelector("[data-hand-in]");
const files = form?.querySelector("input[type=file]");

function wrongFiles() {
  const { maxFiles, maxMb } = files.dataset;
  const bytes = [...files.files].reduce((sum, file) => sum + file.size, 0);
  if (files.files.length > maxFiles) return `一次最多交 ${maxFiles} 个文件，您选了 ${files.files.length} 个。请分几次交。`;
  if (bytes > maxMb * 1024 * 1024) return `合计 ${Math.ceil(bytes / 1024 / 1024)} MB，超过了 ${maxMb} MB。请分几次交。`;
  return "";
}

files?.addEventListener("change", () => {
  files.setCustomValidity(wrongFiles());
  if (files.validationMessage) files.reportValidity();
});

form?.addEventListener("submit", () => {
  const button = form.querySelector("button.primary");
  button.textContent = button.dataset.pending;
  button.setAttribute("aria-disabled", "true");
});

// -- following the work: every two seconds, and less often the longer nothing moves -----------------

const list = document.querySelector("[data-follow]");
const SOONEST = 2000;
const LATEST = 30000;

async function follow(wait) {
  await new Promise((done) => setTimeout(done, wait));
  let moved = false;
  if (!document.hidden) {
    try {
      const answer = await fetch(list.dataset.follow, { credentials: "same-origin" });
      if (answer.ok) {
        const html = await answer.text();
        moved = html !== list.dataset.last;
        list.dataset.last = html;
        // A link in hand would lose the focus to a list that says the same.
        if (moved) list.innerHTML = html;
      }
    } catch {
      // The network is away for a moment; asked again later.
    }
  }
  if (list.querySelector("[data-running]")) follow(moved ? SOONEST : Math.min(wait * 1.5, LATEST));
}

if (list?.querySelector("[data-running]")) follow(SOONEST);
