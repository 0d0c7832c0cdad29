// The parts of the page: fetched when something changed, drawn anew, with what a person typed, opened or focused in them.
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
  if (seeking) seek();
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
  if (element.matches("details")) return { open: element.open };
  if (element.matches("select")) return element.matches("[data-action-id]") ? { chosen: [...element.selectedOptions].map((option) => option.value) } : null;
  if (element.matches("[type=checkbox], [type=radio]")) return element.closest("[data-action-id]") ? { checked: element.checked } : null;
  return { value: element.value };
}

// Where an element stands, in words that hold after it is drawn anew: its message or view, then what names it there.
const NAMES = ["id", "name", "data-key", "data-channel", "data-thread", "data-show", "data-action-id", "data-block-id", "data-value", "data-option", "data-shortcut", "data-do", "data-incident"];

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
