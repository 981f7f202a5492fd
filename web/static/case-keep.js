// What somebody writes is kept in this browser until the server has it: fields, photographs, cases that are not begun
// yet, and a copy of the forms that were open, to go on with where there is no link. All of it is of one person.

const NAME = "gongxue-cases";
const STORES = ["saves", "photos", "begun", "forms", "people"];

/** False once something could be kept in memory only: it lasts as long as the page. */
export const keeping = { lasting: true };
const memory = new Map(STORES.map((store) => [store, new Map()]));

let opened;
function database() {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      for (const store of STORES) asked.result.createObjectStore(store, { keyPath: "key" });
    };
    asked.onsuccess = () => {
      // When all is forgotten in another window, this one must not hold it up.
      asked.result.onversionchange = () => { asked.result.close(); opened = undefined; };
      done(asked.result);
    };
    asked.onerror = () => fail(asked.error);
    asked.onblocked = () => fail(new Error("blocked"));
  });
  opened.catch(() => { opened = undefined; });
  return opened;
}

async function within(store, mode, act) {
  const transaction = (await database()).transaction(store, mode);
  const asked = act(transaction.objectStore(store));
  return new Promise((done, fail) => {
    transaction.oncomplete = () => done(asked?.result);
    transaction.onabort = transaction.onerror = () => fail(transaction.error);
  });
}

/** Keep something under its key. */
export async function put(store, value) {
  memory.get(store).set(value.key, value);
  try {
    await within(store, "readwrite", (kept) => kept.put(value));
    memory.get(store).delete(value.key);
  } catch {
    // Full, or shut off.
    keeping.lasting = false;
  }
}

/** Let go of what is kept under a key. */
export async function remove(store, key) {
  memory.get(store).delete(key);
  try {
    await within(store, "readwrite", (kept) => kept.delete(key));
  } catch {
    keeping.lasting = false;
  }
}

/** Let go of a save that has arrived, unless more was written since. */
export async function removeSent({ key, save }) {
  const arrived = (kept) => kept?.save.change_key === save.change_key;
  if (arrived(memory.get("saves").get(key))) memory.get("saves").delete(key);
  try {
    await within("saves", "readwrite", (store) => {
      const asked = store.get(key);
      asked.onsuccess = () => { if (arrived(asked.result)) store.delete(key); };
    });
  } catch {
    keeping.lasting = false;
  }
}

/** All that is kept of a person; of nobody else. */
export async function all(store, person) {
  let stored = [];
  try {
    stored = await within(store, "readonly", (kept) => kept.getAll());
  } catch {
    keeping.lasting = false;
  }
  const found = new Map(stored.map((value) => [value.key, value]));
  for (const [key, value] of memory.get(store)) found.set(key, value);
  return [...found.values()].filter((value) => value.person === person).sort((a, b) => a.at - b.at);
}

/** Whoever wrote here last: who a person without a link is. */
export async function lastPerson() {
  return (await all("people", "last"))[0] ?? null;
}

export const rememberPerson = (id, name, branches) =>
  put("people", { key: "last", person: "last", at: Date.now(), id, name, branches });

/** Nobody writes here by default: somebody is about to sign in. */
export const forgetPerson = () => remove("people", "last");

/** Nothing is left on this device: texts, photographs, the shell. */
export async function forget() {
  for (const kept of memory.values()) kept.clear();
  if (opened) (await opened.catch(() => null))?.close();
  opened = undefined;
  await new Promise((done) => {
    const asked = indexedDB.deleteDatabase(NAME);
    asked.onsuccess = asked.onerror = asked.onblocked = done;
  });
  if (!navigator.serviceWorker) return;
  const worker = await navigator.serviceWorker.getRegistration("/cases/");
  await worker?.unregister();
  for (const name of await caches.keys()) if (name.startsWith(NAME)) await caches.delete(name);
}

/** A fresh name of 20 digits; pages that are not secure have no randomUUID. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
