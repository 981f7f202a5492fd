// Keeps the shell of the writing page in this browser: one form that is nobody's, its script and its look. It is shown where
// a page for writing cannot be had; everything else is asked of the server as ever. Nothing else is ever kept by it.

const CACHE = "gongxue-cases-{{ version }}";
const SHELL = {{ shell | safe }};
const PATIENCE_MS = 10000;
const WRITING = /^\/cases\/(new|[0-9a-f]{16}\/write)$/;

self.addEventListener("install", (event) => {
  const bare = SHELL.map((address) => new Request(address, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(bare)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = (names) => names.filter((name) => name.startsWith("gongxue-cases-") && name !== CACHE);
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(others(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate" && WRITING.test(address.pathname)) {
    event.respondWith(inTime(request).catch(() => kept("/cases/offline")));
  } else if (SHELL.includes(address.pathname + address.search)) {
    event.respondWith(fetch(request).catch(() => kept(request)));
  }
});

/** The page, or a failure where the link is too weak to have it while somebody waits. */
function inTime(request) {
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), PATIENCE_MS));
  return Promise.race([fetch(request), late]);
}

async function kept(request) {
  const found = await caches.match(request, { ignoreVary: true });
  return found ?? Response.error();
}
