// What the pages of diagnosis have in common: a check has one sentence for each answer, and shows the one that holds.

export function says(check, answer, value = "") {
  const place = document.querySelector(`[data-check="${check}"]`);
  if (!place) return;
  for (const sentence of place.querySelectorAll("[data-says]")) sentence.hidden = sentence.dataset.says !== answer;
  for (const one of place.querySelectorAll("[data-value]")) one.textContent = value;
  document.dispatchEvent(new Event("said"));
}

/** Ask the server which cookies came along. Null if it can not be asked. */
export async function seen() {
  const { seen: address } = JSON.parse(document.getElementById("asks").textContent);
  try {
    return await (await fetch(address, { cache: "no-store", credentials: "same-origin" })).json();
  } catch {
    return null;
  }
}

/** What came of a look from a frame on another site. A browser that hands over neither cookie blocks them altogether. */
export function tell({ cookie, partitioned, permission }) {
  says("embedded", cookie ? "yes" : partitioned ? "own" : "no");
  says("permission", ["granted", "prompt", "denied"].includes(permission) ? permission : "unknown");
}
