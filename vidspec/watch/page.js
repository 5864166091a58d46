"use strict";
(() => {
const KEPT = "vidspec-watch";
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
function made(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

let feed = null, told = "", title = "", pill = null;

addEventListener("DOMContentLoaded", () => {
  title = document.title.replace(/: report$/, "");
  document.title = title;
  pill = made("a", "watch-pill");
  pill.setAttribute("role", "status");
  document.body.append(pill);
  recall();
  listen();
  document.addEventListener("visibilitychange", listen);
});

// A page that nobody sees listens to nothing: a browser has few connections to one address.
function listen() {
  if (document.hidden) {
    if (feed) feed.close();
    feed = null;
  } else if (!feed) {
    feed = new EventSource("news");
    feed.onmessage = (event) => show(JSON.parse(event.data));
    feed.onerror = lost;
  }
}

function lost() {
  say("lost", "vidspec watch has ended: this page stays as it is");
}

function show(now) {
  if (now.page !== one("#watch").dataset.page) return renew();
  const problems = JSON.stringify([now.problems, now.more]);
  if (problems !== told) {
    told = problems;
    list(now);
    cards(now);
  }
  shares(now.drawing);
  say(now.status, now.words);
  document.title = now.errors ? "(" + now.words + ") " + title : title;
}

function say(status, words) {
  pill.dataset.status = status;
  if (status === "broken") pill.href = "#watch";
  else pill.removeAttribute("href");
  if (pill.textContent !== words) pill.textContent = words;
}

// --- what is wrong ------------------------------------------------------------------------------------------

function list(now) {
  const shown = now.problems.filter((found) => found.severity === "error" || !found.shots.length);
  const box = one("#watch");
  box.replaceChildren();
  if (!shown.length && !now.more) return;
  const items = shown.map((found) => problem(found, found.shots));
  if (now.more) items.push(made("li", "", "and " + now.more + " more"));
  const wrong = now.errors > 0;
  const head = now.status === "gone" ? now.words : wrong ? now.words + ": " + (one(".shot")
    ? "below is the list as it was before" : "nothing can be shown yet") : "Of the list as a whole";
  box.append(made("section", wrong || now.status === "gone" ? "watch-list bad" : "watch-list", made("h2", "", head), made("ul", "", ...items)));
}

function problem(found, links) {
  const words = made("span", "watch-text", found.text);
  words.dir = "auto";
  const item = made("li", "watch-" + found.severity);
  for (const id of links) {
    if (document.getElementById("shot-" + id)) item.append(Object.assign(made("a", "watch-to", id), {href: "#shot-" + id}), " ");
  }
  if (found.place) item.append(made("code", "watch-place", found.place), " ");
  if (found.code) item.append(made("b", "", found.code), " ");
  item.append(words);
  if (found.help) item.append(made("span", "watch-help", found.help));
  return item;
}

function cards(now) {
  for (const old of all(".watch-here")) old.remove();
  for (const old of all(".watch-bad")) old.classList.remove("watch-bad");
  const by = new Map();
  for (const found of now.problems) {
    if (found.severity !== "error") continue;
    for (const id of found.shots) by.set(id, [...(by.get(id) || []), found]);
  }
  for (const [id, found] of by) {
    const shot = document.getElementById("shot-" + id);
    if (!shot) continue;
    shot.classList.add("watch-bad");
    shot.prepend(made("ul", "watch-here", ...found.map((one) => problem(one, []))));
    const thumb = one('.strip [data-of="' + CSS.escape(id) + '"]');
    if (thumb) thumb.classList.add("watch-bad");
  }
}

// --- what is being drawn ------------------------------------------------------------------------------------

function shares(drawing) {
  for (const old of all(".watch-share")) {
    if (!(old.dataset.slate in drawing)) old.remove();
  }
  for (const [slate, share] of Object.entries(drawing)) {
    const take = document.getElementById("take-" + slate), frame = take && one(".frame", take);
    if (!frame) continue;
    let badge = one(".watch-share", frame);
    if (!badge) {
      badge = made("span", "watch-share");
      badge.dataset.slate = slate;
      frame.append(badge);
    }
    badge.textContent = "drawing " + Math.round(100 * share) + " %";
  }
}

// --- the page anew, in its place ----------------------------------------------------------------------------

async function renew() {
  const dialog = one("dialog[open]");
  if (dialog) {
    say("drawing", "there is something new: it is shown when this is closed");
    dialog.addEventListener("close", renew, {once: true});
    if (feed) feed.close();
    return;
  }
  if (feed) feed.close();
  // Whoever serves it may be about to end: what is shown is better than nothing.
  if (!await fetch(location.href).then((answer) => answer.ok, () => false)) {
    feed = null;
    lost();
    return listen();
  }
  try { sessionStorage.setItem(KEPT, JSON.stringify(place())); } catch { /* a page that may keep nothing */ }
  history.scrollRestoration = "manual";
  location.reload();
}

function place() {
  const shot = scrollY > 0 && all(".shot").find((element) => !element.hidden && element.getBoundingClientRect().bottom > 120);
  const focused = document.activeElement, take = focused && focused.closest(".take");
  return {
    y: scrollY,
    shot: shot ? shot.id : "",
    top: shot ? shot.getBoundingClientRect().top : 0,
    find: one("#find") ? one("#find").value : "",
    by: Object.fromEntries(all("select[data-by]").map((select) => [select.dataset.by, select.value])),
    states: all("[data-by-state][aria-pressed=true]").map((chip) => chip.dataset.byState),
    undecided: Boolean(one("[data-by-undecided][aria-pressed=true]")),
    filters: one("#filters") ? one("#filters").open : true,
    open: all(".take details[open]").map((element) => element.closest(".take").id + " ." + element.className),
    focus: take ? take.id : focused && focused.id || "",
    inTake: Boolean(take),
  };
}

function recall() {
  let was = null;
  try {
    was = JSON.parse(sessionStorage.getItem(KEPT));
    sessionStorage.removeItem(KEPT);
  } catch { /* nothing was kept */ }
  if (!was) return;
  if (one("#filter")) filters(was);
  for (const path of was.open) {
    const [take, name] = path.split(" ");
    const found = document.getElementById(take) && one(name, document.getElementById(take));
    if (found) found.open = true;
  }
  const focused = was.focus && document.getElementById(was.focus);
  const target = focused && was.inTake ? one("a.frame", focused) : focused;
  if (target) target.focus({preventScroll: true});
  back(was);
}

function filters(was) {
  one("#find").value = was.find;
  one("#filters").open = was.filters;
  for (const select of all("select[data-by]")) {
    if ([...select.options].some((option) => option.value === was.by[select.dataset.by])) select.value = was.by[select.dataset.by];
  }
  for (const chip of all("[data-by-state]")) chip.setAttribute("aria-pressed", was.states.includes(chip.dataset.byState));
  const chip = one("[data-by-undecided]");
  if (chip) chip.setAttribute("aria-pressed", was.undecided);
  one("#filter").dispatchEvent(new Event("change"));
}

// What is out of sight has no height of its own until it was seen once, so all of it is laid out for a moment; and
// the place is found again until nothing moves, unless somebody goes elsewhere.
function back(was) {
  const shot = was.shot && document.getElementById(was.shot), root = document.documentElement;
  const gone = new AbortController(), until = performance.now() + 1500;
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => gone.abort(), {once: true, signal: gone.signal, passive: true});
  }
  root.classList.toggle("watch-whole", all(".shot").length <= 300);
  let calm = 0;
  const settle = () => {
    const off = shot ? shot.getBoundingClientRect().top - was.top : was.y - scrollY;
    if (Math.abs(off) >= 1) scrollBy({top: off, behavior: "instant"});
    calm = Math.abs(off) >= 1 ? 0 : calm + 1;
    if (calm === 2) root.classList.remove("watch-whole");
    if (calm < 20 && performance.now() < until && !gone.signal.aborted) return requestAnimationFrame(settle);
    root.classList.remove("watch-whole");
    history.scrollRestoration = "auto";
    gone.abort();
  };
  settle();
}
})();
