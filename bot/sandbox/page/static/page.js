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
  if (name === "places") show(document.body.dataset.shown);
  if (name === "sidebar") document.title = titled();
  const now = $(".messages", place);
  if (now) now.scrollTop = !log || log.atEnd ? now.scrollHeight : log.top;
  if (pane) $(".pane", place).scrollTop = pane;
}

// What a person typed, opened or focused outlives the fragment it was in.
function keep(place) {
  const state = $$("input, textarea, select, details", place).map((element) => [address(element, place), left(element)]);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const focus = focused && [address(focused, place), focused.selectionStart];
  return () => {
    for (const [at, was] of state) if (at && was) Object.assign($(at, place) || {}, was);
    for (const [at, was] of state) if (at && was?.chosen) for (const option of $(at, place)?.options || []) option.selected = was.chosen.includes(option.value);
    const again = focus?.[0] && $(focus[0], place);
    again?.focus({ preventScroll: true });
    if (again?.setSelectionRange && focus[1] != null) again.setSelectionRange(focus[1], focus[1]);
  };
}

function left(element) {
  if (element.matches("details")) return element.open ? { open: true } : null;
  if (element.matches("select")) return element.matches("[data-action-id]") ? { chosen: [...element.selectedOptions].map((option) => option.value) } : null;
  if (element.matches("[type=checkbox], [type=radio]")) return element.closest("[data-action-id]") ? { checked: element.checked } : null;
  return { value: element.value };
}

// Where an element stands, in words that hold after it is drawn anew: its message or view, then what names it there.
const NAMES = ["id", "name", "data-key", "data-channel", "data-thread", "data-show", "data-action-id", "data-block-id", "data-value", "data-option", "data-do", "data-incident"];

function address(element, place) {
  if (element.matches("summary")) return within(element.parentElement, place, " > summary");
  if (element.matches(".messages")) return ".messages";
  return within(element, place, element.matches("[type=checkbox], [type=radio]") ? `[value="${CSS.escape(element.value)}"]` : "");
}

function within(element, place, rest) {
  const own = NAMES.filter((name) => element.hasAttribute(name)).map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`);
  if (!own.length) return null;
  const message = element.closest("[data-ts]");
  return (message && place.contains(message) ? `[data-ts="${message.dataset.ts}"] ` : "") + element.localName + own.join("") + rest;
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

// How many messages are unread stands in the title, as a tab that is not looked at shows nothing else.
const title = document.title;
const titled = () => {
  const unread = $$(".sidebar .badge").reduce((sum, badge) => sum + Number(badge.lastChild.data), 0);
  return unread ? `(${unread}) ${title}` : title;
};

// A narrow screen shows one part at a time.
function show(part) {
  document.body.dataset.shown = part;
  for (const button of $$("[data-show]")) button.toggleAttribute("aria-current", button.dataset.show === part);
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

// A link to a message of this Slack opens here, as whoever sits here.
const LOCAL = ["127.0.0.1", "localhost"];
const message = (link) => LOCAL.includes(link.hostname) && link.pathname.match(/^\/archives\/([^/]+)\/p(\d{10})(\d{6})$/);

async function jump(link) {
  const [, channel, seconds, rest] = message(link);
  await go(channel, new URLSearchParams(link.search).get("thread_ts") || "");
  const found = $$(`[data-ts="${seconds}.${rest}"]`).at(-1);
  if (!found) return notify("This message is in a channel you are not in, or is gone.");
  found.scrollIntoView({ block: "start" });
  found.classList.add("found");
}

async function go(channel, thread = "") {
  sit({ channel, thread });
  show("main");
  const tab = { home: "home", [$("[data-tab=messages]")?.dataset.channel]: "messages" }[channel];
  if (tab) await act("open_home", { tab });
  else await refresh();
  if (seat.get("channel") !== channel) notify("You are not in that channel.");
  const log = $(".main .messages");
  if (log && !thread) log.scrollTop = ($(".new", log)?.offsetTop ?? log.scrollHeight) - 60;
}

// Going back leaves the focus where the thread was opened.
async function openThread(thread) {
  const before = seat.get("thread");
  sit({ thread });
  await refresh();
  const there = thread ? $(".thread .close") : $(`.main [data-thread="${before}"]`);
  there?.focus();
}

// Listeners: one of each, on the document

document.addEventListener("click", async (event) => {
  const on = (selector) => event.target.closest(selector);
  let found;
  if ((found = on("a[href]")) && message(found)) {
    event.preventDefault();
    jump(found);
  } else if (found?.hostname.endsWith(".example")) {
    event.preventDefault();
    notify(`${found.hostname} is made up: nothing is there to open.`);
  } else if ((found = on("[data-show]"))) {
    show(found.dataset.show);
  } else if ((found = on("[data-channel]"))) {
    go(found.dataset.channel);
  } else if ((found = on("[data-thread]"))) {
    openThread(found.dataset.thread);
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
  if (field.form?.dataset.do === "profile") return act("profile", { locale: field.form.locale.value, away: field.form.away.checked });
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

// Without a modal Escape closes what was opened last: a menu, then the thread.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("dialog[open]")) return;
  const menu = $(".overflow[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
  } else if (seat.get("thread")) openThread("");
});

// The arrow keys walk through a menu that is open, and open one.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".overflow");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  event.preventDefault();
  menu.open = true;
  const items = $$("[data-option]", menu);
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});

// Start

show("main");
if (seat.get("channel") === "home") act("open_home", { tab: "home" });
document.title = titled();
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
