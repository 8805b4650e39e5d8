// Says at once what a choice would mean. Without this script the button "Show me" does.

const form = document.getElementById("iiif-auth-restrict");
const answer = document.getElementById("iiif-auth-answer");
let asked = 0;

form?.elements.policy?.addEventListener("change", async (event) => {
  const mine = ++asked;
  const query = new URLSearchParams({ policy: event.target.value, part: "answer" });
  try {
    const response = await fetch(`?${query}`, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    // Only the answer to the last choice counts, and a login page is none.
    if (mine === asked && response.ok && !response.redirected) answer.innerHTML = await response.text();
  } catch {
    // The page stays as it is; the button still asks.
  }
});
