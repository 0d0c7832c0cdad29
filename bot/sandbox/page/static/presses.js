// What a person does, sent to the sandbox: presses and choices, what is filled in, questions before them, notices after them.
"use strict";

async function act(verb, action = {}) {
  let answer;
  try {
    answer = await fetch("/do", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sandbox": "page" },
      body: JSON.stringify({ verb, user: seat.get("user"), channel: seat.get("channel"), thread: seat.get("thread"), ...action }),
    });
  } catch {
    return notify("The sandbox is gone. Is it still running?");
  }
  const { notice } = await answer.json();
  if (notice) notify(notice);
  await refresh();
}

function notify(text) {
  const notice = $("#notice");
  notice.textContent = text;
  notice.classList.add("shown");
  clearTimeout(notify.timer);
  notify.timer = setTimeout(() => notice.classList.remove("shown"), 6000);
}

// Gives the answer to the question that was asked last.
let answered = () => {};

function agreed(element) {
  const asked = element.dataset.confirm && JSON.parse(element.dataset.confirm);
  if (!asked) return Promise.resolve(true);
  const dialog = $("#confirm");
  answered(dialog.returnValue === "yes"); // the one before, whose dialog may not have said yet that it is closed
  for (const [part, place] of [["title", "title"], ["text", "text"], ["deny", "deny"], ["confirm", "yes"]]) $("#confirm-" + place).innerHTML = asked[part];
  $("#confirm-yes").className = "button " + (asked.style === "danger" ? "danger-solid" : "primary");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (answered = resolve));
}

// A dialog says that it is closed some time after it is: by then the next question may stand in it.
$("#confirm").addEventListener("close", ({ target: dialog }) => dialog.open || answered(dialog.returnValue === "yes"));

async function press(element, value) {
  if (!(await agreed(element))) return undo(element);
  const view = element.closest("[data-view]")?.dataset.view || "";
  const action = { action_id: element.dataset.actionId, block_id: element.dataset.blockId, value, view };
  const surface = element.closest("[data-view], [data-ts]");
  if (!view) action.ts = surface.dataset.ts;
  element.classList.add("busy");
  element.setAttribute("aria-busy", "true");
  await act("press", { ...action, values: values(surface) });
  element.classList.remove("busy");
  element.removeAttribute("aria-busy");
}

// A choice that was not confirmed is not made.
function undo(element) {
  for (const option of $$("option", element)) option.selected = option.defaultSelected;
  for (const box of $$("input", element)) box.checked = box.defaultChecked;
  if (element.matches("input")) element.value = element.defaultValue;
}

function values(root) {
  const found = {};
  for (const field of $$("[data-action-id]", root)) {
    const { blockId, actionId, kind } = field.dataset;
    if (kind === "button" || kind === "overflow") continue;
    (found[blockId] ??= {})[actionId] = reading(field, kind);
  }
  return found;
}

function reading(field, kind) {
  if (kind === "checkboxes") return $$("input:checked", field).map((box) => box.value);
  if (kind === "radio_buttons") return $("input:checked", field)?.value ?? null;
  if (kind.startsWith("multi_")) return [...field.selectedOptions].map((option) => option.value);
  if (kind === "datetimepicker" && field.value) return Date.parse(field.value + "Z") / 1000;
  return field.value || null;
}

function isFilled(field) {
  const found = reading(field, field.dataset.kind);
  return found !== null && found.length !== 0;
}

function mark(input, text) {
  input.classList.add("invalid");
  $(".error", input).textContent = text;
  $(".error", input).hidden = false;
}
