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
