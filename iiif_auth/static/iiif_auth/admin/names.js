// Django's pickers are boxes without a name for those who can not see the label beside them.

function name(select) {
  const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
  const box = select.nextElementSibling?.querySelector(".select2-selection");
  const value = box?.querySelector(".select2-selection__rendered");
  if (!label || !value?.id) return;
  label.id ||= `${select.id}_label`;
  box.setAttribute("aria-labelledby", `${label.id} ${value.id}`);
  value.setAttribute("aria-labelledby", label.id);
}

const nameAll = (root) => root.querySelectorAll("select.admin-autocomplete").forEach(name);
// jQuery's own ready hook, because it is there that Django makes the boxes, sometimes later than the load event.
window.django?.jQuery(() => nameAll(document));
document.addEventListener("formset:added", (event) => setTimeout(() => nameAll(event.target)));
