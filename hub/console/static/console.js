// The console comes alive: forms without reload, keys, drafts, live changes. All of it works without this file, only slower.

import { keepDrafts } from "./drafts.js";
import { listenForKeys } from "./keys.js";
import { followCases } from "./live.js";
import { showTimesHere } from "./times.js";
import { askForNotices } from "./notices.js";
import { beSeen } from "./presence.js";
import { chooseRows } from "./choosing.js";
import { offerPalette } from "./palette.js";
import { attachFiles } from "./files.js";
import { formatText } from "./formatting.js";
import { askForWords } from "./asking.js";
import { offerCanned } from "./writing.js";
import { readEarlier, settle } from "./reading.js";

showTimesHere();
keepDrafts();
listenForKeys();
offerCanned();
askForWords();
attachFiles();
formatText();
chooseRows();
offerPalette();
beSeen();
followCases();
askForNotices();
readEarlier();
settle(document);
document.querySelector(".company-parts [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone they run past the edge
