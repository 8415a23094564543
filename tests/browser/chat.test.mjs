// The chat page, as people use it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { attach, delivered, drawPicture, join, log, message, online, pages, roomButton, say, startBrowser, startServer, texts } from "./harness.mjs";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// Every test talks in rooms of its own, since the server keeps the history of them all.
async function withPages(body, defaults) {
  const open = pages(browser, server, defaults);
  await body(open);
  await open.finish();
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function savedBytes(page, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: `Save ${name}` }).click()]);
  assert.equal(download.suggestedFilename(), name);
  return readFile(await download.path());
}

const decoded = (page, name) =>
  page.getByRole("img", { name: `Picture: ${name}` }).evaluate(async (image) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  });

test("messages reach the other tab and show in one order in both", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "order");
    const ben = await enter("Ben", "order");
    for (const page of [ada, ben]) for (const nick of ["Ada", "Ben"]) await online(page, nick).waitFor();
    const all = [];
    for (let round = 1; round <= 4; round += 1) {
      for (const [page, other, nick] of [[ada, ben, "Ada"], [ben, ada, "Ben"]]) {
        const text = `${nick} ${round}`;
        all.push(text);
        await say(page, text);
        await delivered(page, text, "order").waitFor();
        await message(other, text, "order").waitFor();
      }
    }
    assert.deepEqual(await texts(ada, "order"), all);
    assert.deepEqual(await texts(ben, "order"), all);
  }));

test("messages sent by two at once end up in the same order", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "at once");
    const ben = await enter("Ben", "at once");
    await Promise.all([ada, ben].map(async (page, index) => {
      for (let count = 0; count < 10; count += 1) await say(page, `${index}-${count}.`);
    }));
    for (const page of [ada, ben]) {
      for (const index of [0, 1]) for (let count = 0; count < 10; count += 1) await message(page, `${index}-${count}.`, "at once").waitFor();
      await log(page, "at once").locator("[data-state=sending]").first().waitFor({ state: "detached" });
    }
    assert.deepEqual(await texts(ada, "at once"), await texts(ben, "at once"));
  }));

test("presence follows those who enter, change the name and go", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "presence");
    const ben = await enter("Ben", "presence");
    await online(ada, "Ben").waitFor();
    assert.deepEqual(await ada.locator("#people li").allTextContents(), ["AAdayou", "BBen"]);
    await ben.getByRole("button", { name: "Change name" }).click();
    await ben.getByRole("textbox", { name: "Your name" }).fill("Benedict");
    await ben.keyboard.press("Enter");
    await online(ada, "Benedict").waitFor();
    await log(ada, "presence").getByText("Ben is now Benedict").waitFor();
    await ben.close();
    await online(ada, "Benedict").waitFor({ state: "detached" });
    await log(ada, "presence").getByText("Benedict left").waitFor();
  }));

test("a room keeps its messages to itself, counts what is unread, and can be left", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "hall");
    const ben = await enter("Ben", "hall");
    await join(ada, "garden");
    await say(ada, "only the garden");
    await delivered(ada, "only the garden", "garden").waitFor();
    // Sent after the other message on the same connection: when it has arrived, the other one would have too.
    await roomButton(ada, "hall").click();
    await say(ada, "in the hall");
    await message(ben, "in the hall", "hall").waitFor();
    assert.equal(await ben.getByText("only the garden").count(), 0);
    assert.equal(await message(ada, "only the garden", "hall").count(), 0);
    assert.deepEqual(await ben.locator("#rooms .room-name").allTextContents(), ["hall"]);

    await join(ben, "garden");
    await message(ben, "only the garden", "garden").waitFor();
    await say(ben, "I am here too");
    await roomButton(ada, "garden").getByText("1 unread").waitFor();
    await roomButton(ada, "garden").click();
    await message(ada, "I am here too", "garden").waitFor();
    await roomButton(ada, "garden").locator(".unread").waitFor({ state: "detached" });

    await ada.getByRole("button", { name: "Leave garden" }).click();
    await online(ben, "Ada").waitFor({ state: "detached" });
    await roomButton(ada, "garden").waitFor({ state: "detached" });
    await ada.getByRole("heading", { level: 1, name: "hall" }).waitFor();
  }));

test("typing shows in the other tab until it ends", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "typing");
    const ben = await enter("Ben", "typing");
    const hint = ben.getByText("Ada is typing…");
    await ada.getByLabel("Message", { exact: true }).pressSequentially("Hel");
    await hint.waitFor();
    await ada.getByLabel("Message", { exact: true }).fill("");
    await hint.waitFor({ state: "detached" });
    await ada.getByLabel("Message", { exact: true }).pressSequentially("Hello");
    await hint.waitFor();
    await ada.keyboard.press("Enter");
    await message(ben, "Hello", "typing").waitFor();
    await hint.waitFor({ state: "detached" });
  }));

test("a picture arrives with identical bytes, is acknowledged, and stays in the history", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "pictures");
    const ben = await enter("Ben", "pictures");
    const bytes = await drawPicture(ada);
    await attach(ada, { name: "evening.png", mimeType: "image/png", buffer: bytes });
    await ada.getByRole("button", { name: "Send", exact: true }).click();
    await delivered(ada, "evening.png", "pictures").getByRole("img", { name: "Delivered" }).waitFor();
    for (const page of [ada, ben]) {
      assert.deepEqual(await decoded(page, "evening.png"), [640, 400]);
      assert.equal(sha256(await savedBytes(page, "evening.png")), sha256(bytes));
    }
    const cyd = await enter("Cyd", "pictures");
    assert.deepEqual(await decoded(cyd, "evening.png"), [640, 400]);
    assert.equal(sha256(await savedBytes(cyd, "evening.png")), sha256(bytes));
  }));

test("a file of the largest size arrives as a download, a larger one is not sent", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "files");
    const ben = await enter("Ben", "files");
    await ada.getByText("Files up to 900 kB").waitFor();
    await attach(ada, { name: "large.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(900_001) });
    await ada.getByText("the limit is 900 kB").waitFor();
    await ada.getByRole("button", { name: "Send", exact: true }).click();
    await ada.getByRole("alert").getByText("This file is too large").waitFor();
    await ada.getByRole("button", { name: "Remove file" }).click();
    const bytes = randomBytes(900_000);
    await attach(ada, { name: "report <b>.bin", mimeType: "text/html", buffer: bytes });
    await ada.getByRole("button", { name: "Send", exact: true }).click();
    await delivered(ada, "report <b>.bin", "files").waitFor();
    const link = ben.getByRole("link", { name: "Save report" });
    await link.waitFor();
    const [download] = await Promise.all([ben.waitForEvent("download"), link.click()]);
    assert.equal(sha256(await readFile(await download.path())), sha256(bytes));
    assert.equal(await ben.getByRole("img", { name: /^Picture/ }).count(), 0);
    assert.equal(await log(ada, "files").locator(".message").count(), 1);
  }));

test("a picture that is too large can be made smaller", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "shrink");
    await ada.getByText("Files up to 900 kB").waitFor();
    // Padding after the end of a PNG is allowed, and makes it large without making it slow.
    const bytes = Buffer.concat([await drawPicture(ada), Buffer.alloc(900_000)]);
    await attach(ada, { name: "photo.png", mimeType: "image/png", buffer: bytes });
    await ada.getByRole("button", { name: "Make smaller" }).click();
    await ada.getByText("photo.jpg").waitFor();
    await ada.getByRole("button", { name: "Send", exact: true }).click();
    await delivered(ada, "photo.jpg", "shrink").waitFor();
    assert.deepEqual(await decoded(ada, "photo.jpg"), [640, 400]);
  }));

test("a third tab gets the history of the room, and of no other", () =>
  withPages(async ({ enter }) => {
    const ada = await enter("Ada", "history");
    for (const text of ["one", "two", "three"]) {
      await say(ada, text);
      await delivered(ada, text, "history").waitFor();
    }
    await join(ada, "elsewhere");
    await say(ada, "not for the history");
    await delivered(ada, "not for the history", "elsewhere").waitFor();
    const cyd = await enter("Cyd", "history");
    await message(cyd, "three", "history").waitFor();
    assert.deepEqual(await texts(cyd, "history"), ["one", "two", "three"]);
  }));

test("the history is bounded", () =>
  withPages(async ({ enter, open }) => {
    const page = await open();
    await page.evaluate(async () => {
      const socket = io("/chat", { forceNew: true });
      await socket.emitWithAck("enter", { room: "bounded", nick: "Loop" });
      for (let count = 1; count <= 105; count += 1) await socket.emitWithAck("say", { room: "bounded", key: `k${count}`, text: `number ${count}` });
      socket.disconnect();
    });
    const ada = await enter("Ada", "bounded");
    await message(ada, "number 105", "bounded").waitFor();
    const shown = await texts(ada, "bounded");
    assert.equal(shown.length, 100);
    assert.equal(shown[0], "number 6");
  }));

test("the server answers what is outside the limits, and sends a repeated key once", () =>
  withPages(async ({ open }) => {
    const page = await open();
    const answers = await page.evaluate(async () => {
      const socket = io("/chat", { forceNew: true });
      const ask = (...values) => socket.timeout(5_000).emitWithAck(...values);
      const room = "limits";
      const results = {
        outside: await ask("say", { room, key: "a", text: "hello" }),
        badNick: await ask("enter", { room, nick: "" }),
        longNick: await ask("enter", { room, nick: "x".repeat(33) }),
        badRoom: await ask("enter", { room: " padded ", nick: "Ada" }),
        enter: await ask("enter", { room, nick: "Ada" }),
        empty: await ask("say", { room, key: "b", text: "  " }),
        long: await ask("say", { room, key: "c", text: "x".repeat(4001) }),
        longest: await ask("say", { room, key: "d", text: "\u{1f600}".repeat(4000) }),
        again: await ask("say", { room, key: "d", text: "again" }),
        file: await ask("share", { room, key: "e", name: "a.bin", type: "" }, new ArrayBuffer(0)),
        gone: await ask("fetch", { room, id: 1 }),
        leave: await ask("leave", { room }),
        left: await ask("say", { room, key: "f", text: "hello" }),
      };
      const rooms = [];
      for (let count = 0; count < 17; count += 1) rooms.push(await ask("enter", { room: `limits ${count}`, nick: "Ada" }));
      results.last = rooms.at(-2).ok;
      results.tooMany = rooms.at(-1);
      results.history = (await ask("enter", { room: "limits 0", nick: "Ada" })).messages.length;
      socket.disconnect();
      return results;
    });
    const { enter, longest, again, ...rest } = answers;
    assert.equal(enter.ok, true);
    assert.deepEqual(enter.messages, []);
    assert.equal(enter.user.nick, "Ada");
    assert.ok(longest.ok && Number.isSafeInteger(longest.id));
    assert.deepEqual(again, longest);
    assert.deepEqual(rest, {
      outside: { ok: false, error: "not in room" },
      badNick: { ok: false, error: "bad nick" },
      longNick: { ok: false, error: "bad nick" },
      badRoom: { ok: false, error: "bad room" },
      empty: { ok: false, error: "bad text" },
      long: { ok: false, error: "bad text" },
      file: { ok: false, error: "bad file" },
      gone: { ok: false, error: "gone" },
      leave: { ok: true },
      left: { ok: false, error: "not in room" },
      last: true,
      tooMany: { ok: false, error: "too many rooms" },
      history: 0,
    });
  }));

test("text, names and rooms are shown as text", () =>
  withPages(async ({ enter }) => {
    const nick = "<i>Mallory</i>";
    const room = "<b>room</b>";
    const markup = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const ada = await enter("Ada", room);
    const mallory = await enter(nick, room);
    await say(mallory, markup);
    await message(ada, markup, room).waitFor();
    assert.deepEqual(await texts(ada, room), [markup]);
    await online(ada, nick).waitFor();
    assert.equal(await ada.locator("#logs :is(script, b, i), #logs img, #rooms b, #people i").count(), 0);
    assert.equal(await ada.title(), `${room} · Chat`);
  }));

test("a phone shows everything without scrolling sideways", () =>
  withPages(
    async ({ enter }) => {
      const ada = await enter("Ada", "phone");
      const wide = async () => ada.evaluate(() => [...document.querySelectorAll("html, body, .log, .side")].some((node) => node.scrollWidth > node.clientWidth));
      await say(ada, `${"long".repeat(60)} ${"word ".repeat(30)}`);
      await delivered(ada, "longlong", "phone").waitFor();
      await attach(ada, { name: `${"wide".repeat(30)}.png`, mimeType: "image/png", buffer: await drawPicture(ada, 1600, 400) });
      assert.equal(await wide(), false);
      await ada.getByRole("button", { name: "Send", exact: true }).click();
      await delivered(ada, "widewide", "phone").waitFor();
      assert.equal(await wide(), false);
      await ada.getByRole("button", { name: "Rooms and people", exact: true }).click();
      await join(ada, "R".repeat(64));
      await ada.getByRole("button", { name: "Rooms and people", exact: true }).click();
      await roomButton(ada, "phone").waitFor();
      assert.equal(await wide(), false);
      const small = await ada.evaluate(() =>
        [...document.querySelectorAll("button, a[href], input, textarea")]
          .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled && !node.classList.contains("hidden"))
          .map((node) => ({ name: node.id || node.className, width: node.offsetWidth, height: node.offsetHeight }))
          .filter(({ width, height }) => width < 44 || height < 44));
      assert.deepEqual(small, [], "touch targets below 44 by 44 pixels");
      await ada.keyboard.press("Escape");
      await roomButton(ada, "phone").waitFor({ state: "hidden" });
    },
    { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true },
  ));

test("the page works without a mouse", () =>
  withPages(async ({ open }) => {
    const page = await open("/?nick=Ada&room=keyboard");
    await page.getByRole("dialog", { name: "Join the chat" }).waitFor();
    await page.keyboard.press("Enter");
    await online(page, "Ada").waitFor();
    await page.keyboard.type("first line");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second line");
    await page.keyboard.press("Enter");
    await delivered(page, "second line", "keyboard").waitFor();
    assert.deepEqual(await texts(page, "keyboard"), ["first line\nsecond line"]);
  }));
