// The page's only script: sends what a person does, fetches the parts that changed, keeps what is being typed.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const seat = new URLSearchParams(location.search);
const shown = {};

function sit(changes) {
  for (const [name, value] of Object.entries(changes)) value ? seat.set(name, value) : seat.delete(name);
  history.replaceState(null, "", "?" + seat);
}

// Regions

let running = null;
let again = false;

// One at a time, so that an older answer never overwrites a newer one. That none is under way any more is said in the very step that finds
// nothing left to fetch: whoever asks right after begins a new one.
function refresh() {
  again = true;
  return (running ??= fetchWhileAsked());
}

async function fetchWhileAsked() {
  try {
    while (again) {
      again = false;
      await fetchRegions();
    }
  } finally {
    running = null;
  }
}

async function fetchRegions() {
  const asked = String(seat);
  const answer = await fetch("/regions?" + asked, { headers: { "X-Sandbox": "page" } });
  if (!answer.ok) return notify("The sandbox did not answer.");
  const { seat: taken, ...regions } = await answer.json();
  await up;
  if (asked !== String(seat)) return; // whoever went elsewhere meanwhile has asked anew, and is not taken back
  sit(taken);
  $("#composer").hidden = taken.channel === "home";
  for (const [name, html] of Object.entries(regions)) if (shown[name] !== html) draw(name, html);
}

// A button that is drawn anew between its going down and up would not be pressed, so drawing waits for that.
let up = null;
document.addEventListener(
  "pointerdown",
  () => {
    up = new Promise((resolve) => {
      for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(resolve), { capture: true, once: true });
      setTimeout(resolve, 1000); // the menus of the system keep it to themselves
    });
  },
  true,
);

function draw(name, html) {
  const place = $(`[data-region="${name}"]`);
  shown[name] = html;
  if (name === "modal") return drawModal(place, html);
  const scroller = $(".messages", place);
  const log = scroller && { top: scroller.scrollTop, atEnd: scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80 };
  const pane = $(".pane", place)?.scrollTop;
  const kept = keep(place);
  place.innerHTML = html;
  kept();
  const now = $(".messages", place);
  if (now) now.scrollTop = !log || log.atEnd ? now.scrollHeight : log.top;
  if (pane) $(".pane", place).scrollTop = pane;
}

// What a person typed, opened or focused outlives the fragment it was in.
function keep(place) {
  const named = (name) => $$(`[name="${CSS.escape(name)}"]`, place);
  const texts = $$("input[name]:not([type=checkbox]):not([type=radio]), textarea[name]", place).map((field) => [field.name, field.value]);
  const menus = $$("select[data-action-id]", place).map((menu) => [menu.name, [...menu.selectedOptions].map((option) => option.value)]);
  const ticks = $$("[data-action-id] input", place).map((box) => [box.name, box.value, box.checked]);
  const open = $$("details[data-key][open]", place).map((details) => details.dataset.key);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const focus = focused && (focused.name ? `[name="${CSS.escape(focused.name)}"]` : focused.dataset.channel ? `[data-channel="${focused.dataset.channel}"]` : null);
  return () => {
    for (const [name, value] of texts) for (const field of named(name)) field.value = value;
    for (const [name, chosen] of menus) for (const menu of named(name)) for (const option of menu.options) option.selected = chosen.includes(option.value);
    for (const [name, value, checked] of ticks) for (const box of named(name)) if (box.value === value) box.checked = checked;
    for (const key of open) {
      const details = $(`details[data-key="${CSS.escape(key)}"]`, place);
      if (details) details.open = true;
    }
    if (focus) $(focus, place)?.focus();
  };
}

function drawModal(dialog, html) {
  const before = $("#view", dialog)?.dataset;
  const kept = keep(dialog);
  dialog.innerHTML = html;
  const view = $("#view", dialog);
  if (!view) return dialog.open && dialog.close();
  if (before && before.view === view.dataset.view) kept();
  if (!dialog.open) dialog.showModal();
  if (!before || before.view !== view.dataset.view) $("input, textarea, select", view)?.focus();
}

// Actions

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
  $("#confirm-title").textContent = asked.title;
  $("#confirm-text").textContent = asked.text;
  $("#confirm-deny").textContent = asked.deny;
  $("#confirm-yes").textContent = asked.confirm;
  $("#confirm-yes").className = "button " + (asked.style === "danger" ? "danger-solid" : "primary");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (answered = resolve));
}

// A dialog says that it is closed some time after it is: by then the next question may stand in it.
$("#confirm").addEventListener("close", ({ target: dialog }) => dialog.open || answered(dialog.returnValue === "yes"));

async function press(element, value) {
  if (!(await agreed(element))) return;
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

// A link to a message of this Slack opens here, as whoever sits here.
async function jump(link) {
  const [, channel, digits] = link.pathname.match(/^\/archives\/([^/]+)\/p(\d{16})$/) || [];
  if (!channel) return;
  sit({ channel, thread: new URLSearchParams(link.search).get("thread_ts") || "" });
  await refresh();
  const message = $(`[data-ts="${digits.slice(0, 10)}.${digits.slice(10)}"]`);
  if (!message) return notify("This message is in a channel you are not in, or is gone.");
  message.scrollIntoView({ block: "start" });
  message.classList.add("found");
}

// Listeners: one of each, on the document

document.addEventListener("click", async (event) => {
  const on = (selector) => event.target.closest(selector);
  let found;
  if ((found = on("a[href]")) && found.origin === location.origin && found.pathname.startsWith("/archives/")) {
    event.preventDefault();
    jump(found);
  } else if ((found = on("[data-channel]"))) {
    sit({ channel: found.dataset.channel, thread: "" });
    if (found.dataset.channel === "home") await act("open_home");
    else await refresh();
    const log = $(".main .messages");
    if (log) log.scrollTop = log.scrollHeight;
  } else if ((found = on("[data-thread]"))) {
    sit({ thread: found.dataset.thread });
    refresh();
  } else if (on("[data-close]")) {
    act("close", { view: $("#view").dataset.view });
  } else if ((found = on("button[data-do]"))) {
    found.disabled = true;
    act(found.dataset.do, { incident: found.dataset.incident });
  } else if ((found = on("[data-option]"))) {
    const menu = found.closest(".overflow");
    menu.open = false;
    press(menu, found.dataset.option);
  } else if ((found = on('[data-kind="button"]'))) {
    press(found, found.dataset.value);
  }
  for (const menu of $$(".overflow[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.id === "you") {
    sit({ user: field.value });
    return refresh();
  }
  if (field.dataset.do === "fault") return act("fault", { fault: field.value, on: field.checked });
  const element = field.closest("[data-action-id]");
  if (!element || element.closest("[data-input]") || element.dataset.kind === "button") return;
  const chosen = reading(element, element.dataset.kind);
  if (chosen !== null) press(element, chosen);
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  event.preventDefault();
  if (form.id === "composer") {
    const text = form.text.value.trim();
    form.text.value = "";
    if (text) await act("say", { text });
  } else if (form.dataset.do === "note") {
    const field = $("input", form);
    const content = field.value;
    field.value = "";
    await act("note", { incident: form.dataset.incident, content });
  } else if (form.id === "view") {
    const empty = $$("[data-required]", form).filter((input) => !isFilled($("[data-action-id]", input)));
    empty.forEach((input) => mark(input, "Please complete this required field."));
    if (empty.length) return $("[data-action-id]", empty[0]).focus();
    const button = $("[type=submit]", form);
    button.classList.add("busy");
    await act("submit", { view: form.dataset.view, values: values(form) });
    button.classList.remove("busy");
    $("#view .invalid [data-action-id]")?.focus();
  }
});

function isFilled(field) {
  const found = reading(field, field.dataset.kind);
  return found !== null && found.length !== 0;
}

function mark(input, text) {
  input.classList.add("invalid");
  $(".error", input).textContent = text;
  $(".error", input).hidden = false;
}

// Escape closes a modal as its X does: the app is told.
$("#modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  act("close", { view: $("#view")?.dataset.view });
});

// Start

for (const place of $$("[data-region]")) shown[place.dataset.region] = place.innerHTML;
if ($("#view")) $("#modal").showModal();
for (const log of $$(".messages")) log.scrollTop = log.scrollHeight;
let due = null;
new EventSource("/events").addEventListener("message", () => {
  due ??= setTimeout(() => {
    due = null;
    refresh();
  }, 80);
});
