// SPDX-License-Identifier: ISC
//
// vpn.mjs MODULES URL GOOD BAD OUT: drives the phone's web page at URL in headless Chromium, uploads the files GOOD and
// BAD, and puts screenshots into the folder OUT. A line on standard output for each test: "pass" or "fail", a tab, what
// it shows, and where it failed another tab and why. MODULES is the folder of playwright-core.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, url, good, bad, out] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const httpCredentials = { username: "admin", password: "789" };
const md5 = createHash("md5").update(readFileSync(good)).digest("hex");

async function test(what, run) {
	try {
		const why = await run();
		console.log(why === undefined || why === true ? `pass\t${what}` : `fail\t${what}\tfound ${JSON.stringify(why)}`);
	} catch (error) {
		console.log(`fail\t${what}\t${String(error.message).split("\n").slice(0, 3).join(" ")}`);
	}
}

// Found by what a screen reader says, and there once.
async function only(locator) {
	const count = await locator.count();
	return count === 1 ? true : `${count} of them`;
}

// A picture in which a person could see something: many colours, and none of them everywhere.
async function look(browser, file) {
	const page = await browser.newPage();
	const seen = await page.evaluate(async (data) => {
		const image = new Image();
		image.src = "data:image/png;base64," + data;
		await image.decode();
		const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
		canvas.drawImage(image, 0, 0);
		const pixels = new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer);
		const counts = new Map();
		for (const pixel of pixels)
			counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
		return { colours: counts.size, most: Math.max(...counts.values()) / pixels.length };
	}, readFileSync(file).toString("base64"));
	await page.close();
	return seen.colours > 50 && seen.most < 0.9 ? true : seen;
}

async function shot(browser, page, name) {
	const file = join(out, name);
	await page.screenshot({ path: file });
	await test(`${name} is no blank picture`, () => look(browser, file));
}

const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
});

try {
	// ---- as most admins see it; no script runs, so nothing can depend on one ----
	const context = await browser.newContext({ httpCredentials, javaScriptEnabled: false,
		viewport: { width: 1024, height: 768 } });
	context.setDefaultTimeout(10000);
	const page = await context.newPage();
	const button = (name) => page.getByRole("button", { name, exact: true });
	const enable = page.getByRole("checkbox", { name: "Enable the VPN", exact: true });
	const file = page.getByLabel("OpenVPN configuration file", { exact: true });
	const uploaded = page.locator("#uploaded");

	await test("the login leads from / to the page", async () => {
		const answer = await page.goto(url + "/");
		return answer.status() === 200 && new URL(page.url()).pathname === "/vpn" ? true : answer.status();
	});
	await test("its title names the phone", async () => (await page.title()) === "VPN - D65" || page.title());
	await test("one heading of the first level", () => only(page.getByRole("heading", { level: 1 })));
	for (const name of ["Status", "Configuration in use", "Local VPN configuration"])
		await test(`the part "${name}" has a name`, () => only(page.getByRole("region", { name, exact: true })));
	await test("the switch has a name", () => only(enable));
	await test("the file has a name", () => only(file));
	for (const name of ["Submit", "Delete file", "Revert to server settings"])
		await test(`the button "${name}" has a name`, () => only(button(name)));
	await test("what cannot be done yet is disabled",
		async () => (await button("Delete file").isDisabled()) && (await button("Revert to server settings").isDisabled()));
	await test("the style sheet is in force", async () => {
		const colour = await page.locator("header").evaluate((node) => getComputedStyle(node).backgroundColor);
		return colour !== "rgba(0, 0, 0, 0)" || colour;
	});
	await shot(browser, page, "vpn-1024x768.png");

	await test("a good file is uploaded", async () => {
		await enable.check();
		await file.setInputFiles(good);
		await button("Submit").click();
		return (await page.getByRole("status").innerText()).startsWith("File checked and stored") || page.content();
	});
	await test("the page shows its md5", async () => (await uploaded.innerText()).includes(md5) || uploaded.innerText());
	await test("the switch is on", () => enable.isChecked());
	await test("reloading sends nothing again", async () => {
		const answer = await page.reload();
		return answer.request().method() === "GET" || answer.request().method();
	});
	await shot(browser, page, "uploaded-1024x768.png");

	await test("a bad file is refused", async () => {
		await file.setInputFiles(bad);
		await button("Submit").click();
		return (await page.getByRole("alert").innerText()).includes("Nothing was changed") || page.content();
	});
	await test("the reason stands at the file, and is its description", async () => {
		const ids = (await file.getAttribute("aria-describedby")).split(" ");
		const words = await Promise.all(ids.map((id) => page.locator("#" + id).innerText()));
		return (words.join(" ").includes("data-ciphers") && (await file.getAttribute("aria-invalid")) === "true") || words;
	});
	await test("the old file is kept", async () => (await uploaded.innerText()).includes(md5) || uploaded.innerText());
	await shot(browser, page, "refused-1024x768.png");

	await test("the keyboard reaches everything in the order of the page", async () => {
		const order = [];
		await page.goto(url + "/vpn");
		for (let i = 0; i < 6; i++) {
			await page.keyboard.press("Tab");
			order.push(await page.locator(":focus").evaluate((node) => node.name || node.getAttribute("href")));
		}
		const expected = ["enable", "file", "action", "action", "action", "/cgi-bin/ptsr"];
		return JSON.stringify(order.filter((name) => name !== "/vpn").slice(0, 5)) ===
			JSON.stringify(expected.slice(0, 5)) || order;
	});
	await test("the file is deleted", async () => {
		await button("Delete file").click();
		return (await page.getByRole("status").innerText()) === "Uploaded file deleted." || page.content();
	});
	await test("the page shows none", async () => (await uploaded.innerText()) === "None" || uploaded.innerText());
	await test("back to the server's settings", async () => {
		await button("Revert to server settings").click();
		return (await page.getByRole("status").innerText()).startsWith("Reverted") || page.content();
	});
	await test("the page says whose they are",
		async () => (await page.locator("#settings").innerText()).startsWith("Supplied by the server") || page.content());
	await test("the debug archive is downloaded", async () => {
		const [download] = await Promise.all([page.waitForEvent("download"),
			page.getByRole("link", { name: "Debug archive" }).click()]);
		const size = statSync(await download.path()).size;
		return (download.suggestedFilename().endsWith(".tar.gz") && size > 100) || download.suggestedFilename();
	});
	await context.close();

	// ---- on a small screen, with scripts allowed: there is none, and nothing that the page's own policy forbids ----
	const small = await browser.newContext({ httpCredentials, viewport: { width: 390, height: 844 } });
	small.setDefaultTimeout(10000);
	const phone = await small.newPage();
	const complaints = [];
	phone.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
	phone.on("pageerror", (error) => complaints.push(error.message));
	await phone.goto(url + "/vpn");
	await shot(browser, phone, "vpn-390x844.png");
	await test("a small screen need not be moved sideways", async () => {
		const width = await phone.evaluate(() => document.documentElement.scrollWidth);
		return width <= 390 || width;
	});
	await test("what is touched is large enough", async () => {
		const heights = await phone.locator("button, .switch").evaluateAll((nodes) => nodes.map((n) => n.offsetHeight));
		return heights.every((height) => height >= 44) || heights;
	});
	await test("the browser has nothing to complain about",
		async () => complaints.filter((text) => !text.includes("favicon")).length === 0 || complaints);

	// ---- another site, in the browser of an admin who is logged in ----
	const evil = await small.newPage();
	await evil.route("http://evil.example/**", (route) => route.fulfill({ contentType: "text/html", body:
		`<form method="post" enctype="multipart/form-data" action="${url}/vpn"><input name="enable" value="1">` +
		`<button name="action" value="submit">go</button></form><iframe src="${url}/vpn"></iframe>` }));
	await evil.goto("http://evil.example/");
	await test("another site cannot show the page in a frame", async () => {
		const frame = evil.frames().find((one) => one !== evil.mainFrame());
		return !(await frame.content()).includes("Local VPN configuration");
	});
	await test("... nor send its form", async () => {
		const [answer] = await Promise.all([evil.waitForNavigation(), evil.getByRole("button", { name: "go" }).click()]);
		return answer.status() === 403 || answer.status();
	});
	await phone.goto(url + "/vpn");
	await test("... and nothing was changed",
		async () => (await phone.locator("#settings").innerText()) === "Supplied by the server" || phone.content());
	await small.close();

	const stranger = await browser.newContext({ httpCredentials: { username: "admin", password: "0000" } });
	await test("a wrong password is turned away", async () => {
		const answer = await (await stranger.newPage()).goto(url + "/vpn");
		return answer.status() === 401 || answer.status();
	});
} finally {
	await browser.close();
}
