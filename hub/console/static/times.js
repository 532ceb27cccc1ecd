// The server writes times in the reader's zone once it knows it: a cookie tells it from the next page on.

const COOKIE = "hubbub-zone";

export function showTimesHere() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.cookie.split("; ").includes(`${COOKIE}=${encodeURIComponent(zone)}`);
  if (zone && !known) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${COOKIE}=${encodeURIComponent(zone)}; Path=/console; Max-Age=31536000; SameSite=Lax${secure}`;
  }
}

// The form of a plural that the page's language has for a number, of those that the element brings along.
export function counted(element, number) {
  const form = new Intl.PluralRules(document.documentElement.lang).select(number);
  return (element.dataset[form] ?? element.dataset.other).replace("{n}", number);
}
