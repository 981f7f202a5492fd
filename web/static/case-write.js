// Writing a case: every field is kept on this device first and then sent, so that a broken link or a reload loses nothing;
// what others write meanwhile is shown, and put together with one's own by the server. Without this module the page is
// one form that the server takes whole. The page for no link is the same form, filled from what is kept here.

import { Field } from "./case-field.js";
import { all, forgetPerson, keeping, lastPerson, newKey, put, rememberPerson, remove, removeSent } from "./case-keep.js";
import { redrawn, small } from "./case-photo.js";
import { ask, begin, deliver, identify, isRefusal, me, recordOf, same, sendPhoto, sendSave } from "./case-send.js";

const PAUSE_MS = 600;
const POLL_MS = 4000;
const SOONEST_MS = 1000;
const LATEST_MS = 30000;
const BESIDE_MS = 1500;
const WINDOWS_MS = 150;
const BESIDE_OF = ["title", "problem", "practice"];

const form = document.getElementById("case-form");
const [saved, told, writers, waitingList, attached, beside] =
  ["saved", "told", "writers", "waiting", "attached", "beside"].map((id) => document.getElementById(id));
const here = form.dataset;
const offline = !here.person;
const tell = (words) => { told.textContent = words; };

// -- fields ----------------------------------------------------------------------------------------------------------

const fields = [...form.querySelectorAll("[data-field]")].map((wrapper) => new Field(wrapper));
const byId = new Map(fields.map((field) => [field.id, field]));
const fieldOf = (element) => byId.get(element.closest("[data-field]")?.dataset.field);
const unsent = () => fields.filter((field) => field.record && !field.record.stuck);

// -- writing: kept here a moment after a change --------------------------------------------------------------------------

let timer = 0;
let lastInput = 0;

form.addEventListener("input", (event) => {
  const field = fieldOf(event.target);
  if (!field) return;
  lastInput = Date.now();
  if (field.shape === "figures" && field.rows.at(-1).contains(event.target) && event.target.value) field.addRow();
  showTitle();
  keep(field);
  clearTimeout(timer);
  timer = setTimeout(commit, PAUSE_MS);
  paint();
});
form.addEventListener("compositionstart", (event) => {
  const field = fieldOf(event.target);
  if (field) field.composing = new Promise((done) => event.target.addEventListener("compositionend", done, { once: true }));
});
form.addEventListener("compositionend", (event) => {
  const field = fieldOf(event.target);
  if (field) field.composing = null;
});
form.addEventListener("keydown", (event) => {
  // In a form that saves by itself the Enter key sends nothing.
  if (event.key === "Enter" && event.target.matches("input[type=text]")) event.preventDefault();
});
form.addEventListener("focusout", (event) => {
  const field = fieldOf(event.target);
  if (!field || field.wrapper.contains(event.relatedTarget)) return;
  if (!field.changed && !field.record && field.theirs) adopt(field, field.theirs);
  else commit();
});

/** Keep a field as it stands on this device, if it is not what was kept last. */
async function keep(field) {
  if (field.composing || !field.changed) return;
  // Set before anything is waited for: whoever calls this goes by it.
  field.record = recordOf(field.record ?? field.last, field.read(), field.base, {
    key: newKey(),
    person: here.person,
    case: here.case,
    field: field.id,
  });
  field.trouble = "";
  await beginHere();
  await put("saves", field.record);
}

/** Keep what was changed, and send it. */
async function commit() {
  clearTimeout(timer);
  await Promise.all(fields.map(keep));
  paint();
  return send();
}

// -- sending: one after another, and again until it is there -----------------------------------------------------------

let wait = 0;
let retry = 0;
let sending = null;
let trouble = "";
let fresh = false;

function send() {
  if (offline) return Promise.resolve();
  sending ??= sendAll().finally(() => {
    sending = null;
    paint();
  });
  return sending;
}

async function sendAll() {
  clearTimeout(retry);
  paint();
  try {
    let left = 1;
    while (left) {
      let field;
      while ((field = unsent()[0])) await save(field);
      await sendPhotos();
      well();
      await deliver((caseId) => caseId === here.case);
      // What was written or chosen meanwhile has asked for this round, not for one of its own.
      left = (await waitingPhotos()).length + unsent().length;
    }
  } catch (problem) {
    await fail(problem);
  }
}

async function save(field) {
  const record = field.record;
  let now;
  try {
    now = await sendSave(record);
  } catch (problem) {
    if (!isRefusal(problem)) throw problem;
    await refused(field, record, problem);
    return;
  }
  await field.composing;
  keep(field);
  // More was written meanwhile: it is sent next, over the same revision.
  if (field.record !== record) return;
  const before = field.text;
  field.last = record;
  field.record = null;
  removeSent(record);
  if (!same(field.read(), now.text)) field.write(now.text);
  field.settle(field.read(), now.revision);
  if (now.contested) {
    field.clash();
    tell(`${labelOf(field)}：别人也改了这一栏，请看一遍。`);
  } else if (now.merged) tell(`${labelOf(field)}：别人也改了这一栏，已合在一起。`);
  if (now.merged || now.contested || same(before, now.text)) field.sayOther("");
  paint();
  if (BESIDE_OF.includes(field.id)) showBeside();
}

/** This field alone is in the way: it stays here as it is. */
async function refused(field, record, problem) {
  const why = (await problem.json().catch(() => null))?.title;
  field.trouble = problem.status === 404 ? "这个草稿已经不在了，写的只存在这台手机上" : why || "没有保存上，请检查后再改一改";
  if (field.record !== record) return;
  field.record = { ...record, stuck: problem.status };
  await put("saves", field.record);
  tell(field.trouble);
}

function showTitle() {
  const words = byId.get("title").read().trim() || (here.case.startsWith("new-") ? "新案例" : "还没有标题");
  document.getElementById("case-title").textContent = words;
}

const labelOf = (field) => field.wrapper.querySelector("label, legend").firstChild.textContent.trim();

function well() {
  if (trouble) tell("已连上，存在这台手机上的都发出了。");
  trouble = "";
  fresh = false;
  wait = 0;
}

async function fail(problem) {
  const status = problem instanceof Response ? problem.status : 0;
  const was = trouble;
  if (status === 403 && !fresh && (await renewed())) {
    fresh = true;
    retry = setTimeout(send, 0);
    return;
  }
  trouble = trouble === "other" ? "other" : { 401: "shut", 403: "shut" }[status] ?? (status ? "busy" : "away");
  if (trouble !== was) tell(WORDS[trouble]);
  paint();
  if (trouble === "shut" || trouble === "other") return;
  const asked = status ? Number(problem.headers.get("retry-after")) * 1000 : 0;
  wait = Math.max(Math.min(wait * 2 || SOONEST_MS, LATEST_MS), asked || 0);
  retry = setTimeout(send, wait);
}

/** The page was open longer than its token is good for: a fresh one, if it is still the same person. */
async function renewed() {
  try {
    if (await identify()) return true;
    trouble = "other";
  } catch {
    // Then it is told as what it was.
  }
  return false;
}

window.addEventListener("online", () => {
  wait = 0;
  if (offline) rejoin();
  else send().then(poll);
});
window.addEventListener("offline", () => {
  trouble = "away";
  tell(WORDS.away);
  paint();
});
document.addEventListener("visibilitychange", () => (document.hidden ? commit() : send().then(poll)));
window.addEventListener("pagehide", commit);
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
window.addEventListener("beforeunload", (event) => {
  if (!keeping.lasting && unsent().length) event.preventDefault();
});

// -- a button of the form: when everything is there ------------------------------------------------------------------

let ready = false;
form.addEventListener("submit", async (event) => {
  if (ready) return;
  event.preventDefault();
  const button = event.submitter;
  saved.textContent = "正在保存…";
  await commit();
  await send();
  if (offline || trouble || fields.some((field) => field.record) || (await waitingPhotos()).length) {
    tell(trouble === "away" ? "没有网，连上后再按一次。" : "还有没保存上的，请看标出的那一栏。");
    return paint();
  }
  ready = true;
  form.requestSubmit(button);
});
document.getElementById("drop")?.addEventListener("submit", async () => {
  for (const store of ["saves", "photos", "forms"]) {
    for (const one of await all(store, here.person)) if (one.case === here.case) await remove(store, one.key);
  }
});
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", (event) => {
  const left = unsent().length || waitingList.children.length;
  if (left && !confirm("这台手机上还有没发出的内容，退出会把它们删掉。仍要退出吗？")) event.preventDefault();
});

// -- writing together --------------------------------------------------------------------------------------------------

let revision = Number(here.revision);
let polling = 0;

async function poll() {
  clearTimeout(polling);
  if (offline || document.hidden) return;
  try {
    const at = fields.find((field) => field.focused)?.id ?? "";
    const now = await ask("GET", `/v1/cases/${here.case}/form?since=${revision}${at ? `&at=${at}` : ""}`);
    for (const [id, theirs] of Object.entries(now.fields)) meet(byId.get(id), theirs);
    revision = Math.max(revision, now.revision);
    showState(now.state);
    showWriters(now.writers.filter((one) => one.person_id !== here.person));
    if (trouble === "away" || trouble === "busy") send();
    keepForm();
  } catch (problem) {
    if (!(problem instanceof Response)) away();
    else if (problem.status === 404) return gone();
    else if (problem.status === 401) await fail(problem);
  }
  polling = setTimeout(poll, POLL_MS);
}

function away() {
  if (trouble === "away") return;
  trouble = "away";
  tell(WORDS.away);
  paint();
}

function gone() {
  trouble = "gone";
  tell(WORDS.gone);
  paint();
}

function meet(field, theirs) {
  if (!field || theirs.revision <= field.base) return;
  const who = theirs.by_name || "别人";
  if (field.record || field.changed) return field.sayOther(`${who}也改了这一栏，保存时会合在一起`);
  if (!field.focused) return adopt(field, theirs);
  field.theirs = theirs;
  field.sayOther(`${who}刚改了这一栏，您离开这一栏时换成新的`);
}

function adopt(field, theirs) {
  const who = theirs.by_name || "别人";
  const news = !same(field.read(), theirs.text);
  field.write(theirs.text);
  field.settle(field.read(), theirs.revision);
  field.sayOther(news ? `${who}刚改过` : "");
  showTitle();
  if (news) tell(`${labelOf(field)}：${who}刚改过。`);
}

function showState(state) {
  const badge = document.getElementById("case-state");
  if (badge.dataset.state === state) return;
  badge.dataset.state = state;
  badge.textContent = { draft: "草稿", in_review: "待审", approved: "已审，待发布", published: "已发布" }[state];
}

const placeWords = (id) => (byId.has(id) ? `在写“${labelOf(byId.get(id))}”` : "打开着这一页");

function showWriters(others) {
  const words = others.length ? `一起写的：${others.map((one) => `${one.name}${placeWords(one.field)}`).join("，")}` : "";
  if (writers.textContent !== words) writers.textContent = words;
  writers.hidden = !words;
  for (const field of fields) {
    const names = others.filter((one) => one.field === field.id).map((one) => one.name);
    field.wrapper.toggleAttribute("data-shared", names.length > 0);
    const other = field.wrapper.querySelector("[data-other]");
    if (names.length && !other.textContent) other.textContent = `${names.join("、")}正在写这一栏`;
    else if (!names.length && other.textContent.endsWith("正在写这一栏")) other.textContent = "";
  }
}

// -- photographs and files ---------------------------------------------------------------------------------------------

const rowOf = new Map();

async function waitingPhotos() {
  return (await all("photos", here.person)).filter((photo) => photo.case === here.case && !photo.stuck);
}

for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", async () => {
    const chosen = [...input.files];
    // What was chosen is kept here from now on; the form must not send it once more.
    input.value = "";
    if (!chosen.length) return;
    await beginHere();
    for (const file of chosen) await take(file);
    send();
  });
}

async function take(file) {
  const picture = file.type.startsWith("image/") ? await redrawn(file) : null;
  const blob = picture ?? file;
  if (blob.size > Number(here.maxMb) * 1024 * 1024) return tell(`“${file.name}”超过 ${here.maxMb} MB，没有放进来。`);
  const photo = {
    key: newKey(),
    person: here.person,
    case: here.case,
    at: Date.now(),
    name: picture ? photoName() : file.name,
    type: blob.type,
    bytes: await blob.arrayBuffer(),
  };
  await put("photos", photo);
  await showWaiting(photo);
}

function photoName() {
  const now = new Date();
  const two = (n) => String(n).padStart(2, "0");
  const at = `${two(now.getMonth() + 1)}${two(now.getDate())}-${two(now.getHours())}${two(now.getMinutes())}`;
  return `照片-${at}-${newKey().slice(0, 4)}.jpg`;
}

async function showWaiting(photo) {
  if (rowOf.has(photo.key)) return;
  const row = document.createElement("li");
  const text = document.createElement("div");
  const name = document.createElement("p");
  const state = document.createElement("p");
  const drop = document.createElement("button");
  rowOf.set(photo.key, row);
  row.className = "attached";
  name.className = "attached-name";
  name.textContent = photo.name;
  state.className = "kept";
  drop.type = "button";
  drop.className = "plain";
  drop.textContent = "移除";
  drop.addEventListener("click", async () => {
    await remove("photos", photo.key);
    row.remove();
  });
  text.append(name, state, drop);
  row.append(text);
  waitingList.append(row);
  paint();
  const picture = photo.type.startsWith("image/") ? await small(new Blob([photo.bytes], { type: photo.type })) : null;
  if (!picture) return;
  picture.className = "thumb";
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", photo.name);
  row.prepend(picture);
}

async function sendPhotos() {
  for (const photo of await waitingPhotos()) {
    try {
      attached.innerHTML = await sendPhoto(photo);
      rowOf.get(photo.key)?.remove();
      tell(`“${photo.name}”已放进附件。`);
    } catch (problem) {
      if (!isRefusal(problem)) throw problem;
      await remove("photos", photo.key);
      const why = (await problem.json().catch(() => null))?.title;
      const row = rowOf.get(photo.key);
      row?.querySelector(".kept")?.replaceChildren(`没有放进来：${why || "这个文件收不了"}`);
      row?.setAttribute("data-refused", "");
      tell(`“${photo.name}”没有放进来。`);
    }
  }
}

form.addEventListener("change", async (event) => {
  const row = event.target.closest("[data-attachment]");
  if (!row || offline) return;
  const body = new FormData();
  body.append("caption", event.target.value);
  try {
    await ask("POST", `/cases/${here.case}/attachments/${row.dataset.attachment}/caption?part=list`, body);
    tell("说明已保存。");
  } catch {
    tell("说明没有保存上，请再试一次。");
  }
});

// -- what one sees of it -----------------------------------------------------------------------------------------------

const WORDS = {
  away: "没有网，写的会存在这台手机上",
  busy: "服务器没有应答，已存在这台手机上，稍后再发",
  shut: "登录已失效，写的存在这台手机上。",
  other: "这台手机上登录的已经是别人，写的留在这里，等您登录后再发。",
  gone: "这个草稿已经不在了，或您不能再改它。",
};

function fieldWords(field) {
  if (field.trouble) return [field.trouble, "wrong"];
  if (!field.record && !field.changed) return ["已保存", ""];
  if (!offline && !trouble) return ["正在保存…", "saving"];
  return [offline || trouble === "away" ? keptWords() : "存在这台手机上", "away"];
}

const keptWords = () => (keeping.lasting ? "没有网，已存在这台手机上" : "没有网，请不要关闭这一页");

function paint() {
  for (const field of fields) {
    field.touched ||= field.changed || field.record !== null;
    if (field.touched) field.say(...fieldWords(field));
  }
  const photos = [...waitingList.children].filter((row) => !row.hasAttribute("data-refused"));
  for (const row of photos) row.querySelector(".kept").textContent = offline || trouble ? keptWords() : "正在发送…";
  const left = unsent().length + photos.length;
  let words = "写的会自动保存";
  if (offline) words = left ? keptWords() : "没有网，写的会存在这台手机上";
  else if (trouble) words = trouble === "away" && left ? keptWords() : WORDS[trouble];
  else if (left) words = "正在保存…";
  else if (fields.some((field) => field.trouble)) words = "有一栏没有保存上";
  else if (fields.some((field) => field.touched)) words = "已保存";
  saved.dataset.state = trouble || (left ? "saving" : "");
  if (saved.textContent === words) return;
  saved.textContent = words;
  if (trouble !== "shut" && trouble !== "other") return;
  const again = document.createElement("a");
  again.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
  again.textContent = "重新登录";
  saved.append(" ", again);
}

let besideTimer = 0;
let besideNow = "";
function showBeside() {
  if (!beside) return;
  clearTimeout(besideTimer);
  besideTimer = setTimeout(async () => {
    try {
      const html = await ask("GET", beside.dataset.from);
      // A link in hand would lose the focus to a list that says the same.
      if (besideNow === html) return;
      besideNow = html;
      const unfolded = beside.querySelector("details").open && beside.querySelector("ul");
      beside.innerHTML = html;
      if (unfolded) beside.querySelector("details").open = true;
    } catch {
      // It is a comfort; the next pause asks again.
    }
  }, BESIDE_MS);
}

// -- begin: what was left here by an earlier visit goes on -------------------------------------------------------------

/** A copy of the form, to go on with where there is no link. */
function keepForm() {
  const copy = Object.fromEntries(fields.map((field) => [field.id, { text: field.text, base: field.base }]));
  return put("forms", {
    key: `${here.person} ${here.case}`,
    person: here.person,
    case: here.case,
    at: Date.now(),
    branch: here.branch,
    fields: copy,
  });
}

/** Go on with what is kept of this case. Of several texts for one field the last is shown, and all are sent. */
async function goOn() {
  const elsewhere = await heldElsewhere();
  const taken = new Set();
  for (const record of await all("saves", here.person)) {
    const field = record.case === here.case && !elsewhere.has(record.key) ? byId.get(record.field) : null;
    if (!field || field.record?.key === record.key) continue;
    if (field.record && !taken.has(field)) {
      // Somebody began to write before this was read.
      orphans.push(record);
      continue;
    }
    if (field.record) orphans.push(field.record);
    taken.add(field);
    field.record = { ...record, stuck: undefined };
    field.write(record.save.text);
    field.base = record.save.base;
  }
  for (const photo of await waitingPhotos()) await showWaiting(photo);
  showTitle();
}
const orphans = [];

async function sendOrphans() {
  while (orphans.length) {
    await sendSave(orphans[0]);
    await removeSent(orphans.shift());
  }
}

// A window that is open goes on with its own texts.
const windows = new BroadcastChannel("gongxue-cases");
const answers = new Set();
windows.addEventListener("message", ({ data }) => {
  if (data.asks) windows.postMessage({ held: fields.flatMap((field) => (field.record ? [field.record.key] : [])) });
  for (const key of data.held ?? []) answers.add(key);
});

async function heldElsewhere() {
  windows.postMessage({ asks: true });
  await new Promise((done) => setTimeout(done, WINDOWS_MS));
  return answers;
}

async function startHere() {
  Object.assign(me, { person: here.person, name: here.name, token: form.querySelector("[name=form_token]").value });
  await goOn();
  keepForm();
  identify()
    .then((known) => (known ? rememberPerson(me.person, me.name, me.branches) : forgetPerson()))
    .catch(() => {});
  await sendOrphans().catch(fail);
  await send();
  poll();
}

// -- no link: a new case, or one whose form is kept here -----------------------------------------------------------------

let draft = null;

/** A case that was never begun on the server is begun here, when there is something in it. */
async function beginHere() {
  if (!offline || draft || !here.case.startsWith("new-")) return;
  draft = { key: here.case, person: here.person, at: Date.now(), branch: here.branch };
  await put("begun", draft);
  history.replaceState(null, "", `/cases/new?local=${here.case}`);
}

async function startOffline() {
  const person = await lastPerson();
  const caseId = /^\/cases\/([0-9a-f]{16})\/write$/.exec(location.pathname)?.[1];
  document.getElementById("nobody").hidden = Boolean(person);
  if (!person) return;
  Object.assign(here, { person: person.id, name: person.name });
  Object.assign(me, { person: person.id, name: person.name, branches: person.branches });
  const copy = caseId && (await all("forms", person.id)).find((one) => one.case === caseId);
  if (caseId && !copy) {
    document.getElementById("offline-notice").textContent = "现在没有网，这个草稿也没有存在这台手机上。连上网再打开它。";
    document.getElementById("case-title").textContent = "打不开这个草稿";
    retry = setTimeout(rejoin, SOONEST_MS);
    return;
  }
  const local = new URLSearchParams(location.search).get("local");
  draft = (await all("begun", person.id)).find((one) => one.key === local) ?? null;
  here.case = caseId ?? draft?.key ?? `new-${newKey()}`;
  here.branch = copy?.branch ?? draft?.branch ?? person.branches[0]?.id ?? "";
  for (const [id, kept] of Object.entries(copy?.fields ?? {})) {
    byId.get(id)?.write(kept.text);
    byId.get(id)?.settle(kept.text, kept.base);
  }
  await goOn();
  showBranch(person);
  await showHeld(person);
  form.hidden = false;
  paint();
  retry = setTimeout(rejoin, SOONEST_MS);
}

function showBranch(person) {
  const isNew = here.case.startsWith("new-");
  const name = person.branches.find((one) => one.id === here.branch)?.name ?? "";
  document.getElementById("case-branch").textContent = `${name}　以 ${person.name} 的名义`;
  if (!isNew || person.branches.length < 2) return;
  const choice = document.getElementById("branch");
  choice.replaceChildren(...person.branches.map((one) => new Option(one.name, one.id, false, one.id === here.branch)));
  choice.addEventListener("change", () => {
    here.branch = choice.value;
    if (draft) put("begun", (draft = { ...draft, branch: choice.value }));
  });
  document.getElementById("choose-branch").hidden = false;
}

/** Other cases that were begun here without a link. */
async function showHeld(person) {
  const others = (await all("begun", person.id)).filter((one) => one.key !== here.case);
  if (!others.length) return;
  const saves = await all("saves", person.id);
  const held = document.getElementById("held");
  held.querySelector("ul").replaceChildren(...others.map((one) => {
    const row = document.createElement("li");
    const link = document.createElement("a");
    const title = saves.find((record) => record.case === one.key && record.field === "title");
    link.href = `/cases/new?local=${one.key}`;
    link.textContent = title?.save.text.trim() || "还没有标题";
    row.append(link);
    return row;
  }));
  held.hidden = false;
}

/** The link is back, or may be: what was written goes to the server, and the page of the case takes over. */
async function rejoin() {
  clearTimeout(retry);
  if (rejoining) return;
  rejoining = true;
  let again = 0;
  try {
    again = await handOver();
  } catch (problem) {
    if (problem instanceof Response && problem.status === 401) sayNotice("已连上网，但登录已失效。写的存在这台手机上，", "登录", "后自动发出。");
    else again = wait = Math.min(wait * 2 || SOONEST_MS, LATEST_MS / 2);
  } finally {
    rejoining = false;
  }
  if (again) retry = setTimeout(rejoin, again);
}
let rejoining = false;

/** Leave this page for that of the server; how long to wait where that is not to be done yet. */
async function handOver() {
  await started;
  if (form.hidden) {
    await ask("GET", "/cases/writer");
    location.reload();
    return 0;
  }
  if (Date.now() - lastInput < PAUSE_MS * 3) return PAUSE_MS;
  await commit();
  if (!(await identify())) sayNotice(WORDS.other);
  else if (!here.case.startsWith("new-")) location.reload();
  else location.replace(draft ? `/cases/${await begin(draft)}/write` : "/cases/new");
  return 0;
}

function sayNotice(before, linked = "", after = "") {
  const link = document.createElement("a");
  link.href = "/sign-in?next=/manage/cases";
  link.textContent = linked;
  document.getElementById("offline-notice").replaceChildren(before, ...(linked ? [link, after] : []));
}

for (const more of document.querySelectorAll(".unscripted")) more.hidden = true;
for (const more of document.querySelectorAll(".scripted-only")) more.classList.remove("scripted-only");
navigator.serviceWorker?.register("/cases/worker.js").catch(() => {});
const started = offline ? startOffline() : startHere();
