// Sending what is kept on this device, always as the person who wrote it: the server says who is signed in, and its token
// is good for that session alone.

import { all, newKey, put, remove, removeSent } from "./case-keep.js";

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

// -- saves: { key, person, case, field, at, save: { text, base, change_key } } ----------------------------------------
// The texts of one field from one window are a series: each holds what the one before it held, and the server knows by
// the number at the end of its key which came later. So only the last needs to be kept and sent, over the revision that
// was seen last.

/** What is kept of a text; `known` is what is kept already of the same field, `about` says whose and where it is. */
export function recordOf(known, text, base, about) {
  const [series, number] = (known?.save.change_key ?? `${newKey()}.0`).split(".");
  const save = { text, base, change_key: `${series}.${Number(number) + 1}` };
  return { ...about, ...known, at: Date.now(), stuck: undefined, save };
}

/** Send one save: what the server has now. The record stays until `removeSent`. */
export const sendSave = (record) => ask("PUT", `/v1/cases/${record.case}/form/${record.field}`, record.save);

/** Whether two texts differ in no more than white space at their ends, which some fields do not keep. */
export const same = (one, other) => one.trim() === other.trim();

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

/** Whether a record can be sent from here: its case is begun, and the server has not refused it. */
export const sendable = (kept) => !kept.stuck && !kept.case.startsWith("new-");

/** Send all that waits but what the page itself looks after; how much that was. Throws at the first trouble of the link. */
export async function deliver(mine = () => false) {
  let n = 0;
  for (const draft of await all("begun", me.person)) {
    if (mine(draft.key)) continue;
    await begin(draft);
    n += 1;
  }
  for (const record of await all("saves", me.person)) {
    if (mine(record.case) || !sendable(record)) continue;
    await unlessStuck("saves", record, async () => {
      await sendSave(record);
      await removeSent(record);
    });
    n += 1;
  }
  for (const photo of await all("photos", me.person)) {
    if (mine(photo.case) || !sendable(photo)) continue;
    await unlessStuck("photos", photo, () => sendPhoto(photo));
    n += 1;
  }
  return n;
}

/** Whether the server will not take it, however often it is sent. */
export const isRefusal = (trouble) =>
  trouble instanceof Response && [400, 404, 409, 413, 415, 422].includes(trouble.status);

/** What the server will not take stays on this device, to be copied from, and holds nothing else up. */
async function unlessStuck(store, kept, act) {
  try {
    return await act();
  } catch (trouble) {
    if (!isRefusal(trouble)) throw trouble;
    await put(store, { ...kept, stuck: trouble.status });
    return null;
  }
}
