// Sitting an exam: every change is kept on this device first and then sent, so that a broken connection or a reload
// loses nothing; questions change places without the network. The server owns the clock and decides what counts.
// Without this module each question is a form of its own, and the server tells the same.

const WAIT_MS = 600;
const SOONEST_MS = 1000;
const LATEST_MS = 30000;
const ANSWER_MS = 15000;
const TOLD_S = [300, 60];

const sitting = document.getElementById("sitting");
const api = `/v1/attempts/${sitting.dataset.attempt}`;
const token = sitting.querySelector("[name=form_token]").value;
const views = [...sitting.querySelectorAll(".question")];
const questions = views.filter((view) => view.dataset.position);
const byPosition = new Map(questions.map((form) => [form.dataset.position, form]));
const jumps = [...sitting.querySelectorAll(".jumps button")];
const [clock, saved, told, place] = ["clock", "saved", "told", "place"].map((id) => document.getElementById(id));

const tell = (words) => { told.textContent = words; };

// -- what is kept on this device: answers that the server does not have yet, and marks -------------------

const PREFIX = `gongxue.attempt.${sitting.dataset.attempt}.`;
const MARKS = `${PREFIX}marks`;
let lasting = true;
const memory = new Map();

function kept(key) {
  try {
    if (lasting) return JSON.parse(localStorage.getItem(key));
  } catch {
    lasting = false;
  }
  return memory.get(key) ?? null;
}

function keep(key, value) {
  memory.set(key, value);
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full, or shut off: then it lives as long as the page.
    lasting = false;
  }
}

function drop(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    lasting = false;
  }
}

const waiting = (form) => kept(PREFIX + form.dataset.position);
const unsent = () => questions.filter(waiting);

// -- answers as forms have them and as the server takes them --------------------------------------------------

function read(form) {
  const type = form.dataset.type;
  const fields = [...form.querySelectorAll("[name=answer]")];
  if (type === "ordering") {
    const placed = [...form.querySelectorAll(".order > li")].filter((row) => placeOf(row).value);
    placed.sort((a, b) => placeOf(a).value - placeOf(b).value);
    return placed.map((row) => Number(row.dataset.option));
  }
  if (type === "blank" || type === "short") {
    const texts = fields.map((field) => field.value);
    return texts.some((text) => text.trim()) ? texts : [];
  }
  if (type === "matching") {
    const chosen = fields.map((field) => (field.value === "" ? null : Number(field.value)));
    return chosen.some((one) => one !== null) ? chosen : [];
  }
  return fields.filter((field) => field.checked).map((field) => Number(field.value));
}

function write(form, answer) {
  const type = form.dataset.type;
  const fields = [...form.querySelectorAll("[name=answer]")];
  if (type === "ordering") return arrange(form.querySelector(".order"), answer);
  fields.forEach((field, i) => {
    if (field.type === "radio" || field.type === "checkbox") field.checked = answer.includes(i);
    else field.value = answer[i] ?? "";
  });
}

function isAnswered(form) {
  const answer = read(form);
  const whole = form.dataset.type !== "ordering" || answer.length === form.querySelectorAll(".order > li").length;
  return answer.length > 0 && whole && answer.every((one) => one !== null && String(one).trim() !== "");
}

sitting.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-position]");
  if (!form) return;
  if (event.target.name === "place") moveTo(event.target.closest("li"), Number(event.target.value) - 1);
  changed(form);
});

function changed(form) {
  const known = Math.max(waiting(form)?.change ?? 0, Number(form.dataset.change));
  // Later changes have greater numbers on whichever device they are made; on one of them whatever its clock does.
  const change = Math.max(known + 1, Date.now());
  keep(PREFIX + form.dataset.position, { answer: read(form), change });
  paint();
  clearTimeout(timer);
  timer = setTimeout(send, secondsLeft() < 5 ? 0 : WAIT_MS);
}

/** Show what the server or another window has, if it is newer than what is here. */
function adopt(form, answer, change) {
  if (change <= Math.max(waiting(form)?.change ?? 0, Number(form.dataset.change))) return false;
  drop(PREFIX + form.dataset.position);
  form.dataset.change = change;
  write(form, answer);
  return true;
}

// -- sending: one after another, and again until it is there ----------------------------------------------------

let timer = 0;
let wait = 0;
let sending = false;
let ending = false;
let trouble = "";

async function ask(method, address, body) {
  const abort = new AbortController();
  const patience = setTimeout(() => abort.abort(), ANSWER_MS);
  try {
    const answer = await fetch(address, {
      method,
      body: body && JSON.stringify(body),
      headers: { accept: "application/json", "content-type": "application/json", "x-form-token": token },
      credentials: "same-origin",
      // What is on its way when the page is left still arrives.
      keepalive: method !== "GET",
      signal: abort.signal,
    });
    if (!answer.ok) throw answer;
    return answer.status === 204 ? null : await answer.json();
  } finally {
    clearTimeout(patience);
  }
}

async function save(form) {
  const { answer, change } = waiting(form);
  const stands = await ask("PUT", `${api}/answers/${form.dataset.position}`, { answer, change });
  setClock(stands.seconds_left);
  if (waiting(form)?.change === change) drop(PREFIX + form.dataset.position);
  if (!stands.taken && adopt(form, stands.answer, stands.change)) {
    tell(`第 ${questions.indexOf(form) + 1} 题在别处改过，现在显示的是后改的答案。`);
  }
  form.dataset.change = Math.max(Number(form.dataset.change), stands.change);
}

async function send() {
  clearTimeout(timer);
  if (sending) return;
  sending = true;
  let form;
  try {
    while ((form = unsent()[0])) {
      paint();
      await save(form);
      well();
    }
    if (ending) {
      await ask("POST", `${api}/submit`);
      leave();
    }
  } catch (problem) {
    fail(problem, form);
  } finally {
    sending = false;
    paint();
  }
}

function well() {
  if (trouble) tell("已连上，存在本机的答案会自动保存。");
  trouble = "";
  wait = 0;
}

function fail(problem, form) {
  const status = problem instanceof Response ? problem.status : 0;
  if (status === 409) return leave();
  if (status === 404 && form) {
    // This question is asked no more.
    drop(PREFIX + form.dataset.position);
    return location.reload();
  }
  const was = trouble;
  trouble = { 401: "shut", 403: "shut", 404: "shut", 400: "wrong" }[status] ?? (status ? "busy" : "away");
  if (trouble !== was) tell(WORDS[trouble]);
  if (trouble === "shut" || trouble === "wrong") return;
  const asked = status ? Number(problem.headers.get("retry-after")) * 1000 : 0;
  wait = Math.max(Math.min(wait * 2 || SOONEST_MS, LATEST_MS), asked || 0);
  clearTimeout(timer);
  timer = setTimeout(send, wait);
}

/** What changed while the page was out of sight: the time left, answers given elsewhere, the end. */
async function catchUp() {
  try {
    const now = await ask("GET", api);
    if (now.state !== "open") return leave();
    setClock(now.seconds_left);
    for (const asked of now.questions) {
      const form = byPosition.get(String(asked.position));
      if (form) adopt(form, asked.answer, asked.change);
    }
    if (trouble === "away") well();
  } catch (problem) {
    if (problem instanceof Response) return fail(problem);
  }
  paint();
  send();
}

window.addEventListener("online", catchUp);
window.addEventListener("offline", () => {
  trouble = "away";
  tell(WORDS.away);
  paint();
});
document.addEventListener("visibilitychange", () => (document.hidden ? hurry() : catchUp()));
window.addEventListener("pagehide", hurry);
window.addEventListener("pageshow", (event) => { if (event.persisted) catchUp(); });
window.addEventListener("beforeunload", (event) => { if (!lasting && unsent().length) event.preventDefault(); });

/** The page may be gone in a moment: all at once, and nothing is waited for. */
function hurry() {
  if (trouble !== "away") for (const form of unsent()) save(form).catch(() => {});
}

// Another window of the same attempt on this device.
window.addEventListener("storage", (event) => {
  if (!event.key?.startsWith(PREFIX)) return;
  const form = byPosition.get(event.key.slice(PREFIX.length));
  const theirs = JSON.parse(event.newValue);
  if (form && theirs && theirs.change > Number(form.dataset.change)) {
    form.dataset.change = theirs.change;
    write(form, theirs.answer);
  }
  paint();
});

// -- the end ------------------------------------------------------------------------------------------------------

function finish() {
  ending = true;
  paint();
  send();
}

function leave() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // Then there is nothing to clear.
  }
  memory.clear();
  location.replace(`/attempts/${sitting.dataset.attempt}/result`);
}

// -- time: what the server said, less what has passed since; never this device's clock ------------------------------

let left = null;

function setClock(seconds) {
  left = seconds === null ? null : { seconds, at: performance.now() };
}

function secondsLeft() {
  return left ? left.seconds - (performance.now() - left.at) / 1000 : Infinity;
}

function timeWords(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (h >= 24) return `还剩 ${Math.floor(h / 24)} 天`;
  const two = (n) => String(n).padStart(2, "0");
  return `还剩 ${h ? `${h}:${two(m)}` : m}:${two(s)}`;
}

let before = Infinity;
function tick() {
  const now = secondsLeft();
  if (now === Infinity) return;
  if (now <= 0) {
    clock.textContent = "时间到";
    sitting.querySelector(".sit-columns").inert = true;
    if (!ending) {
      tell("时间到了，正在交卷。");
      finish();
    }
    return;
  }
  clock.textContent = timeWords(now);
  clock.classList.toggle("soon", now <= TOLD_S[0]);
  for (const mark of TOLD_S) if (before > mark && now <= mark && before !== Infinity) tell(`还剩 ${mark / 60} 分钟。`);
  before = now;
}

// -- one question at a time -------------------------------------------------------------------------------------

function move(to, remember = true) {
  const target = document.getElementById(to === "check" ? "check" : `q${to}`) ?? questions[0];
  const n = questions.indexOf(target) + 1;
  if (n && secondsLeft() > 0) ending = false;
  for (const view of views) view.hidden = view !== target;
  place.textContent = n ? `第 ${n} / ${questions.length} 题` : "检查";
  for (const jump of jumps) {
    if (Number(jump.value) === n) jump.setAttribute("aria-current", "step");
    else jump.removeAttribute("aria-current");
  }
  if (remember) history.pushState(null, "", `?q=${n || "check"}`);
  paint();
  window.scrollTo(0, 0);
  target.querySelector("h2").focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  if (event.target.id === "submit") {
    event.preventDefault();
    finish();
  } else if (event.submitter) {
    event.preventDefault();
    move(event.submitter.value);
    send();
  }
});
sitting.addEventListener("click", (event) => {
  const link = event.target.closest("#check a");
  if (link) {
    event.preventDefault();
    move(new URL(link.href).searchParams.get("q"));
  }
  const mark = event.target.closest("[data-mark]");
  if (mark) toggleMark(mark.closest("form").dataset.position);
});
window.addEventListener("popstate", () => move(new URLSearchParams(location.search).get("q") ?? "1", false));

function toggleMark(position) {
  const marks = new Set(kept(MARKS) ?? []);
  if (!marks.delete(position)) marks.add(position);
  keep(MARKS, [...marks]);
  paint();
}

// -- what one sees of it ----------------------------------------------------------------------------------------

const WORDS = {
  away: "没有网，先存在本机，连上后自动保存",
  busy: "服务器没有应答，先存在本机，稍后自动保存",
  shut: "登录已失效，或这一页打开得太久。答案存在本机，重新打开后自动保存。",
  wrong: "这道题没有保存上。请重新打开这一页，检查后再试。",
};

function stateWords() {
  if (trouble === "away" && ending) return "没有网，连上后自动交卷，请不要关闭这一页";
  if (trouble === "away" && !lasting) return "没有网，连上后自动保存，请不要关闭这一页";
  if (trouble) return WORDS[trouble];
  if (ending) return "正在交卷…";
  if (unsent().length) return "正在保存…";
  return questions.some((form) => Number(form.dataset.change)) ? "已保存" : "答案会自动保存";
}

function paint() {
  const marks = new Set(kept(MARKS) ?? []);
  const gaps = [];
  questions.forEach((form, i) => {
    const [answered, marked] = [isAnswered(form), marks.has(form.dataset.position)];
    if (!answered) gaps.push(i + 1);
    jumps[i].toggleAttribute("data-answered", answered);
    jumps[i].toggleAttribute("data-marked", marked);
    jumps[i].querySelector("[data-told]").textContent = `${answered ? "，已答" : "，没有答"}${marked ? "，拿不准" : ""}`;
    form.querySelector("[data-mark]").setAttribute("aria-pressed", String(marked));
    form.querySelector("[data-settle]")?.toggleAttribute("hidden", answered);
  });
  document.getElementById("n-answered").textContent = `已答 ${questions.length - gaps.length} / ${questions.length}`;
  paintCheck(gaps, questions.flatMap((form, i) => (marks.has(form.dataset.position) ? [i + 1] : [])));

  saved.dataset.state = trouble || (ending || unsent().length ? "saving" : "");
  if (saved.textContent === stateWords()) return;
  saved.textContent = stateWords();
  if (trouble !== "shut" && trouble !== "wrong") return;
  const again = document.createElement("a");
  again.href = location.href;
  again.textContent = "重新打开";
  saved.append(" ", again);
}

function paintCheck(gaps, marked) {
  const words = gaps.length ? `还有 ${gaps.length} 题没有作答。` : `${questions.length} 题都已作答。`;
  document.getElementById("gaps").textContent = words + (marked.length ? `拿不准的有第 ${marked.join("、")} 题。` : "");
  const list = document.getElementById("gap-list");
  list.hidden = !gaps.length;
  list.replaceChildren(...gaps.map((n) => {
    const row = document.createElement("li");
    const link = document.createElement("a");
    const more = document.createElement("span");
    link.className = "jump";
    link.href = `?q=${n}`;
    more.className = "sr";
    more.textContent = "，去作答";
    link.append(String(n), more);
    row.append(link);
    return row;
  }));
  document.getElementById("back-to-work").href = `?q=${gaps[0] ?? questions.length}`;
  const button = document.querySelector("#submit button");
  button.textContent = ending ? "正在交卷…" : gaps.length ? "就这样交卷" : "交卷";
  button.toggleAttribute("aria-disabled", ending);
}

// -- ordering: rows move by buttons, or by choosing their place -----------------------------------------------------

const placeOf = (row) => row.querySelector("[name=place]");

function number(list) {
  [...list.children].forEach((row, i) => { placeOf(row).value = String(i + 1); });
}

function moveTo(row, to) {
  const list = row.parentElement;
  const others = [...list.children].filter((one) => one !== row);
  const focused = document.activeElement;
  if (to >= 0) list.insertBefore(row, others[to] ?? null);
  number(list);
  focused?.focus();
  tell(`“${textOf(row)}”排第 ${placeOf(row).value}。`);
}

function arrange(list, answer) {
  const rows = new Map([...list.children].map((row) => [Number(row.dataset.option), row]));
  for (const row of rows.values()) placeOf(row).value = "";
  answer.forEach((option, i) => { placeOf(rows.get(option)).value = String(i + 1); });
  list.prepend(...answer.map((option) => rows.get(option)));
}

const textOf = (row) => row.querySelector(".order-text").textContent;

function button(words, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "secondary";
  made.textContent = words;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

for (const list of sitting.querySelectorAll(".order")) {
  const form = list.closest("form");
  for (const row of list.children) {
    const step = (by) => () => {
      const at = [...list.children].indexOf(row) + by;
      if (at < 0 || at >= list.children.length) return;
      moveTo(row, at);
      changed(form);
    };
    const steps = document.createElement("span");
    steps.className = "order-steps";
    steps.append(button("↑", `“${textOf(row)}”上移`, step(-1)), button("↓", `“${textOf(row)}”下移`, step(1)));
    row.append(steps);
  }
  const settle = button("就是这个顺序", "", () => {
    number(list);
    changed(form);
  });
  settle.dataset.settle = "";
  list.after(settle);
}

// -- begin: what was left here by an earlier visit goes on -----------------------------------------------------------

for (const form of questions) {
  const mine = waiting(form);
  if (mine && mine.change > Number(form.dataset.change)) write(form, mine.answer);
  else if (mine) drop(PREFIX + form.dataset.position);
}
for (const more of sitting.querySelectorAll("[data-scripted]")) more.hidden = false;
if (sitting.dataset.secondsLeft) setClock(Number(sitting.dataset.secondsLeft));
history.replaceState(null, "", `?q=${views.find((view) => !view.hidden).id.replace("q", "")}`);
paint();
tick();
setInterval(tick, 1000);
send();
