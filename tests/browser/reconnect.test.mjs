// The server goes away and comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { delivered, message, online, pages, say, startBrowser, startServer, texts } from "./harness.mjs";

let browser;

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
});

test("pages reconnect to a restarted server, enter their rooms again, and send what was written meanwhile", async () => {
  let server = await startServer();
  try {
    const { enter, finish } = pages(browser, server);
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await say(ada, "before");
    await message(ben, "before").waitFor();

    await server.kill();
    for (const page of [ada, ben]) await page.getByRole("status").getByText(/Reconnecting, attempt \d+/).waitFor();
    await say(ada, "meanwhile");
    await message(ada, "meanwhile").and(ada.locator("[data-state=sending]")).waitFor();

    server = await startServer(server.port);
    for (const page of [ada, ben]) {
      await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
      for (const nick of ["Ada", "Ben"]) await online(page, nick).waitFor();
    }
    await delivered(ada, "meanwhile").waitFor();
    await message(ben, "meanwhile").waitFor();
    await say(ben, "after");
    await message(ada, "after").waitFor();
    assert.deepEqual(await texts(ada), ["before", "meanwhile", "after"]);
    assert.deepEqual(await texts(ben), ["before", "meanwhile", "after"]);
    // The browser itself reports requests that were refused while there was no server.
    await finish([/net::ERR_(CONNECTION|EMPTY|SOCKET)/, /WebSocket connection to .* failed/]);
  } finally {
    await server.stop();
  }
});

test("a page that lost only its connection gets what it missed, once", async () => {
  const server = await startServer();
  try {
    const { enter, finish } = pages(browser, server);
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await say(ada, "one");
    await message(ben, "one").waitFor();

    await ben.context().setOffline(true);
    await ben.evaluate(() => socket.io.engine.close());
    await ben.getByRole("status").getByText(/Reconnecting/).waitFor();
    await online(ada, "Ben").waitFor({ state: "detached" });
    await say(ada, "two");
    await delivered(ada, "two").waitFor();
    await say(ben, "three");
    await ben.context().setOffline(false);

    await delivered(ben, "three").waitFor();
    await message(ada, "three").waitFor();
    assert.deepEqual(await texts(ada), ["one", "two", "three"]);
    assert.deepEqual(await texts(ben), ["one", "two", "three"]);
    await finish([/net::ERR_INTERNET_DISCONNECTED/, /WebSocket connection to .* failed/]);
  } finally {
    await server.stop();
  }
});

test("a server that ends the sessions in good order is found again", async () => {
  let server = await startServer();
  try {
    const { enter, finish } = pages(browser, server);
    const ada = await enter("Ada");
    await server.stop();
    await ada.getByRole("status").getByText(/Reconnecting/).waitFor();
    server = await startServer(server.port);
    await ada.getByRole("status").getByText("Connected", { exact: true }).waitFor();
    await say(ada, "here again");
    await delivered(ada, "here again").waitFor();
    await finish([/net::ERR_(CONNECTION|EMPTY|SOCKET)/, /WebSocket connection to .* failed/]);
  } finally {
    await server.stop();
  }
});
