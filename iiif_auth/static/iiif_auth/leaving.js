// The access tab's part of a hand-off. The click on “Continue” opens a small window of this site; once that has its code, this tab
// closes, and the viewer goes on. Without this script, or without a viewer, the tab is closed as ever.

const PATIENCE = 15000; // milliseconds for that window to come and be done
const opened = (address) => window.open(address, "_blank", "popup,width=480,height=320");

const form = document.querySelector("form[data-handoff]");
const done = document.querySelector("[data-granted]");
let pressed = false;

if (form) {
  form.querySelector("button[type=submit]").addEventListener("click", (event) => {
    if (pressed) { // a double click agrees once, and opens one window
      event.preventDefault();
      return;
    }
    pressed = true;
    form.elements["second-window"].value = window.opener ? (opened(form.dataset.handoff) ? "opened" : "blocked") : "lost";
  });
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) pressed = false; });
}

function show(name) {
  for (const one of done.querySelectorAll("[data-said]")) one.hidden = !one.dataset.said.split(" ").includes(name);
  document.title = done.querySelector(`[data-said="${name}"] h1`).textContent;
}

let patience;
function wait() {
  patience = setTimeout(() => show("blocked"), PATIENCE);
}

// The small window asks until this tab knows what became of the click.
const answers = {
  ready: (from) => {
    if (done) from.postMessage({ iiifAuth: "granted", service: done.dataset.service, origin: done.dataset.origin }, location.origin);
    else if (!pressed) from.postMessage({ iiifAuth: "no" }, location.origin);
  },
  taken: () => window.close(),
  lost: () => { clearTimeout(patience); show("lost"); },
  failed: () => { clearTimeout(patience); show("failed"); },
};
window.addEventListener("message", ({ origin, source, data }) => {
  if (origin === location.origin && Object.hasOwn(answers, data?.iiifAuth ?? "")) answers[data.iiifAuth](source);
});

if (done) {
  switch (done.dataset.window) {
    case "opened": wait(); break;
    case "blocked": show("blocked"); break;
    case "lost": show("lost"); break;
    default: // nobody was there to click
      if (window.opener && opened(done.dataset.handoff)) wait();
      else if (window.opener && "stuck" in done.dataset) show("blocked");
      else window.close();
  }
  done.querySelector("[data-carry]").addEventListener("click", () => {
    if (!window.opener) show("lost");
    else if (opened(done.dataset.handoff)) wait();
  });
}
