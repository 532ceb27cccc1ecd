// What came to a list or to what was searched for is said above it and moves nothing.

import { fragment } from "./fragments.js";
import { counted } from "./times.js";

const SEARCH_FIRST_MILLISECONDS = 1000;
const SEARCH_LAST_MILLISECONDS = 60000;

const fresh = new Set();
let place = null; // the bar that they were counted for: every list brings its own
let searching = 0;
let patience = SEARCH_FIRST_MILLISECONDS;

// The same tests as in the query that made the list, on what the stream says of a case.
export function belongs(change) {
  const said = document.getElementById("list")?.dataset.wanted;
  if (!said) return false;
  const wanted = JSON.parse(said);
  const among = (values, value) => !values.length || values.includes(value);
  return (
    among(wanted.queues, change.queue) &&
    among(wanted.states, change.state) &&
    among(wanted.priorities, change.priority) &&
    (!wanted.unassigned || !change.assignee) &&
    (!wanted.assignee || wanted.assignee === change.assignee) &&
    (!wanted.overdue || (change.due_at && Date.parse(change.due_at) <= Date.now()))
  );
}

export function announce(id) {
  const bar = document.getElementById("fresh");
  if (bar !== place) fresh.clear();
  place = bar;
  fresh.add(id);
  bar.querySelector("a").textContent = counted(bar, fresh.size);
  bar.hidden = false;
}

// Only the server knows what is found. It is asked some time after a change, and less and less often.
export function announceHits() {
  if (searching || document.hidden || !document.getElementById("fresh")?.dataset.again) return;
  searching = setTimeout(async () => {
    await askAgain().catch(() => null); // the next change asks again
    searching = 0;
  }, patience);
  patience = Math.min(2 * patience, SEARCH_LAST_MILLISECONDS);
}

async function askAgain() {
  const found = await fragment(document.getElementById("fresh").dataset.again);
  const shown = new Set(numbers(document));
  for (const number of numbers(found)) if (!shown.has(number)) announce(number);
}

const numbers = (root) => [...root.querySelectorAll("#rows [data-number]")].map((each) => each.dataset.number);
