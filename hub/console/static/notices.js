// What the server says that its reader is to be told (live.js hands it on): once, however many tabs are open.

const SEEN = "hubbub-notices";
const SEEN_AT_MOST = 200;
const SOUND_SECONDS = 0.18;

// The tab that is looked at comes first; of the others the one that gets the lock first.
export async function tell(notice) {
  if (document.hidden) await new Promise((resolve) => setTimeout(resolve, 400));
  if (!navigator.locks) return isNew(notice.id) && show(notice);
  await navigator.locks.request(SEEN, () => isNew(notice.id) && show(notice));
}

function isNew(id) {
  const seen = JSON.parse(localStorage.getItem(SEEN) ?? "[]");
  if (seen.includes(id)) return false;
  localStorage.setItem(SEEN, JSON.stringify([...seen, id].slice(-SEEN_AT_MOST)));
  return true;
}

function show(notice) {
  const text = document.body.dataset[`notice${notice.kind.replace(/(^|-)(\w)/g, (_, __, letter) => letter.toUpperCase())}`] ?? "";
  const url = `/console/cases/${notice.number}`;
  if (notice.sound) beep();
  if (!document.hidden && document.hasFocus()) return toast(text, notice, url);
  if (!notice.browser || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(text, { body: notice.subject || notice.number, tag: notice.id, icon: iconUrl() });
  shown.onclick = () => {
    window.focus();
    location.assign(url);
  };
}

function toast(text, notice, url) {
  const made = document.createElement("div");
  made.className = "toast";
  const said = document.createElement("span");
  said.textContent = `${text} `;
  const link = document.createElement("a");
  link.href = url;
  link.textContent = notice.subject || notice.number;
  link.dir = "auto";
  said.append(link);
  made.append(said);
  document.getElementById("toasts")?.replaceChildren(made);
}

const iconUrl = () => document.querySelector('link[rel="icon"]')?.href;

// Two soft tones, made here: no file to fetch. Browsers stay silent until the page was clicked once.
function beep() {
  const audio = new AudioContext();
  for (const [at, pitch] of [[0, 660], [SOUND_SECONDS, 880]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.08, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + SOUND_SECONDS);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + SOUND_SECONDS);
  }
  setTimeout(() => audio.close(), 1000);
}

// On the page of preferences: the browser asks its user the moment that notifications are wanted.
export function askForNotices() {
  const box = document.querySelector("input[data-asks]");
  box?.addEventListener("change", async () => {
    if (!box.checked || !("Notification" in window)) return;
    if ((await Notification.requestPermission()) === "granted") return;
    box.setCustomValidity(box.dataset.asks);
    box.reportValidity();
    box.setCustomValidity("");
    box.checked = false;
  });
}
