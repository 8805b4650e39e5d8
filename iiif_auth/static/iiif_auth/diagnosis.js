// The page of diagnosis: asks its own cookie back, opens a window, hears what a frame on another site found.
import { says, seen, tell } from "./diagnosis_says.js";

const asks = JSON.parse(document.getElementById("asks").textContent);
const report = document.getElementById("report");
const told = report.value; // what the server knows
const TOLERATED = 30; // seconds; tokens live five minutes
const PATIENCE = 5000; // milliseconds for a window to say that it is there

function write() {
  const found = [...document.querySelectorAll("[data-check]")].map((check) => {
    const sentence = [...check.querySelectorAll("[data-says]")].find(({ hidden }) => !hidden);
    return `${check.querySelector("h3").textContent}: ${sentence?.textContent.replace(/\s+/g, " ").trim() ?? "?"}`;
  });
  report.value = [told, ...found, new Date().toISOString(), navigator.userAgent].join("\n");
}
document.addEventListener("said", write);

async function begin() {
  const asked = Date.now();
  const found = await seen();
  if (!found) return;
  says("first", found.cookie ? "yes" : "no");
  // The answer was written somewhere between the question and now; the middle is off by half of that at most.
  const wrong = Math.round((found.now - (asked + Date.now()) / 2) / 1000);
  says("clock", Math.abs(wrong) > TOLERATED ? "no" : "yes", String(Math.abs(wrong)));
}

function look() {
  const opened = window.open(asks.window, "_blank", "popup,width=420,height=320");
  if (!opened) {
    says("window", "blocked");
    return;
  }
  const timer = setTimeout(() => says("window", "cut"), PATIENCE);
  hears.window = () => {
    clearTimeout(timer);
    // A window that was cut off counts as closed, although somebody is looking at it.
    says("window", opened.closed ? "cut" : "yes");
    opened.close();
  };
}

const hears = { window: () => {}, frame: tell };
addEventListener("message", ({ origin, data }) => {
  if (origin === location.origin && Object.hasOwn(hears, data?.iiifDiagnosis)) hears[data.iiifDiagnosis](data);
});

async function copy() {
  try {
    await navigator.clipboard.writeText(report.value);
  } catch {
    report.select(); // then it is one key to copy it
    return;
  }
  document.querySelector("[data-copied]").hidden = false;
}

const deeds = { window: look, copy };
for (const button of document.querySelectorAll("button[data-do]")) {
  button.hidden = false;
  button.addEventListener("click", deeds[button.dataset.do]);
}
begin();
