// The chat page. EVENTS.md describes what goes over the wire. Text from other people reaches the document through `textContent` only.
"use strict";

const NAME_CHARS_MAX = 32;
const ROOM_CHARS_MAX = 64;
const TEXT_CHARS_MAX = 4000;
const FILE_BYTES_MAX = 900_000;
// HTTP long-polling carries bytes as base64, a third more, within the same payload limit.
const FILE_BYTES_MAX_POLLING = 700_000;
const SHOWN_MESSAGES_MAX = 500;
const ANSWER_MS = 10_000;
const FILE_ANSWER_MS = 60_000;
const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 4_000;
const TYPING_SHOWN_MS = 7_000;
const GROUP_MS = 5 * 60_000;
// Types that are shown. All else is only ever offered as a download: a page or a drawing opened from a Blob URL would run with our origin.
const PICTURE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

const ERRORS = {
  "bad nick": `A name has 1 to ${NAME_CHARS_MAX} characters.`,
  "bad room": `A room's name has 1 to ${ROOM_CHARS_MAX} characters.`,
  "bad text": `A message has 1 to ${TEXT_CHARS_MAX} characters.`,
  "bad file": `A file has 1 byte to ${bytesText(FILE_BYTES_MAX)}.`,
  "not in room": "You are not in this room.",
  "too many rooms": "You are in too many rooms. Leave one first.",
  "room full": "This room is full.",
  "server full": "The server has no space for another room.",
  "gone": "The server no longer keeps this file.",
};

const $ = (id) => document.getElementById(id);
const socket = io("/chat", { reconnectionDelay: 500, reconnectionDelayMax: 5_000 });
const rooms = new Map();
// Every id this page has had: a new one comes with each connection, and the history still names the older ones.
const ownIds = new Set();
let nick = "";
let active = null;
let tray = null;

// ---- Small helpers ----

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

function paintAvatar(node, name) {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 360;
  node.style.setProperty("--hue", hash);
  node.textContent = [...name][0]?.toUpperCase() ?? "";
}

function bytesText(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${Math.ceil(count / 1000)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

const isName = (text, charsMax) => text === text.trim() && text !== "" && [...text].length <= charsMax && !/\p{Cc}/u.test(text);

// `crypto.randomUUID` exists on secure origins only, which a phone's view of a laptop is not.
const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("-");

const errorText = (word) => ERRORS[word] ?? "The server did not accept this.";

let alertTimer = 0;
function showAlert(text) {
  $("alert").textContent = text;
  $("alert").hidden = !text;
  clearTimeout(alertTimer);
  if (text) alertTimer = setTimeout(() => showAlert(""), 10_000);
}

// ---- Connection ----

function showStatus(state, text) {
  $("status").dataset.state = state;
  $("status-text").textContent = text;
}

socket.on("connect", () => {
  ownIds.add(socket.id);
  showStatus("connected", "Connected");
  watchTransport();
  for (const room of rooms.values()) enter(room);
});

socket.on("disconnect", (reason) => {
  showStatus("reconnecting", "Reconnecting");
  for (const room of rooms.values()) {
    room.entered = false;
    room.users = null;
    room.typing.clear();
  }
  showPeople();
  showTyping();
  // The library reconnects by itself in all cases but this one.
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1_000);
});

socket.on("connect_error", (error) => {
  if (!socket.active) showStatus("failed", `Refused: ${error.message}`);
});

socket.io.on("reconnect_attempt", (attempt) => showStatus("reconnecting", `Reconnecting, attempt ${attempt}`));
// The first connection has failed: until now the page said "Connecting".
socket.io.on("error", () => {
  if ($("status").dataset.state === "connecting") showStatus("reconnecting", "Reconnecting");
});

// A file that was too large for long-polling waits for the upgrade.
function watchTransport() {
  showLimit();
  socket.io.engine.once("upgrade", () => {
    showLimit();
    for (const room of rooms.values()) flush(room);
  });
}

function fileBytesMax() {
  return socket.connected && socket.io.engine.transport.name === "polling" ? FILE_BYTES_MAX_POLLING : FILE_BYTES_MAX;
}

function showLimit() {
  $("file-limit").textContent = `Files up to ${bytesText(fileBytesMax())}`;
  showTray();
}

// Sends an event that is acknowledged. Throws when the connection breaks or the time is over, with `refused` set when the server said no.
async function ask(event, answerMs, ...values) {
  const answer = await socket.timeout(answerMs).emitWithAck(event, ...values);
  if (!answer?.ok) throw Object.assign(new Error(errorText(answer?.error)), { refused: true });
  return answer;
}

// ---- Rooms ----

function openRoom(name) {
  let room = rooms.get(name);
  if (!room) {
    const log = element("div", "log");
    log.setAttribute("role", "log");
    log.setAttribute("aria-label", `Messages in ${name}`);
    log.tabIndex = 0;
    log.append(element("ol"));
    room = { name, log, list: log.firstChild, ids: new Set(), lastId: 0, outbox: [], typing: new Map(), users: null, entered: false, unread: 0, stick: true };
    log.addEventListener("scroll", () => { room.stick = log.scrollHeight - log.scrollTop - log.clientHeight < 60; });
    // A picture that has just been decoded, the keyboard of a phone: what was at the end stays at the end.
    new ResizeObserver(() => keepAtEnd(room)).observe(room.list);
    new ResizeObserver(() => keepAtEnd(room)).observe(log);
    rooms.set(name, room);
    $("logs").append(log);
    if (socket.connected) enter(room);
  }
  show(room);
}

async function enter(room) {
  const connection = socket.id;
  try {
    const { messages } = await ask("enter", ANSWER_MS, { room: room.name, nick });
    if (rooms.get(room.name) !== room) return;
    room.entered = true;
    const pictures = [];
    for (const message of messages) {
      if (room.ids.has(message.id)) continue;
      const entry = ownIds.has(message.from.id) && room.outbox.find((entry) => entry.message.key === message.key);
      if (entry) settle(room, entry, message.id);
      else if (add(room, message).dataset.missing === "picture") pictures.push(message);
    }
    flush(room);
    for (const message of pictures.reverse()) await load(room, message, room.list.querySelector(`[data-id="${message.id}"]`));
  } catch (error) {
    // A broken connection needs nothing here: the next one enters again.
    if (socket.id !== connection || rooms.get(room.name) !== room) return;
    showAlert(`${room.name}: ${error.refused ? error.message : "the server did not answer."}`);
    if (error.refused && room.ids.size === 0) closeRoom(room);
  }
}

function closeRoom(room) {
  if (socket.connected) socket.emit("leave", { room: room.name }, () => {});
  rooms.delete(room.name);
  for (const item of room.list.children) release(item);
  room.log.remove();
  if (active === room) show([...rooms.values()].at(-1) ?? null);
  else showRooms();
}

function show(room) {
  if (active !== room) stopTyping();
  active = room;
  for (const other of rooms.values()) other.log.hidden = other !== room;
  if (room) room.unread = 0;
  $("empty").hidden = !!room;
  $("title").textContent = room ? room.name : "Chat";
  for (const node of [$("text"), $("attach"), $("composer").querySelector("[type=submit]")]) node.disabled = !room;
  showRooms();
  showPeople();
  showTyping();
  if (room) keepAtEnd(room);
}

function keepAtEnd(room) {
  if (room.stick) room.log.scrollTop = room.log.scrollHeight;
}

function showRooms() {
  const focused = document.activeElement?.dataset?.room;
  $("rooms").replaceChildren(...[...rooms.values()].map((room) => {
    const item = element("li");
    const button = element("button", "room");
    button.type = "button";
    button.dataset.room = room.name;
    button.append(element("span", "room-name", room.name));
    if (room === active) {
      item.dataset.active = "";
      button.setAttribute("aria-current", "true");
    }
    if (room.unread) {
      item.dataset.unread = room.unread;
      const badge = element("span", "unread", room.unread > 99 ? "99+" : room.unread);
      badge.append(element("span", "hidden", " unread"));
      button.append(badge);
    }
    button.addEventListener("click", () => {
      show(room);
      toggleSide(false);
    });
    const leave = element("button", "icon");
    leave.type = "button";
    leave.setAttribute("aria-label", `Leave ${room.name}`);
    leave.append(icon("M6 6l12 12M18 6L6 18"));
    leave.addEventListener("click", () => closeRoom(room));
    item.append(button, leave);
    return item;
  }));
  if (focused) [...$("rooms").querySelectorAll(".room")].find((button) => button.dataset.room === focused)?.focus();
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  $("menu-dot").hidden = unread === 0;
  document.title = (unread ? `(${unread}) ` : "") + (active ? `${active.name} · Chat` : "Chat");
}

// ---- Who is online, who is typing ----

socket.on("presence", ({ room: name, users }) => {
  const room = rooms.get(name);
  if (!room) return;
  const before = room.users && new Map(room.users.map((user) => [user.id, user.nick]));
  const now = new Map(users.map((user) => [user.id, user.nick]));
  // The first list after a connection says who was here already, which is no news.
  if (before) {
    for (const [id, name] of now) {
      if (!before.has(id)) addNote(room, `${name} joined`);
      else if (before.get(id) !== name) addNote(room, `${before.get(id)} is now ${name}`);
    }
    for (const [id, name] of before) if (!now.has(id)) addNote(room, `${name} left`);
  }
  room.users = users;
  for (const id of room.typing.keys()) if (!now.has(id)) endTyping(room, id);
  if (room === active) showPeople();
});

function showPeople() {
  $("people-count").textContent = active?.users ? active.users.length : "";
  // While the connection is down the last list stays, faded.
  $("people").toggleAttribute("data-stale", !!active && !active.users);
  if (active && !active.users) return;
  $("people").replaceChildren(...(active?.users ?? []).map((user) => {
    const item = element("li");
    const avatar = element("span", "avatar");
    avatar.setAttribute("aria-hidden", "true");
    paintAvatar(avatar, user.nick);
    item.append(avatar, element("span", "", user.nick));
    if (user.id === socket.id) item.append(element("small", "", "you"));
    return item;
  }));
}

socket.on("typing", ({ room: name, user, on }) => {
  const room = rooms.get(name);
  if (!room) return;
  endTyping(room, user.id);
  if (on) room.typing.set(user.id, { nick: user.nick, timer: setTimeout(() => endTyping(room, user.id), TYPING_SHOWN_MS) });
  showTyping();
});

function endTyping(room, id) {
  clearTimeout(room.typing.get(id)?.timer);
  if (room.typing.delete(id)) showTyping();
}

function showTyping() {
  const names = [...(active?.typing.values() ?? [])].map((entry) => entry.nick);
  const who = names.length > 2 ? `${names.length} people` : names.join(" and ");
  $("typing").textContent = names.length === 0 ? "" : `${who} ${names.length > 1 ? "are" : "is"} typing…`;
}

const writing = { room: null, sentAt: 0, timer: 0 };

function startTyping() {
  if (!active?.entered || !socket.connected) return;
  clearTimeout(writing.timer);
  writing.timer = setTimeout(stopTyping, TYPING_IDLE_MS);
  if (writing.room === active && Date.now() - writing.sentAt < TYPING_REPEAT_MS) return;
  writing.room = active;
  writing.sentAt = Date.now();
  socket.volatile.emit("typing", { room: active.name, on: true });
}

function stopTyping() {
  clearTimeout(writing.timer);
  if (writing.room && socket.connected) socket.emit("typing", { room: writing.room.name, on: false });
  writing.room = null;
}

// ---- Messages ----

socket.on("said", (message) => receive(message));
socket.on("shared", (message, data) => receive(message, data));

function receive(message, data) {
  const room = rooms.get(message.room);
  if (!room || room.ids.has(message.id)) return;
  endTyping(room, message.from.id);
  add(room, message, data);
  if (room !== active || document.hidden) {
    room.unread += 1;
    showRooms();
  }
}

// Messages stand in the order of their ids; what waits for its id stands below them, in the order of writing.
function place(room, item, id) {
  item.dataset.order = id;
  let before = room.list.lastElementChild;
  while (before && (before === item || before.dataset.order === undefined || Number(before.dataset.order) > id)) before = before.previousElementSibling;
  if (before) before.after(item);
  else room.list.prepend(item);
  room.lastId = Math.max(room.lastId, id);
  while (room.list.children.length > SHOWN_MESSAGES_MAX) {
    release(room.list.firstElementChild);
    room.list.firstElementChild.remove();
  }
}

function group(item) {
  for (const node of [item, item.nextElementSibling]) {
    const before = node?.previousElementSibling;
    if (!node?.dataset.from) continue;
    const follows = before?.dataset.from === node.dataset.from && Number(node.dataset.at) - Number(before.dataset.at) < GROUP_MS;
    node.classList.toggle("follow", follows);
  }
}

function add(room, message, data) {
  const mine = ownIds.has(message.from.id);
  const item = compose(message, mine, message.id / 1000, data);
  item.dataset.id = message.id;
  room.ids.add(message.id);
  if (mine) setState(item, "delivered", "✓", "Delivered");
  if (message.file && !data) offer(room, message, item);
  place(room, item, message.id);
  group(item);
  return item;
}

function addNote(room, text) {
  const item = element("li", "note", text);
  place(room, item, room.lastId);
}

function compose(message, mine, at, data) {
  const item = element("li", mine ? "message mine" : "message");
  item.dataset.from = mine ? "me" : `${message.from.id} ${message.from.nick}`;
  item.dataset.at = at;
  const avatar = element("span", "avatar");
  avatar.setAttribute("aria-hidden", "true");
  paintAvatar(avatar, message.from.nick);
  const meta = element("div", "meta");
  const time = element("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = new Date(at).toISOString();
  meta.append(element("strong", "", message.from.nick), time);
  const row = element("div", "row");
  row.append(message.file ? figure(message.file, data) : element("p", "bubble", message.text));
  const body = element("div", "body");
  body.append(meta, row);
  item.append(avatar, body);
  return item;
}

function setState(item, state, mark, label) {
  item.dataset.state = state;
  let node = item.querySelector(".state");
  if (!node) item.querySelector(".row").append((node = element("span", "state")));
  node.textContent = mark;
  node.setAttribute("aria-label", label);
  node.setAttribute("role", "img");
  node.title = label;
}

// ---- Sending ----

function queue(room, extra, data) {
  const message = { room: room.name, key: randomKey(), from: { id: "me", nick }, ...extra };
  const entry = { message, data, item: compose(message, true, Date.now(), data), busy: false };
  setState(entry.item, "sending", "…", "Sending");
  room.outbox.push(entry);
  room.list.append(entry.item);
  group(entry.item);
  room.stick = true;
  keepAtEnd(room);
  flush(room);
}

// Sends what has not been acknowledged. Nothing is left to the library's own buffer: after a reconnection the room must be entered first.
function flush(room) {
  if (!room.entered || !socket.connected) return;
  for (const entry of room.outbox) {
    if (entry.busy || entry.failed || (entry.data && entry.data.byteLength > fileBytesMax())) continue;
    send(room, entry);
  }
}

async function send(room, entry) {
  const { key, text, file } = entry.message;
  const connection = socket.id;
  entry.busy = true;
  try {
    const { id } = file
      ? await ask("share", FILE_ANSWER_MS, { room: room.name, key, name: file.name, type: file.type }, entry.data)
      : await ask("say", ANSWER_MS, { room: room.name, key, text });
    settle(room, entry, id);
  } catch (error) {
    // When the connection broke, the message goes out again after the next `enter`.
    if (error.refused || (socket.connected && socket.id === connection)) fail(room, entry, error);
  } finally {
    entry.busy = false;
  }
}

function settle(room, entry, id) {
  const index = room.outbox.indexOf(entry);
  if (index < 0) return;
  room.outbox.splice(index, 1);
  room.ids.add(id);
  entry.item.dataset.id = id;
  entry.item.dataset.at = id / 1000;
  unfail(entry);
  setState(entry.item, "delivered", "✓", "Delivered");
  const after = entry.item.nextElementSibling;
  place(room, entry.item, id);
  group(entry.item);
  if (after) group(after);
}

function fail(room, entry, error) {
  entry.failed = true;
  setState(entry.item, "failed", `Not delivered. ${error.refused ? error.message : "The server did not answer."}`, "Not delivered");
  entry.item.querySelector(".state").removeAttribute("role");
  entry.retry = element("button", "small retry", "Try again");
  entry.retry.type = "button";
  entry.retry.addEventListener("click", () => {
    unfail(entry);
    setState(entry.item, "sending", "…", "Sending");
    flush(room);
  });
  entry.item.querySelector(".row").append(entry.retry);
}

function unfail(entry) {
  entry.failed = false;
  entry.retry?.remove();
}

// ---- Files ----

const isPicture = (file) => PICTURE_TYPES.includes(file.type);

function figure(file, data) {
  const node = element("figure", "bubble file");
  const caption = element("figcaption");
  const label = element("span");
  label.append(element("span", "file-name", file.name), element("span", "file-size", bytesText(file.size)));
  caption.append(label);
  node.append(caption);
  if (data) fill(node, file, data);
  return node;
}

function fill(node, file, data) {
  const picture = isPicture(file);
  const link = element("a", "save", "Save");
  link.href = URL.createObjectURL(new Blob([data], { type: picture ? file.type : "application/octet-stream" }));
  link.download = file.name;
  link.setAttribute("aria-label", `Save ${file.name}`);
  node.lastElementChild.append(link);
  if (!picture) return;
  const image = element("img");
  image.alt = `Picture: ${file.name}`;
  // Whatever cannot be decoded stays a file to download.
  image.addEventListener("error", () => {
    image.remove();
    node.classList.remove("picture");
  });
  image.src = link.href;
  node.classList.add("picture");
  node.prepend(image);
}

// The history names files without their bytes. Pictures are fetched by themselves, other files when asked for.
function offer(room, message, item) {
  item.dataset.missing = isPicture(message.file) ? "picture" : "file";
  const button = element("button", "save", "Get");
  button.type = "button";
  button.setAttribute("aria-label", `Get ${message.file.name}`);
  button.addEventListener("click", () => load(room, message, item));
  item.querySelector("figcaption").append(button);
}

async function load(room, message, item) {
  const button = item?.querySelector("button.save");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const { data } = await ask("fetch", FILE_ANSWER_MS, { room: room.name, id: message.id });
    // The room may have been left meanwhile, and nobody would release the picture.
    if (!item.isConnected) return;
    button.remove();
    delete item.dataset.missing;
    fill(item.querySelector("figure"), message.file, data);
  } catch (error) {
    button.disabled = false;
    if (!error.refused) return;
    button.remove();
    item.querySelector(".file-size").textContent = `${bytesText(message.file.size)}. ${error.message}`;
  }
}

function release(item) {
  const link = item.querySelector("a.save");
  if (link) URL.revokeObjectURL(link.href);
}

function attach(file) {
  if (tray) URL.revokeObjectURL(tray.url);
  tray = file ? { file, url: URL.createObjectURL(file) } : null;
  $("file").value = "";
  showAlert("");
  showTray();
}

function showTray() {
  $("tray").hidden = !tray;
  if (!tray) return;
  const { file, url } = tray;
  const large = file.size > fileBytesMax();
  const shown = isPicture(file);
  $("tray-image").hidden = !shown;
  if (shown) $("tray-image").src = url;
  $("tray-name").textContent = file.name;
  $("tray").toggleAttribute("data-large", large || file.size === 0);
  const size = file.size ? bytesText(file.size) : "This file is empty";
  $("tray-size").textContent = large ? `${size}, the limit is ${bytesText(fileBytesMax())}` : size;
  $("tray-shrink").hidden = !(large && shown);
}

// A photograph of today is larger than the limit: encode it again, smaller at each step, until it fits.
async function shrink() {
  const { file } = tray;
  $("tray-shrink").disabled = true;
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = element("canvas");
    for (let side = 2048; side >= 256; side /= 1.4) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      const context = canvas.getContext("2d");
      // JPEG has no transparency, and black would be its colour.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
      if (tray?.file !== file) return;
      if (blob && blob.size <= fileBytesMax()) return attach(new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: blob.type }));
    }
    showAlert("This picture cannot be made small enough.");
  } catch {
    showAlert("This picture cannot be read.");
  } finally {
    $("tray-shrink").disabled = false;
  }
}

// ---- Writing ----

function resizeText() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight + 2}px`;
}

async function submit() {
  const room = active;
  if (!room) return;
  const text = $("text").value.replaceAll("\r\n", "\n").trimEnd();
  const chars = [...text].length;
  if (chars > TEXT_CHARS_MAX) return showAlert(`This message has ${chars} characters; the limit is ${TEXT_CHARS_MAX}.`);
  if (tray && (tray.file.size === 0 || tray.file.size > fileBytesMax())) {
    return showAlert(tray.file.size === 0 ? "An empty file cannot be sent." : `This file is too large; the limit is ${bytesText(fileBytesMax())}.`);
  }
  const file = tray?.file;
  attach(null);
  $("text").value = "";
  resizeText();
  stopTyping();
  if (file) {
    try {
      const data = await file.arrayBuffer();
      queue(room, { file: { name: fileName(file), type: fileType(file), size: file.size } }, data);
    } catch {
      showAlert(`${file.name} could not be read.`);
    }
  }
  if (text.trim()) queue(room, { text: text.toWellFormed?.() ?? text }, undefined);
}

const fileName = (file) => [...file.name.replace(/\p{Cc}/gu, " ")].slice(-255).join("") || "file";
const fileType = (file) => (/^[\x20-\x7e]{0,127}$/.test(file.type) ? file.type : "");

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
  $("text").focus();
});

$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});

$("text").addEventListener("input", () => {
  resizeText();
  if ($("text").value.trim()) startTyping();
  else stopTyping();
});

$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => $("file").files[0] && attach($("file").files[0]));
$("tray-remove").addEventListener("click", () => {
  attach(null);
  $("text").focus();
});
$("tray-shrink").addEventListener("click", shrink);

document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (!file || !active) return;
  event.preventDefault();
  attach(file);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (active && event.dataTransfer.files[0]) attach(event.dataTransfer.files[0]);
});

// ---- Names and the side panel ----

function openWelcome(renaming) {
  $("welcome-title").textContent = renaming ? "Change your name" : "Join the chat";
  $("welcome-submit").textContent = renaming ? "Save" : "Enter";
  $("welcome-room").hidden = renaming;
  $("room").disabled = renaming;
  $("welcome-cancel").hidden = !renaming;
  $("welcome-problem").textContent = "";
  $("welcome").showModal();
  ($("nick").value && !renaming ? $("room") : $("nick")).select();
}

$("welcome").addEventListener("cancel", (event) => {
  if (!nick) event.preventDefault();
});
$("welcome-cancel").addEventListener("click", () => $("welcome").close());

$("welcome-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("nick").value.trim();
  const room = $("room").value.trim();
  const problem = !isName(name, NAME_CHARS_MAX) ? "bad nick" : !$("room").disabled && !isName(room, ROOM_CHARS_MAX) ? "bad room" : "";
  $("welcome-problem").textContent = problem && errorText(problem);
  if (problem) return;
  setNick(name);
  $("welcome").close();
  if (!$("room").disabled) openRoom(room);
  $("text").focus();
});

function setNick(name) {
  const renamed = nick !== "" && nick !== name;
  nick = name;
  $("rename").hidden = false;
  $("me-nick").textContent = name;
  paintAvatar($("me-avatar"), name);
  remember("nick", name);
  // Entering a room again tells the server the new name, for all rooms.
  if (renamed && socket.connected && active) enter(active);
}

// Storage may be forbidden; then the name is typed again next time.
function remember(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key) ?? "";
    localStorage.setItem(key, value);
  } catch {
    return "";
  }
}

function toggleSide(open) {
  if (open === (($("app").dataset.side ?? "") === "open")) return;
  $("app").dataset.side = open ? "open" : "";
  $("menu").setAttribute("aria-expanded", String(open));
  $("main").inert = open;
  if (open) ($("rooms").querySelector(".room") ?? $("join-room")).focus();
  else $("menu").focus();
}

$("menu").addEventListener("click", () => toggleSide(true));
$("veil").addEventListener("click", () => toggleSide(false));
matchMedia("(max-width: 42rem)").addEventListener("change", () => toggleSide(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") toggleSide(false);
});
$("rename").addEventListener("click", () => {
  toggleSide(false);
  openWelcome(true);
});

$("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("join-room").value.trim();
  if (!isName(name, ROOM_CHARS_MAX)) return showAlert(errorText("bad room"));
  $("join-room").value = "";
  openRoom(name);
  toggleSide(false);
  $("text").focus();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !active?.unread) return;
  active.unread = 0;
  showRooms();
});

const query = new URLSearchParams(location.search);
$("nick").value = query.get("nick") ?? remember("nick");
$("room").value = query.get("room") ?? "lobby";
show(null);
showLimit();
openWelcome(false);
