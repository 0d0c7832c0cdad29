// Ways through the page: to a part of it, a channel, a message, a thread, a task; by pointer and by keyboard. Starts everything.
"use strict";

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

// The card of the tour's task comes into sight, and stays there while others arrive, until the person does something.
let seeking = location.hash === "#task";
for (const moved of ["pointerdown", "wheel", "keydown"]) document.addEventListener(moved, () => (seeking = false), { capture: true, passive: true });

function seek() {
  const task = $("[data-task]");
  const card = task?.dataset.card && $(`.main [data-ts="${task.dataset.card}"]`);
  if (!card || task.dataset.place !== seat.get("channel")) return;
  card.scrollIntoView({ block: "start" });
  card.classList.add("found");
}

async function goToTask({ user, place, beside }) {
  sit({ user, channel: place, thread: "" });
  show(beside === undefined ? "main" : "beside");
  await refresh();
  seeking = true;
  seek();
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
  } else if ((found = on("[data-task]"))) {
    goToTask(found.dataset);
  } else if ((found = on("[data-channel]"))) {
    go(found.dataset.channel);
  } else if ((found = on("[data-thread]"))) {
    openThread(found.dataset.thread);
  } else if (on("[data-close]")) {
    act("close", { view: $("#view").dataset.view });
  } else if ((found = on("button[data-do]"))) {
    found.disabled = true;
    act(found.dataset.do, { incident: found.dataset.incident, on: Boolean(found.dataset.on) });
  } else if ((found = on("[data-shortcut]"))) {
    found.closest(".overflow").open = false;
    act("shortcut", { ts: found.closest("[data-ts]").dataset.ts, callback_id: found.dataset.shortcut });
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
    const unfit = $$("[data-input] :is(input, textarea)", form).filter((field) => !field.checkValidity());
    unfit.forEach((field) => mark(field.closest("[data-input]"), field.validationMessage));
    if (empty.length || unfit.length) return (unfit[0] ?? $("[data-action-id]", empty[0])).focus();
    const button = $("[type=submit]", form);
    button.classList.add("busy");
    await act("submit", { view: form.dataset.view, values: values(form) });
    button.classList.remove("busy");
    $("#view .invalid [data-action-id]")?.focus();
  }
});

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
  const items = $$("[role=menuitem]", menu);
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});

// Start

show("main");
if (seat.get("channel") === "home") act("open_home", { tab: "home" });
document.title = titled();
for (const place of $$("[data-region]")) shown[place.dataset.region] = place.innerHTML;
if ($("#view")) $("#modal").showModal();
for (const log of $$(".messages")) log.scrollTop = log.scrollHeight;
if (seeking) seek();
let due = null;
new EventSource("/events").addEventListener("message", () => {
  due ??= setTimeout(() => {
    due = null;
    refresh();
  }, 80);
});
