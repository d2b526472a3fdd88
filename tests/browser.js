// browser.js: uses the page of jitmend report as a person would, and writes what it
// sees into an element "result", a line each: NAME: VALUE. browser.bats puts it
// at the end of the page.
"use strict";

{
	const result = document.createElement("pre");
	const say = (name, value) => result.append(`${name}: ${value}\n`);
	const all = (selector) => [...document.querySelectorAll(selector)];
	const key = (node, name) => node.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
	const sites = () => all(".sites > li > details").length;
	const marks = () => all(".mark").length;
	const tip = document.querySelector(".tip");

	result.id = "result";
	say("title", document.title);
	say("headline", document.querySelector("h1").textContent);
	say("sections", all("h2").map((node) => node.textContent).join(", "));
	say("sites", sites());
	say("marks", marks());
	say("squares", all(".cell").length);
	say("advice", all(".advice").length);
	say("images", all("img").length);
	say("too wide", document.documentElement.scrollWidth > innerWidth);
	say("paper", getComputedStyle(document.body).backgroundColor);
	// Every picture has a name, every control can be reached and has one.
	say("nameless", all("svg[role=img], button, select, input").filter((node) =>
		!node.getAttribute("aria-label") && !node.textContent.trim()).length);

	if (sites()) {
		const timeline = document.querySelector(".figure svg[tabindex]");

		timeline.focus();
		key(timeline, "ArrowRight");
		say("tip", !tip.hidden && tip.textContent);
		say("spoken", document.querySelector("[aria-live]").textContent);
		key(timeline, "Enter");
		say("opened", all(".sites details[open]").length);
		key(timeline, "Escape");
		say("tip after", tip.hidden ? "hidden" : "there");
		key(document.body, "/");
		say("focus", document.activeElement.type);

		const search = document.activeElement;

		search.value = "no such function";
		search.dispatchEvent(new Event("input"));
		say("searched", sites());
		search.value = "";
		search.dispatchEvent(new Event("input"));
		say("found", sites());

		const chip = document.querySelector(".chip");

		chip.click();
		say("pressed", chip.getAttribute("aria-pressed"));
		say("sites without it", sites());
		chip.click();

		const select = document.querySelector("select");

		select.selectedIndex = 1;
		select.dispatchEvent(new Event("change"));
		say("sites of one process", sites());
		select.selectedIndex = 0;
		select.dispatchEvent(new Event("change"));
		all(".sites > li > details").forEach((node) => { node.open = true; });
	}
	// What opens is made by an event.
	setTimeout(() => {
		say("frames", all(".stack li").length);
		say("too wide, open", document.documentElement.scrollWidth > innerWidth);
		document.body.append(result);
	}, 200);
}
