// Rows that come and go: the languages of a text, the conditions of a tier. Without this script there is an empty row to
// fill in, and emptying a row removes it; so the script only clones rows and empties them.

const SERIAL = /-(\d+)-(?=[a-z_]+$)/i;
const rowsOf = (box) => [...box.querySelectorAll(":scope > [data-iiif-auth-row]")];
const controls = (row) => [...row.querySelectorAll("input, select, textarea")];
const serialOf = (row) => Math.max(...controls(row).map((control) => Number(SERIAL.exec(control.name)?.[1] ?? -1)));

function reveal(root) {
  for (const button of root.querySelectorAll("[data-iiif-auth-add], [data-iiif-auth-remove]")) button.hidden = false;
}

function empty(row) {
  for (const control of controls(row)) {
    if (control.type === "hidden") control.remove();
    else if (control.type === "checkbox") control.checked = false;
    else control.value = "";
  }
}

// The first text of a field has the id of the field itself, so that the field's own label names it; a clone has its own.
function renumber(row, serial) {
  for (const control of controls(row)) {
    control.name = control.name.replace(SERIAL, `-${serial}-`);
    control.id = `id_${control.name}`;
  }
  for (const label of row.querySelectorAll("label[for]")) label.htmlFor = label.htmlFor.replace(SERIAL, `-${serial}-`);
}

function add(box) {
  const rows = rowsOf(box);
  const serial = Math.max(...rows.map(serialOf)) + 1;
  const row = rows.at(-1).cloneNode(true);
  renumber(row, serial);
  empty(row);
  for (const named of row.querySelectorAll("[lang]")) named.removeAttribute("lang");
  for (const errors of row.querySelectorAll(".errorlist")) errors.remove();
  rows.at(-1).after(row);
  const total = box.querySelector("input[name$='-TOTAL_FORMS']");
  if (total) total.value = String(serial + 1);
  controls(row)[0].focus();
}

// Numbers must stay as they are where a formset counts them, and the first row is what a new one is cloned from.
function remove(box, row) {
  const next = row.nextElementSibling?.querySelector("input, select") ?? box.querySelector("[data-iiif-auth-add]");
  empty(row);
  if (rowsOf(box).length > 1) row.remove();
  next.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-iiif-auth-add], [data-iiif-auth-remove]");
  const box = button?.closest("[data-iiif-auth-rows]");
  if (!box) return;
  if (button.matches("[data-iiif-auth-add]")) add(box);
  else remove(box, button.closest("[data-iiif-auth-row]"));
});

document.addEventListener("change", (event) => {
  if (!event.target.matches(".iiif-auth-tag")) return;
  const text = event.target.closest("[data-iiif-auth-row]").querySelector("[dir='auto']");
  text.lang = event.target.value;
});

document.addEventListener("formset:added", (event) => reveal(event.target));
reveal(document);
