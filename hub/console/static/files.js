// Files for an answer: chosen, dropped or pasted, they are kept at once and stand as chips until the answer is sent.

const form = () => document.querySelector("form[data-files]");
const isText = (target) => target.id === "compose" || Boolean(target.closest?.(".editor"));
const chips = () => document.getElementById("files");

export function attachFiles() {
  document.addEventListener("change", (event) => {
    if (event.target.id !== "pick-files") return;
    const chosen = [...event.target.files];
    event.target.value = ""; // they are sent here, not once more with the form
    upload(chosen);
  });
  document.addEventListener("paste", (event) => {
    if (isText(event.target)) take(event, event.clipboardData);
  });
  document.addEventListener("drop", (event) => {
    event.target.classList?.remove("dropping");
    if (isText(event.target)) take(event, event.dataTransfer);
  });
  for (const [name, on] of [["dragover", true], ["dragleave", false]]) {
    document.addEventListener(name, (event) => {
      if (event.target.id === "compose") event.target.classList.toggle("dropping", on);
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-drop-file]");
    if (!button) return;
    button.closest("li").remove();
    document.getElementById("compose")?.focus();
  });
}

function take(event, data) {
  const files = [...(data?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  upload(files);
}

function say(words) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("p"), { className: "notice danger", textContent: words }));
  line.firstChild.setAttribute("role", "alert");
  chips().append(line);
}

async function upload(files) {
  const target = form();
  if (!target || !files.length) return;
  const body = new FormData();
  body.set("csrf", target.querySelector("[name=csrf]").value);
  for (const each of files) body.append("files", each, each.name || "picture.png");
  target.setAttribute("aria-busy", "true");
  try {
    for (const old of chips().querySelectorAll(".notice")) old.closest("li").remove();
    const answer = await fetch(target.dataset.files, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok && answer.status !== 422) throw new Error(`${answer.status}`); // 422 says itself what is wrong
    htmx.swap("#files", await answer.text(), { swapStyle: "beforeend" });
  } catch {
    say(target.dataset.failed);
  } finally {
    target.removeAttribute("aria-busy");
  }
}
