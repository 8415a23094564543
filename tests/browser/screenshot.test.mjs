// With SCREENSHOT set to a path, writes a picture of two tabs side by side there, for the documentation.
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { attach, delivered, drawPicture, join, log, message, online, pages, roomButton, say, startBrowser, startServer } from "./harness.mjs";

const path = process.env.SCREENSHOT;
const [width, height] = [1200, 800];
// The pages are laid out larger than they are shown, so that both fit with their side panels.
const scale = 0.8;
const view = { width: 576 / scale, height: 740 / scale };

test("two tabs for the documentation", { skip: path ? false : "SCREENSHOT is not set" }, async () => {
  const server = await startServer();
  const browser = await startBrowser();
  try {
    const { enter, finish } = pages(browser, server);
    const left = await enter("Ada", "lobby", { viewport: view, deviceScaleFactor: scale, colorScheme: "light" });
    const right = await enter("Grace", "lobby", { viewport: view, deviceScaleFactor: scale, colorScheme: "dark" });
    const third = await enter("Lin", "lobby");
    await join(right, "type theory");
    await roomButton(right, "lobby").click();
    await join(left, "hiking");
    await join(third, "hiking");
    await roomButton(left, "lobby").click();
    await say(third, "Trains on Saturday?");
    await roomButton(left, "hiking").getByText("1 unread").waitFor();
    await roomButton(third, "lobby").click();

    const talk = async (page, text) => {
      await say(page, text);
      await delivered(page, text).waitFor();
      await message(left, text).waitFor();
      await message(right, text).waitFor();
    };
    await talk(left, "Good evening! Made it up before the clouds came.");
    await attach(left, { name: "evening.png", mimeType: "image/png", buffer: await drawPicture(left, 880, 500) });
    await left.getByRole("button", { name: "Send", exact: true }).click();
    await delivered(left, "evening.png").waitFor();
    for (const page of [left, right]) await page.getByRole("img", { name: "Picture: evening.png" }).evaluate((image) => image.decode());
    await talk(right, "What a view. Which ridge is that?");
    await talk(third, "Looks like the one behind the lake.");
    await talk(left, "It is, an hour from the station. Come along next time.");
    await talk(right, "Gladly!");
    await left.getByLabel("Message", { exact: true }).pressSequentially("Saturday, then");
    await right.getByText("Ada is typing…").waitFor();
    for (const page of [left, right]) {
      await online(page, "Lin").waitFor();
      await log(page).evaluate((node) => node.scrollTo(0, node.scrollHeight));
    }

    const shots = [];
    for (const page of [left, right]) shots.push(`data:image/png;base64,${(await page.screenshot({ caret: "hide" })).toString("base64")}`);
    // An empty page: the chat's own would refuse the style below.
    const board = await browser.newPage({ viewport: { width, height } });
    await board.setContent(`<style>
      body { margin: 0; height: ${height}px; display: flex; align-items: center; justify-content: center; gap: 16px; background: linear-gradient(150deg, #cfdcd3, #b9c4c9); }
      img { width: 576px; height: 740px; border-radius: 14px; box-shadow: 0 2px 4px rgb(0 0 0 / 0.12), 0 14px 34px rgb(30 45 50 / 0.28); }
    </style>`);
    await board.evaluate(async (sources) => {
      for (const src of sources) {
        const image = Object.assign(document.createElement("img"), { src, alt: "" });
        document.body.append(image);
        await image.decode();
      }
    }, shots);
    await writeFile(path, await board.screenshot());
    await finish();
  } finally {
    await browser.close();
    await server.stop();
  }
});
