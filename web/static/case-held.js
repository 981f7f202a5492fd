// Pages from which one begins to write: what an earlier visit could not send is sent, and what cannot be is shown.

import { all, forgetPerson, rememberPerson, remove } from "./case-keep.js";
import { deliver, identify, me } from "./case-send.js";

const held = document.getElementById("held");

async function begin() {
  me.person = held.dataset.person;
  if (!(await identify())) return forgetPerson();
  await rememberPerson(me.person, me.name, me.branches);
  const n = await deliver();
  await show();
  if (n) location.replace(`/manage/cases?done=delivered`);
}

/** Texts that the server would not take, since their draft is gone: to be copied from, and let go. */
async function show() {
  const stuck = (await all("saves", me.person)).filter((record) => record.stuck);
  held.querySelector("ul").replaceChildren(...stuck.map((record) => {
    const row = document.createElement("li");
    const text = document.createElement("p");
    const drop = document.createElement("button");
    text.className = "elsewhere";
    text.textContent = record.save.text;
    drop.type = "button";
    drop.className = "secondary";
    drop.textContent = "删掉";
    drop.addEventListener("click", async () => {
      await remove("saves", record.key);
      await show();
    });
    row.append(text, drop);
    return row;
  }));
  held.hidden = !stuck.length;
}

navigator.serviceWorker?.register("/cases/worker.js").catch(() => {});
window.addEventListener("online", () => begin().catch(() => {}));
begin().catch(() => {
  // No link, or nobody signed in: it waits for the next visit.
});
