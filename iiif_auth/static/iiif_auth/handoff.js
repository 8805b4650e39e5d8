// The small window that takes consent from the access tab to the viewer's frame. It keeps hold of the viewer's window, and says the
// code to every frame in there that shows a page of this site. Each message is addressed to this very site as well: no page of anybody
// else's is given it. Where the viewer gets its token without a code, it closes at once.

const EVERY = 150; // milliseconds between two sayings
const SOONEST = 100; // milliseconds until the first question to the server; the pauses grow
const LATEST = 600; // milliseconds between two questions, at most
const PATIENCE = 15000; // milliseconds until it gives up
const LINGER = 1000; // milliseconds for frames of further services, once one has its token
const MOST_FRAMES = 200;
const DEEPEST = 4;

const place = document.querySelector("[data-handoff-window]");
const tab = window.opener;
const viewer = tab?.opener; // taken now: it can not be asked for once the tab is closed
// In braces: WebKit makes a call that is the last thing a function does a jump, and then says that the message comes from whoever
// hears it.
const tell = (what) => {
  tab.postMessage({ iiifAuth: what }, location.origin);
};

function lost() {
  for (const one of place.querySelectorAll("[data-said]")) one.hidden = one.dataset.said !== "lost";
}

async function ask(address, values) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(values), cache: "no-store" });
  return answer.ok ? answer.json() : null;
}

// What became of the click: the service and the viewer's site that were agreed to, or null.
function granted() {
  return new Promise((resolve) => {
    const asking = setInterval(() => (tab.closed ? finish(null) : tell("ready")), 100);
    const giving = setTimeout(() => finish(null), PATIENCE);
    function finish(found) {
      clearInterval(asking);
      clearTimeout(giving);
      window.removeEventListener("message", hear);
      resolve(found);
    }
    function hear({ origin, source, data }) {
      if (origin !== location.origin || source !== tab) return;
      if (data?.iiifAuth === "granted") finish({ service: String(data.service), origin: String(data.origin) });
      if (data?.iiifAuth === "no") finish(null);
    }
    window.addEventListener("message", hear);
  });
}

// A browser lets one look at the address of pages of one's own site only. A message to another's would go nowhere, and be a line on
// the console of whoever runs the viewer.
function isOurs(frame) {
  try {
    return frame.location.origin === location.origin;
  } catch {
    return false;
  }
}

function say(code) {
  let count = 0;
  const within = (frames, depth) => {
    for (let at = 0; at < frames.length && count < MOST_FRAMES; at += 1) {
      count += 1;
      if (isOurs(frames[at])) frames[at].postMessage({ iiifAuthCode: code }, location.origin);
      if (depth < DEEPEST) within(frames[at], depth + 1);
    }
  };
  within(viewer, 1);
}

async function carry({ number, code }) {
  const until = Date.now() + PATIENCE;
  const saying = setInterval(() => say(code), EVERY);
  let state = "waiting";
  for (let pause = SOONEST; state === "waiting" && Date.now() < until && !viewer.closed; pause = Math.min(pause * 1.3, LATEST)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    state = (await ask(place.dataset.standing, { number }).catch(() => null))?.state ?? "over";
  }
  if (state === "done") await new Promise((resolve) => setTimeout(resolve, LINGER));
  clearInterval(saying);
  if (state !== "over") await ask(place.dataset.standing, { number, over: "1" }).catch(() => null);
}

async function work() {
  const agreed = await granted();
  if (!agreed) return;
  if (!viewer || viewer.closed) {
    tell("lost");
    return;
  }
  const issued = await ask(location.pathname, agreed).catch(() => null);
  tell(issued ? "taken" : "failed");
  if (issued) await carry(issued);
}

if (tab) work().finally(() => window.close());
else lost();
