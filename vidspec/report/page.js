"use strict";
(() => {
const $ = (name) => document.getElementById(name);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const kept = {
  get(name) { try { return localStorage.getItem("vidspec-" + name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem("vidspec-" + name, value); } catch { /* a page that may keep nothing */ } },
};
const calm = matchMedia("(prefers-reduced-motion: reduce)");
if (kept.get("theme")) document.documentElement.dataset.theme = kept.get("theme");
addEventListener("DOMContentLoaded", begin);

let shots = [], current = null;

// --- saying and copying -------------------------------------------------------------------------------------

let hush = 0;
function say(words, code) {
  const box = $("said");
  // A dialog covers whatever is not in it.
  (document.querySelector("dialog[open]") || document.body).append(box);
  box.textContent = words;
  if (code) box.append(Object.assign(document.createElement("code"), {textContent: code}));
  clearTimeout(hush);
  hush = setTimeout(() => { box.textContent = ""; }, code ? 6000 : 3000);
}

async function copy({copy: text, note = ""}) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const area = Object.assign(document.createElement("textarea"), {value: text, readOnly: true});
    const before = document.activeElement;
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    try { done = document.execCommand("copy"); } catch { done = false; }
    area.remove();
    if (before) before.focus({preventScroll: true});
  }
  say((done ? "copied" : "copy this") + (note && "; " + note) + ":", text);
}

// --- clips --------------------------------------------------------------------------------------------------

const addresses = new Map();
function address(link) {
  const name = link.dataset.clip;
  if (!name.startsWith("#copy-")) return name;
  if (!addresses.has(name)) {
    const text = atob($(name.slice(1)).textContent);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    addresses.set(name, URL.createObjectURL(new Blob([bytes], {type: "video/mp4"})));
  }
  return addresses.get(name);
}

function video(frame) {
  let made = frame.querySelector("video");
  if (made) return made;
  made = document.createElement("video");
  Object.assign(made, {muted: true, playsInline: true, preload: "none", tabIndex: -1});
  made.setAttribute("aria-hidden", "true");
  made.disablePictureInPicture = true;
  made.addEventListener("timeupdate", () => {
    if (frame.classList.contains("on")) frame.querySelector(".head-line").style.width = (made.duration ? 100 * made.currentTime / made.duration : 0) + "%";
  });
  made.addEventListener("error", () => broken(frame));
  made.src = address(frame);
  frame.insertBefore(made, frame.querySelector(".stamp, .fault, .head-line"));
  return made;
}

function broken(frame) {
  frame.classList.remove("on");
  if (frame.querySelector(".fault")) return;
  frame.append(Object.assign(document.createElement("span"), {className: "fault", textContent: "this browser cannot play it"}));
}

// Video elements exist only for what is near: a thousand of them would be too many.
const nearby = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) {
    if (isIntersecting) video(target);
    else if (!playing || !playing.frames.includes(target)) drop(target);
  }
}, {rootMargin: "50% 0px"});

function drop(frame) {
  const found = frame.querySelector("video");
  if (!found) return;
  found.removeAttribute("src");
  found.load();
  found.remove();
}

let playing = null;

function stop() {
  if (!playing) return;
  const {shot, frames} = playing;
  playing = null;
  for (const frame of frames) {
    frame.classList.remove("on");
    const found = frame.querySelector("video");
    if (found) found.pause();
    frame.querySelector(".head-line").style.width = "0";
  }
  mark(shot, false);
}

function mark(shot, pressed) {
  const button = shot.querySelector(".together");
  if (!button) return;
  button.setAttribute("aria-pressed", pressed);
  button.textContent = pressed ? "Stop" : "Play together";
}

const ready = (clip) => clip.readyState >= 3 ? Promise.resolve() : new Promise((done) => {
  for (const kind of ["canplay", "error"]) clip.addEventListener(kind, done, {once: true});
  setTimeout(done, 3000);
});

// All takes begin in the same moment, and begin again when the longest has ended.
async function together(shot, how) {
  stop();
  const frames = all(".frame[data-clip]", shot);
  if (!frames.length) return;
  const mine = playing = {shot, frames, how};
  mark(shot, true);
  const clips = frames.map(video);
  for (const clip of clips) {
    clip.preload = "auto";
    if (clip.readyState === 0) clip.load();
  }
  await Promise.all(clips.map(ready));
  if (playing !== mine) return;
  const again = () => {
    if (playing !== mine) return;
    clips.forEach((clip, number) => {
      if (clip.error) return;
      clip.currentTime = 0;
      frames[number].classList.add("on");
      clip.play().catch(() => {});
    });
  };
  for (const clip of clips) clip.onended = () => { if (clips.every((one) => one.ended || one.error)) again(); };
  again();
}

function hovering(takes) {
  let waits = 0;
  const shot = takes.closest(".shot");
  takes.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "mouse" || calm.matches) return;
    waits = setTimeout(() => { if (!playing || playing.how === "hover") together(shot, "hover"); }, 180);
  });
  takes.addEventListener("pointerleave", () => {
    clearTimeout(waits);
    if (playing && playing.shot === shot && playing.how === "hover") stop();
  });
}

// --- one take large, and the film ---------------------------------------------------------------------------

let screening = null, going = 0;

const links = () => all(".shot:not([hidden]) .frame[data-clip]");
const reel = () => shots.filter((shot) => !shot.element.hidden).map((shot) => {
  const frames = all(".frame[data-clip]", shot.element);
  return frames.find((frame) => frame.closest(".cut")) || frames[0];
}).filter(Boolean);

function screen(link, {film = false} = {}) {
  stop();
  const dialog = $("screen"), take = link.closest(".take");
  const of = film ? reel() : links();
  screening = {link, film};
  healed();
  $("screen-slate").textContent = link.dataset.slate || take.dataset.slate;
  $("screen-place").textContent = (film ? "the film, " : "") + (of.includes(link) ? (of.indexOf(link) + 1) + " of " + of.length : "");
  const texts = take ? all(".prompt:not(.negative)", take) : [];
  const script = link.closest(".shot") && link.closest(".shot").querySelector(".script .prompt");
  $("screen-text").textContent = (texts[0] || script || {textContent: ""}).textContent;
  $("screen-choose").hidden = !take || !command(take, ["choose"]);
  $("screen-back").hidden = $("screen-next").hidden = !of.includes(link);
  const clip = dialog.querySelector("video");
  clip.src = address(link);
  if (!dialog.open) dialog.showModal();
  clip.focus({preventScroll: true});
  clip.play().catch((error) => {
    if (error.name !== "NotAllowedError") return;
    clip.muted = true;
    clip.play().catch(() => {});
  });
}

// The film goes on after what cannot be played, when there was time to read that.
function lacking() {
  if (!screening) return;
  const {link, film} = screening;
  $("screen-fault").textContent = "this clip is gone, or this browser cannot play it" + (film ? "; the film goes on" : "");
  $("screen-fault").hidden = false;
  $("screen").querySelector("video").controls = false;
  clearTimeout(going);
  if (film) going = setTimeout(() => { if (screening && screening.link === link) ended(); }, 2000);
}

function healed() {
  clearTimeout(going);
  $("screen-fault").hidden = true;
  $("screen-fault").textContent = "";
  $("screen").querySelector("video").controls = true;
}

function ended() {
  if (screening && screening.film && !turn(1)) $("screen").close();
}

function turn(step) {
  const of = screening.film ? reel() : links();
  const next = of[of.indexOf(screening.link) + step];
  if (next) screen(next, screening);
  return Boolean(next);
}

function closed() {
  healed();
  const clip = $("screen").querySelector("video");
  clip.pause();
  clip.removeAttribute("src");
  clip.load();
  const link = screening && screening.link;
  screening = null;
  if (!link) return;
  current = link.closest(".shot") || current;
  link.focus();
}

function play() {
  const frames = reel(), from = here();
  const place = shots.findIndex((shot) => shot.element === from);
  const first = frames.find((frame) => shots.findIndex((shot) => shot.element === frame.closest(".shot")) >= place);
  if (first || frames[0]) screen(first || frames[0], {film: true});
  else say("there is nothing to play yet");
}

// --- where one is -------------------------------------------------------------------------------------------

const visible = () => shots.filter((shot) => !shot.element.hidden).map((shot) => shot.element);

function here() {
  const focused = document.activeElement && document.activeElement.closest(".shot");
  if (focused) return focused;
  if (current && !current.hidden) {
    const box = current.getBoundingClientRect();
    if (box.bottom > 0 && box.top < innerHeight) return current;
  }
  return visible().find((shot) => shot.getBoundingClientRect().bottom > 80) || null;
}

function go(shot) {
  if (!shot) return;
  current = shot;
  shot.focus({preventScroll: true});
  shot.scrollIntoView({block: "start"});
}

function move(step) {
  const among = visible(), from = here();
  const focused = document.activeElement && document.activeElement.closest(".shot");
  if (!focused && step > 0 && from) return go(from);
  go(among[Math.min(among.length - 1, Math.max(0, among.indexOf(from) + step))]);
}

function take() {
  const focused = document.activeElement && document.activeElement.closest(".take");
  if (focused) return focused;
  const shot = here(), takes = shot ? all(".take", shot) : [];
  return takes.length === 1 ? takes[0] : null;
}

function command(of, kinds) {
  return of && all(".commands [data-kind]", of).find((one) => kinds.includes(one.dataset.kind));
}

function copyFor(kinds, what) {
  const of = screening ? screening.link.closest(".take") : take();
  const found = command(of, kinds);
  if (found) copy(found.dataset);
  else say(of ? "nothing to " + what + ": " + of.dataset.slate : "which take? Its number comes first");
}

// --- filters ------------------------------------------------------------------------------------------------

function textOf(shot) {
  const told = all(".script, .take > .prompt, .take > .why", shot.element).map((part) => part.textContent);
  return [...told, ...shot.takes.map((one) => one.dataset.slate)].join(" ").toLowerCase();
}

function filter() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const by = Object.fromEntries(all("select[data-by]").map((select) => [select.dataset.by, select.value]));
  const states = all("[data-by-state][aria-pressed=true]").map((chip) => chip.dataset.byState);
  const undecided = Boolean(document.querySelector("[data-by-undecided][aria-pressed=true]"));
  let count = 0;
  for (const shot of shots) {
    if (words.length && shot.text === undefined) shot.text = textOf(shot);
    const fits = (!by.scene || shot.element.dataset.scene === by.scene)
      && (!by.tag || shot.tags.includes(by.tag))
      && (!by.provider && !states.length || shot.takes.some((one) =>
        (!by.provider || one.dataset.provider === by.provider) && (!states.length || states.includes(one.dataset.state))))
      && (!undecided || shot.undecided)
      && words.every((word) => shot.text.includes(word));
    if (shot.element.hidden === fits) {
      shot.element.hidden = !fits;
      if (shot.thumb) shot.thumb.hidden = !fits;
    }
    count += fits;
  }
  if (playing && playing.shot.hidden) stop();
  for (const [scene, inside] of scenes) scene.hidden = inside.every((shot) => shot.element.hidden);
  const some = Boolean(words.length || Object.values(by).some(Boolean) || states.length || undecided);
  $("clear").hidden = !some;
  $("count").textContent = some ? count + " of " + shots.length + (shots.length === 1 ? " shot" : " shots") : "";
  $("nothing").hidden = count > 0;
}

let scenes = [];
function sort() {
  let last = null;
  for (const element of $("shots").children) {
    if (element.matches(".scene")) scenes.push(last = [element, []]);
    else if (last) last[1].push(shots.find((shot) => shot.element === element));
  }
}

function showAll() {
  $("filter").reset();
  for (const chip of all("#filter [aria-pressed]")) chip.setAttribute("aria-pressed", "false");
  filter();
}

// --- keys ---------------------------------------------------------------------------------------------------

const KEYS = {
  j: () => move(1), k: () => move(-1), t: theme, p: play,
  c: () => copyFor(["choose"], "choose"), r: () => copyFor(["retry", "render", "resubmit"], "render"),
  "/": () => { $("filters").open = true; $("find").focus(); }, "?": () => $("keys").showModal(),
};

function theme() {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  kept.set("theme", document.documentElement.dataset.theme);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = event.target instanceof Element ? event.target : document.body;
  if (at.matches("input[type=search], select, textarea")) {
    if (event.key === "Escape") { showAll(); at.blur(); }
    return;
  }
  const letters = kept.get("keys") !== "off";
  if (document.querySelector("dialog[open]")) {
    if (!screening) return;
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      turn(event.key === "ArrowRight" ? 1 : -1);
    } else if (letters && (event.key === "c" || event.key === "r")) KEYS[event.key]();
    return;
  }
  const inside = at.closest(".shot");
  if (event.key === "Escape") {
    if (playing) stop();
    else if (!$("clear").hidden) showAll();
  } else if (event.key === " " && !at.matches("button, summary, input, [tabindex='0'], video")) {
    const shot = here();
    if (!shot || !letters) return;
    event.preventDefault();
    current = shot;
    if (playing && playing.shot === shot && playing.how === "key") stop();
    else together(shot, "key");
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && inside) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && at.closest(".take")) {
    const takes = all(".take", inside), next = takes[takes.indexOf(at.closest(".take")) + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) { event.preventDefault(); focus(next); }
  } else if (letters && /^[1-9]$/.test(event.key)) {
    const shot = here(), found = shot && all(".take", shot)[event.key - 1];
    if (found) { event.preventDefault(); current = shot; focus(found); }
  } else if (letters && KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

function focus(of) {
  const frame = of.querySelector("a.frame");
  if (!frame) of.tabIndex = -1;
  (frame || of).focus({focusVisible: true});
}

// --- beginning ----------------------------------------------------------------------------------------------

function begin() {
  const thumbs = new Map(all(".strip li").map((item) => [item.dataset.of, item]));
  shots = all(".shot").map((element) => {
    const takes = all(".take", element);
    const several = takes.filter((one) => one.querySelector(".commands [data-kind=choose]")).length > 1;
    return {
      element, takes, tags: JSON.parse(element.dataset.tags), thumb: thumbs.get(element.dataset.shot),
      undecided: several && !element.querySelector(".commands [data-kind=unchoose]"),
    };
  });
  sort();
  $("bar").hidden = false;
  // What is jumped to comes to stand under the bar, however many lines that has.
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", $("bar").offsetHeight + "px")).observe($("bar"));
  $("filters").open = !matchMedia("(max-width: 44rem)").matches;
  for (const image of all("img[data-from]")) {
    const found = document.querySelector("#" + CSS.escape(image.dataset.from) + " .frame img");
    if (found) image.src = found.src;
  }
  all(".frame[data-clip]").forEach((frame) => nearby.observe(frame));
  all(".takes").forEach(hovering);
  let waits = 0;
  $("find").addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(filter, 80); });
  $("filter").addEventListener("change", filter);
  $("filter").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  $("clear").addEventListener("click", (event) => { event.preventDefault(); showAll(); });
  $("theme").addEventListener("click", theme);
  $("help").addEventListener("click", () => $("keys").showModal());
  if ($("film")) $("film").addEventListener("click", play);
  $("keys-on").checked = kept.get("keys") !== "off";
  $("keys-on").addEventListener("change", () => kept.set("keys", $("keys-on").checked ? "on" : "off"));
  $("screen").addEventListener("close", closed);
  $("screen-back").addEventListener("click", () => turn(-1));
  $("screen-next").addEventListener("click", () => turn(1));
  $("screen-choose").addEventListener("click", () => copyFor(["choose"], "choose"));
  $("screen").querySelector("video").addEventListener("ended", ended);
  $("screen").querySelector("video").addEventListener("error", lacking);
  if ($("pick")) $("pick").addEventListener("change", () => {
    $("run-shown").replaceChildren($($("pick").value).content.cloneNode(true));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]"), link = event.target.closest("a[data-clip]");
    const chip = event.target.closest("#filter [aria-pressed]"), side = event.target.closest(".together");
    if (button) copy(button.dataset);
    else if (chip) {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
      filter();
    } else if (side) {
      const shot = side.closest(".shot");
      if (playing && playing.shot === shot) stop();
      else together(shot, "key");
    } else if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      screen(link);
    }
  });
  document.addEventListener("focusin", (event) => { current = event.target.closest(".shot") || current; });
  document.addEventListener("keydown", pressed);
}
})();
