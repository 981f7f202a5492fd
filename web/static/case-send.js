// Sending what is kept on this device, always as the person who wrote it: the server says who is signed in, and its token
// is good for that session alone. What may have arrived already is sent again under the same key before anything newer.

import { all, newKey, put, remove } from "./case-keep.js";

const ANSWER_MS = 20000;
const PHOTO_MS = 120000;

/** Who is signed in, as this page knows; filled in by the page, or by the server when it is asked. */
export const me = { person: "", name: "", token: "", branches: [] };

/** Ask the server; throws its answer if it refuses, and another error if there is no link. */
export async function ask(method, address, body) {
  const abort = new AbortController();
  const isForm = body instanceof FormData;
  const patience = setTimeout(() => abort.abort(), isForm ? PHOTO_MS : ANSWER_MS);
  const headers = { accept: "application/json" };
  if (body && !isForm) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-form-token"] = me.token;
  try {
    const answer = await fetch(address, {
      method,
      headers,
      body: body && !isForm ? JSON.stringify(body) : body,
      credentials: "same-origin",
      signal: abort.signal,
    });
    if (!answer.ok) throw answer;
    if (answer.status === 204) return null;
    return (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : await answer.text();
  } finally {
    clearTimeout(patience);
  }
}

/** Ask who is signed in, for a fresh token; whether it is still the one whose page this is. */
export async function identify() {
  const now = await ask("GET", "/cases/writer");
  const same = !me.person || me.person === now.person;
  if (same) Object.assign(me, now);
  return same;
}

// -- saves: { key, person, case, field, save: { text, base, change_key }, tried, later, at } -------------------------

/** A record of a text that was written over a revision; what is under way already keeps its key. */
export function recordOf(known, { key, person, at, case: caseId, field, text, base }) {
  if (!known) return { key, person, case: caseId, field, at, save: { text, base, change_key: newKey() }, tried: false, later: null };
  if (known.tried) return { ...known, at, later: text };
  return { ...known, at, save: { text, base: known.save.base, change_key: newKey() }, later: null };
}

/** Send one save. `now` gives the text as it stands when the answer comes. What is left to be sent is kept, and `left`. */
export async function sendSave(record, now = () => record.later ?? record.save.text) {
  record.tried = true;
  await put("saves", record);
  const saved = await ask("PUT", `/v1/cases/${record.case}/form/${record.field}`, record.save);
  const sent = record.save.text;
  const text = now();
  if (same(text, sent)) {
    await remove("saves", record.key);
    return { saved, text: same(saved.text, sent) ? text : saved.text, left: null };
  }
  // More was written meanwhile. If it does not fit into what others wrote, the server puts both beside each other.
  const joined = same(saved.text, sent) ? text : rebase(sent, text, saved.text);
  const left = {
    ...record,
    tried: false,
    later: null,
    save: { text: joined ?? text, base: joined === null ? record.save.base : saved.revision, change_key: newKey() },
  };
  await put("saves", left);
  return { saved, text: joined ?? text, left };
}

/** The server keeps no white space at the ends. */
export const same = (one, other) => one.trim() === other.trim();

/** Where two texts part, from the front and from the back. */
export function parting(one, other) {
  let front = 0;
  while (front < one.length && front < other.length && one[front] === other[front]) front += 1;
  let back = 0;
  while (back < one.length - front && back < other.length - front && one.at(-1 - back) === other.at(-1 - back)) back += 1;
  return { front, back };
}

/** What was written over `old`, in `theirs`, which grew out of `old` too; null if both changed the same place. */
export function rebase(old, mine, theirs) {
  const [a, b] = [parting(old, mine), parting(old, theirs)];
  const [myEnd, theirEnd] = [old.length - a.back, old.length - b.back];
  const written = mine.slice(a.front, mine.length - a.back);
  if (myEnd < b.front) return theirs.slice(0, a.front) + written + theirs.slice(myEnd);
  if (theirEnd < a.front) {
    const moved = theirs.length - old.length;
    return theirs.slice(0, a.front + moved) + written + theirs.slice(myEnd + moved);
  }
  return null;
}

// -- everything that waits, for pages that show none of it ------------------------------------------------------------

/** Begin a case that was written without a link: from here on what is kept of it belongs to its id. */
export async function begin(draft) {
  // A case is begun once for a token.
  if (!(await identify())) throw new Error("somebody else");
  const branch = draft.branch || me.branches[0]?.id;
  const { case_id: caseId } = await ask("POST", "/v1/cases", { branch_id: branch });
  for (const store of ["saves", "photos"]) {
    for (const one of await all(store, draft.person)) if (one.case === draft.key) await put(store, { ...one, case: caseId });
  }
  await remove("begun", draft.key);
  return caseId;
}

/** Send a photograph or a file; the list of attachments as it is now. */
export async function sendPhoto(photo) {
  const body = new FormData();
  body.append("file", new File([photo.bytes], photo.name, { type: photo.type }));
  const list = await ask("POST", `/cases/${photo.case}/attachments?part=list`, body);
  await remove("photos", photo.key);
  return list;
}

/** Send all that waits but what the page itself looks after; how many cases were begun. Throws at the first trouble. */
export async function deliver(mine = () => false) {
  let begun = 0;
  for (const draft of await all("begun", me.person)) {
    if (mine(draft.key)) continue;
    await begin(draft);
    begun += 1;
  }
  for (const record of await all("saves", me.person)) {
    if (mine(record.case) || record.case.startsWith("new-")) continue;
    let left = record;
    while (left) left = await sent(async () => (await sendSave(left)).left, left);
  }
  for (const photo of await all("photos", me.person)) {
    if (mine(photo.case) || photo.case.startsWith("new-")) continue;
    await sent(() => sendPhoto(photo), photo);
  }
  return begun;
}

/** What the server will not take stays here and holds nothing else up. */
async function sent(act, kept) {
  try {
    return await act();
  } catch (trouble) {
    if (trouble instanceof Response && [400, 404, 409, 413, 415, 422].includes(trouble.status)) {
      await put("people", { key: `stuck-${kept.key}`, person: `stuck-${kept.person}`, at: kept.at, case: kept.case });
      return null;
    }
    throw trouble;
  }
}
