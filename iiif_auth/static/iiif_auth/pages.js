// The script of the access pages. It grants nothing: without it every page still works, and is closed by hand.

const ARM_AFTER = 500; // milliseconds: a click meant for the page underneath must not land on “Continue” (security A2)

for (const form of document.querySelectorAll("form[data-arm-late]")) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  setTimeout(() => {
    button.disabled = false;
    button.focus();
  }, ARM_AFTER);
  form.addEventListener("submit", () => setTimeout(() => { button.disabled = true; }));
}

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => window.close());
}

// After a “yes” there is more to do before the tab closes; see leaving.js.
const over = document.querySelector("[data-close-now]");
if (over && !("granted" in over.dataset)) {
  window.close();
}
