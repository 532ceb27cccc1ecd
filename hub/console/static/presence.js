// Colleagues in the same case see each other: each page says every few seconds that it is there, and whether somebody writes.

const EVERY_MILLISECONDS = 8000;
const WRITING_MILLISECONDS = 10000;
let typedAt = 0;
let said = { url: "", writing: false };

export function beSeen() {
  document.addEventListener("input", (event) => {
    if (event.target.id !== "compose") return;
    typedAt = Date.now();
    if (!said.writing) tell();
  });
  document.addEventListener("hubbub:written", () => {
    typedAt = 0;
    tell();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (place() !== said.url) tell();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : tell()));
  addEventListener("pagehide", leave);
  setInterval(tell, EVERY_MILLISECONDS);
  tell();
}

const place = () => document.getElementById("case")?.dataset.here ?? "";

async function tell() {
  const url = place();
  if (url !== said.url) leave();
  if (!url || document.hidden) return;
  const writing = Date.now() - typedAt < WRITING_MILLISECONDS;
  said = { url, writing };
  const answer = await send(url, { writing: writing ? "1" : "" }).catch(() => null);
  if (!answer?.ok || answer.headers.get("HX-Redirect") || place() !== url) return;
  const words = (await answer.text()).trim();
  const here = document.getElementById("here");
  if (here && here.dataset.said !== words) {
    here.dataset.said = words;
    here.replaceChildren(...new DOMParser().parseFromString(words, "text/html").body.childNodes);
  }
}

function leave() {
  if (said.url) send(said.url, { gone: "1" }).catch(() => {});
  said = { url: "", writing: false };
}

function send(url, fields) {
  const body = new FormData();
  body.set("csrf", document.querySelector("#case [name=csrf], #rail [name=csrf]")?.value ?? "");
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return fetch(url, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
}
